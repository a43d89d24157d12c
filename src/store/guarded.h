// Guarded work: what it throws comes back as a Status. An exception that leaves a thread, or a function that C calls,
// ends the program.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <type_traits>

namespace yarrow {

// The Status of the exception that is being handled: OutOfMemory for std::bad_alloc. For catch blocks.
arrow::Status StatusOfException();

// Returns what `work` returns (OK if nothing), or the Status of what it throws.
template <class Work>
arrow::Status RunGuarded(const Work& work) {
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return arrow::Status::OK();
    } else {
      return work();
    }
  } catch (...) {
    return StatusOfException();
  }
}

// A thread that runs `work`, which throws nothing. IOError or OutOfMemory when the system has no thread to give.
// `name`: 15 letters.
arrow::Result<std::thread> StartThread(const char* name, std::function<void()> work);

// Calls `work` with 0 to `count` - 1, each in a thread of its own, and 0 in this one, which also does what the system
// has no thread for. Returns when all are done: OK, or the first failure that came, exceptions among them. `work` may
// ask `failed` whether there is one.
arrow::Status RunInThreads(const char* name, size_t count, std::atomic<bool>* failed,
                           const std::function<arrow::Status(size_t)>& work);

}  // namespace yarrow
