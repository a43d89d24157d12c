// WritePressure: slows commits down when rows come faster than they can be moved on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace yarrow {

// One commit after the other, each as long after the one before as its bytes take at the rate. Thread-safe. (RocksDB's
// own RateLimiter ends the process by an assertion when its rate is lowered while somebody asks for a turn.)
class WritePressure {
 public:
  // Bytes of commits per second that may pass; 0: all. Who waits for a turn at another rate goes by the new one.
  void SetRate(uint64_t bytes_per_second);
  uint64_t rate() const { return rate_.load(std::memory_order_relaxed); }
  // Before a commit of so many bytes: waits for its turn. One takes a second at most, however large it is.
  void Wait(uint64_t bytes);

 private:
  using Clock = std::chrono::steady_clock;

  std::atomic<uint64_t> rate_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  Clock::time_point free_at_;  // when the commits that had their turn are through; under mutex_
};

}  // namespace yarrow
