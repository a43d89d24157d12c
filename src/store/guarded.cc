#include "store/guarded.h"

#include <pthread.h>

#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

namespace yarrow {

arrow::Status StatusOfException() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("there is not enough memory");
  } catch (const std::exception& exception) {
    return arrow::Status::UnknownError(exception.what());
  } catch (...) {
    return arrow::Status::UnknownError("an exception that says nothing");
  }
}

arrow::Result<std::thread> StartThread(const char* name, std::function<void()> work) {
  try {
    return std::thread([name, work = std::move(work)] {
      ::pthread_setname_np(::pthread_self(), name);
      work();
    });
  } catch (const std::system_error& error) {
    return arrow::Status::IOError("cannot start a thread: ", error.code().message());
  } catch (const std::bad_alloc&) {
    return StatusOfException();
  }
}

arrow::Status RunInThreads(const char* name, size_t count, std::atomic<bool>* failed,
                           const std::function<arrow::Status(size_t)>& work) {
  std::mutex mutex;
  arrow::Status failure;
  const auto run = [&](size_t number) {
    arrow::Status status = RunGuarded([&] { return work(number); });
    if (status.ok()) return;
    const std::lock_guard lock(mutex);
    if (failure.ok()) failure = std::move(status);  // a copy takes memory
    failed->store(true);
  };
  std::vector<std::thread> threads;
  threads.reserve(count);
  size_t started = 1;
  for (; started < count; ++started) {
    auto thread = StartThread(name, [&run, started] { run(started); });
    if (!thread.ok()) break;
    threads.push_back(*std::move(thread));
  }
  if (count > 0) run(0);
  for (; started < count; ++started) run(started);
  for (std::thread& thread : threads) thread.join();
  return failure;
}

}  // namespace yarrow
