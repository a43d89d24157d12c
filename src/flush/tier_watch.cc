#include "flush/tier_watch.h"

#include <algorithm>

namespace yarrow::flush {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int kMostDoublings = 6;  // about an hour

uint64_t Above(uint64_t value, uint64_t base) {
  return value > base ? value - base : 0;
}

// Rows are readable a little longer than their time, and looking for them costs a scan.
int64_t BetweenExpiries(const TierPolicy& policy) {
  return std::clamp(policy.ttl * kSecond / 20, kSecond, 10 * kMinute);
}

}  // namespace

bool TierWatch::MustLook(const TierPolicy& policy, const HotFigures& figures) const {
  if (!looked_at_ || policy != policy_ || policy.flush_age > 0 || policy.expires()) return true;
  if (failed_flushes_ + failed_expiries_ + failed_compactions_ > 0) return true;
  return figures.last_write != looked_at_->last_write || figures.manifest != looked_at_->manifest ||
         figures.waiting != looked_at_->waiting;
}

DueJob TierWatch::Look(const TierPolicy& policy, const HotFigures& figures, int64_t now) {
  const DueJob due = FindDue(policy, figures, now);
  policy_ = policy;
  looked_at_ = due == DueJob::kNone && !is_at_work_ ? std::optional(figures) : std::nullopt;
  return due;
}

DueJob TierWatch::FindDue(const TierPolicy& policy, const HotFigures& figures, int64_t now) {
  TakeOffWhatWasCompacted(figures);
  hot_bytes_ = policy.flushes() ? Above(figures.bytes, left_.bytes) : 0;
  if (figures.last_write > left_.last_write && !hot_since_) hot_since_ = now;
  if (is_at_work_) return DueJob::kNone;
  if (policy.expires() && now >= next_expiry_) return DueJob::kExpiry;
  if (may_flush(now) && IsFlushDue(policy, figures, now)) return DueJob::kFlush;
  const bool may_merge = figures.manifest != merged_at_ && now >= next_compaction_;
  return may_merge ? DueJob::kCompaction : DueJob::kNone;
}

void TierWatch::TakeOffWhatWasCompacted(const HotFigures& figures) {
  left_.rows = std::min(Above(left_.rows, Above(seen_.rows, figures.rows)), figures.rows);
  left_.bytes = std::min(Above(left_.bytes, Above(seen_.bytes, figures.bytes)), figures.bytes);
  seen_ = figures;
}

bool TierWatch::IsFlushDue(const TierPolicy& policy, const HotFigures& figures, int64_t now) {
  const uint64_t rows = Above(figures.rows, left_.rows);
  if (policy.flush_rows > 0 && rows >= policy.flush_rows) return true;
  if (policy.flush_bytes.value_or(0) > 0 && hot_bytes_ >= *policy.flush_bytes) return true;
  return policy.flush_age > 0 && hot_since_ && now - *hot_since_ >= policy.flush_age * kSecond;
}

void TierWatch::Begin(DueJob job, const HotFigures& figures, int64_t now) {
  is_at_work_ = true;
  at_work_ = job;
  began_at_ = now;
  then_ = figures;
}

// The estimates do not tell what has come meanwhile from what could not be moved: the latter is no more than was there
// before and was not moved.
HotFigures TierWatch::Left(uint64_t moved, const HotFigures& figures) const {
  const uint64_t rows = Above(then_.rows, moved);
  const double share = then_.rows == 0 ? 0 : static_cast<double>(rows) / static_cast<double>(then_.rows);
  const auto bytes = static_cast<uint64_t>(share * static_cast<double>(then_.bytes));
  return {
      .rows = std::min(figures.rows, rows), .bytes = std::min(figures.bytes, bytes), .last_write = then_.last_write};
}

std::pair<int64_t*, int*> TierWatch::OfJobAtWork() {
  switch (at_work_) {
    case DueJob::kExpiry:
      return {&next_expiry_, &failed_expiries_};
    case DueJob::kCompaction:
      return {&next_compaction_, &failed_compactions_};
    default:
      return {&next_flush_, &failed_flushes_};
  }
}

void TierWatch::End(std::optional<uint64_t> moved, const TierPolicy& policy, const HotFigures& figures, int64_t now) {
  is_at_work_ = false;
  looked_at_.reset();
  // A table that cannot do the one can do the other all the same.
  const auto [next, failures] = OfJobAtWork();
  if (!moved) {
    *next = now + (kMinute << std::min((*failures)++, kMostDoublings));
    return;
  }
  *failures = 0;
  if (at_work_ != DueJob::kExpiry) merged_at_ = then_.manifest;  // the others have looked for merges
  if (at_work_ == DueJob::kExpiry) next_expiry_ = now + BetweenExpiries(policy);
  if (at_work_ != DueJob::kFlush) return;
  left_ = Left(*moved, figures);
  seen_ = figures;
  hot_since_ = figures.last_write > then_.last_write ? std::optional(began_at_) : std::nullopt;
}

}  // namespace yarrow::flush
