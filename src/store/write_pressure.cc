#include "store/write_pressure.h"

#include <algorithm>

namespace yarrow {

void WritePressure::SetRate(uint64_t bytes_per_second) {
  std::lock_guard lock(mutex_);
  if (bytes_per_second == rate()) return;
  rate_.store(bytes_per_second, std::memory_order_relaxed);
  changed_.notify_all();
}

void WritePressure::Wait(uint64_t bytes) {
  std::unique_lock lock(mutex_);
  while (rate() > 0) {
    const auto now = Clock::now();
    if (free_at_ <= now) {
      const double seconds = std::min(1.0, static_cast<double>(bytes) / static_cast<double>(rate()));
      free_at_ = now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
      return;
    }
    changed_.wait_until(lock, std::min(free_at_, now + std::chrono::seconds(1)));
  }
}

}  // namespace yarrow
