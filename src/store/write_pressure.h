// WritePressure: slows commits down when rows come faster than they can be moved on.
#pragma once

#include <rocksdb/rate_limiter.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace yarrow {

// Thread-safe.
class WritePressure {
 public:
  WritePressure();
  // Bytes of commits per second that may pass; 0: all.
  void SetRate(uint64_t bytes_per_second);
  uint64_t rate() const { return rate_.load(std::memory_order_relaxed); }
  // Before a commit of so many bytes: waits for its turn, a second or so at most, however large it is.
  void Wait(uint64_t bytes);

 private:
  std::atomic<uint64_t> rate_{0};
  const std::unique_ptr<rocksdb::RateLimiter> limiter_;
};

}  // namespace yarrow
