#include "table/tiered_cursor.h"

#include <algorithm>
#include <utility>

namespace yarrow {

TieredCursor::TieredCursor(ScanCursor hot, std::unique_ptr<const ColdRead> read,
                           std::vector<std::unique_ptr<ColdCursor>> cold)
    : hot_(std::move(hot)), read_(std::move(read)), cold_(std::move(cold)), has_row_(cold_.size()) {
  std::ranges::sort(cold_, [&](const auto& a, const auto& b) { return IsBefore(a->first_bound(), b->first_bound()); });
}

// Of one that has not begun.
bool TieredCursor::MayHaveNext(const ColdCursor& cursor) const {
  return IsInRange(cursor.first_bound()) && (given_ == kNone || !IsBefore(key_, cursor.first_bound()));
}

void TieredCursor::Consider(size_t i) {
  if (!has_row_[i] || !IsInRange(cold_[i]->key())) return;
  if (given_ != kNone && !IsBefore(cold_[i]->key(), key_)) return;
  given_ = i;
  key_ = cold_[i]->key();
}

uint64_t TieredCursor::row_groups_read() const {
  uint64_t read = 0;
  for (const auto& cursor : cold_) read += cursor->row_groups_read();
  return read;
}

bool TieredCursor::Fail(const arrow::Status& status) {
  status_ = status;
  return false;
}

bool TieredCursor::AdvanceHot() {
  hot_has_row_ = hot_.Next();
  return hot_.status().ok() || Fail(hot_.status());
}

bool TieredCursor::AdvanceCold(size_t i) {
  has_row_[i] = cold_[i]->Next();
  return cold_[i]->status().ok() || Fail(cold_[i]->status());
}

// Only the cursor whose row was given out moves on: the others stand on rows that are still to come.
bool TieredCursor::Next() {
  if (!status_.ok()) return false;
  if (!is_started_) {
    is_started_ = true;
    if (!AdvanceHot()) return false;
  } else if (given_ == kHot) {
    if (!AdvanceHot()) return false;
  } else if (given_ != kNone) {
    if (!AdvanceCold(given_)) return false;
  }
  given_ = hot_has_row_ ? kHot : kNone;
  if (hot_has_row_) key_ = hot_.key();
  for (size_t i = 0; i < begun_; ++i) Consider(i);
  for (; begun_ < cold_.size() && MayHaveNext(*cold_[begun_]); ++begun_) {
    if (!AdvanceCold(begun_)) return false;
    Consider(begun_);
  }
  if (given_ == kNone) return false;
  value_ = given_ == kHot ? hot_.value() : cold_[given_]->value();
  ++rows_visited_;
  bytes_visited_ += key_.size() + value_.size();
  return true;
}

void TieredCursor::ResetRange(std::string_view lower, std::string_view upper) {
  lower_ = lower;
  upper_ = upper;
  hot_.ResetRange(lower, upper);
  if (!is_started_ || !status_.ok()) return;
  if (given_ != kNone && given_ != kHot) AdvanceCold(given_);
  given_ = kNone;
  AdvanceHot();
}

}  // namespace yarrow
