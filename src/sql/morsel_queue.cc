#include "sql/morsel_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace yarrow::sql {

void MorselQueue::Fill(std::vector<Morsel> morsels, std::optional<int64_t> limit, bool in_order) {
  morsels_ = std::move(morsels);
  has_limit_ = limit.has_value();
  limit_ = limit.value_or(0);
  in_order_ = in_order;
  if (has_limit_) {
    given_.assign(morsels_.size(), 0);
    finished_.assign(morsels_.size(), false);
  }
}

std::optional<size_t> MorselQueue::Next() {
  const std::lock_guard lock(mutex_);
  if (next_ == morsels_.size() || WantedLocked(next_) <= 0) return std::nullopt;
  return next_++;
}

void MorselQueue::Give(size_t number, int64_t rows) {
  if (!has_limit_) return;
  const std::lock_guard lock(mutex_);
  given_[number] += rows;
  if (!in_order_) rows_ += rows;
}

void MorselQueue::Finish(size_t number) {
  const std::lock_guard lock(mutex_);
  ++finished_count_;
  if (!has_limit_) return;
  finished_[number] = true;
  for (; complete_ < morsels_.size() && finished_[complete_]; ++complete_) {
    if (in_order_) rows_ += given_[complete_];
  }
}

int64_t MorselQueue::Wanted(size_t number) const {
  if (!has_limit_) return std::numeric_limits<int64_t>::max();
  const std::lock_guard lock(mutex_);
  return WantedLocked(number);
}

int64_t MorselQueue::WantedLocked(size_t number) const {
  if (!has_limit_) return std::numeric_limits<int64_t>::max();
  if (!in_order_) return limit_ - rows_;
  // Rows that surely come first: those of finished pieces, and of the first unfinished one so far.
  int64_t before = rows_;
  if (complete_ < number) before += given_[complete_];
  return limit_ - before - given_[number];
}

double MorselQueue::Progress() const {
  const std::lock_guard lock(mutex_);
  return morsels_.empty() ? 1.0 : static_cast<double>(finished_count_) / static_cast<double>(morsels_.size());
}

}  // namespace yarrow::sql
