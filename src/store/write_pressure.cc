#include "store/write_pressure.h"

#include <algorithm>

namespace yarrow {
namespace {

constexpr int64_t kFirstRate = 64 << 20;
constexpr int64_t kRefillMicros = 20'000;

}  // namespace

WritePressure::WritePressure()
    : limiter_(rocksdb::NewGenericRateLimiter(kFirstRate, kRefillMicros, /*fairness=*/10,
                                              rocksdb::RateLimiter::Mode::kWritesOnly)) {}

void WritePressure::SetRate(uint64_t bytes_per_second) {
  if (bytes_per_second == rate()) return;
  if (bytes_per_second > 0) limiter_->SetBytesPerSecond(static_cast<int64_t>(bytes_per_second));
  rate_.store(bytes_per_second, std::memory_order_relaxed);
}

void WritePressure::Wait(uint64_t bytes) {
  auto left = static_cast<int64_t>(std::min(bytes, rate()));
  while (left > 0 && rate() > 0) {
    const int64_t part = std::min(left, limiter_->GetSingleBurstBytes());
    limiter_->Request(part, rocksdb::Env::IO_HIGH, /*stats=*/nullptr, rocksdb::RateLimiter::OpType::kWrite);
    left -= part;
  }
}

}  // namespace yarrow
