// The process that open stores belong to. A forked child has a copy of all handles, and neither the threads behind them
// nor the right to write their files: in it every call on them is an error, and their destructors do nothing.
//
// A handle lives no longer than its store is open. So one word says all: whether this process was forked while a store
// was open. The word lies on a page that the kernel empties in a child (MADV_WIPEONFORK), which costs the parent
// nothing and a call one load. In such a child no store can be opened at all: RocksDB has threads and locks that all
// its instances share, and those of the parent would be waited for.
#pragma once

#include <arrow/status.h>

#include <atomic>
#include <cstdint>

namespace yarrow {

class HomeProcess {
 public:
  // False in a process that was forked while a store was open.
  static bool IsHome() {
    return word_.load(std::memory_order_acquire)->load(std::memory_order_acquire) == kHome || Decide();
  }
  // The error for that, which says what to do.
  static arrow::Status Check() { return IsHome() ? arrow::Status::OK() : NotHome(); }

  // A process that uses RocksDB after others from which it was forked (all stores were closed then) has a higher
  // number.
  static uint32_t generation() { return generation_.load(std::memory_order_acquire); }

  // As long as it lives, a store is open, being opened or being closed.
  class OpenStore {
   public:
    OpenStore();
    ~OpenStore();
    OpenStore(const OpenStore&) = delete;
    OpenStore& operator=(const OpenStore&) = delete;
  };

 private:
  enum Word : uint32_t { kUnknown = 0, kHome = 1, kForeign = 2, kDeciding = 3 };
  static bool Decide();
  static arrow::Status NotHome();
  static void Watch();

  static constinit std::atomic<uint32_t> before_first_store_;
  static constinit std::atomic<std::atomic<uint32_t>*> word_;
  static constinit std::atomic<uint32_t> generation_;
  static constinit std::atomic<int64_t> open_stores_;
};

// Deletes, but not in a forked child: what is behind a handle may wait for threads there, or remove files.
struct DeleteAtHome {
  template <class T>
  void operator()(T* object) const {
    if (HomeProcess::IsHome()) delete object;
  }
};

}  // namespace yarrow
