#include "table/moved_rows.h"

#include <algorithm>
#include <iterator>

#include "store/oldest_snapshot.h"

namespace yarrow {

void MovedRows::Add(std::vector<Move> moves) {
  std::lock_guard lock(mutex_);
  std::ranges::move(moves, std::back_inserter(waiting_));
}

uint64_t MovedRows::CountIn(const KeyRange& range) const {
  std::lock_guard lock(mutex_);
  uint64_t rows = 0;
  for (const Move& move : waiting_) {
    if (move.range.lower >= range.lower && move.range.lower < range.upper) rows += move.rows;
  }
  return rows;
}

std::optional<MovedRows::Move> MovedRows::FindDue() const {
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  const uint64_t oldest = OldestSnapshot(*store_);
  const auto due = std::ranges::find_if(waiting_, [&](const Move& move) { return move.sequence <= oldest; });
  return due == waiting_.end() ? std::nullopt : std::optional(*due);
}

bool MovedRows::HasDue() const {
  return FindDue().has_value();
}

void MovedRows::Erase(const Move& move) {
  std::lock_guard lock(mutex_);
  const auto at = std::ranges::find_if(waiting_, [&](const Move& waiting) {
    return waiting.sequence == move.sequence && waiting.range.lower == move.range.lower;
  });
  if (at != waiting_.end()) waiting_.erase(at);
}

void MovedRows::DropDue(const std::function<bool()>& goes_on) {
  std::lock_guard lock(dropping_mutex_);
  while (!goes_on || goes_on()) {
    const auto due = FindDue();
    if (!due) return;
    ARROW_UNUSED(store_->CompactRange(rows_, due->range.lower, due->range.upper));
    Erase(*due);
  }
}

}  // namespace yarrow
