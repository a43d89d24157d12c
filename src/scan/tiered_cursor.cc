#include "scan/tiered_cursor.h"

#include <utility>

namespace yarrow {

using arrow::Status;

TieredCursor::TieredCursor(ScanCursor hot, std::unique_ptr<const ColdRead> read, std::vector<ColdPiece> pieces,
                           std::vector<KeyRange> ranges)
    : hot_(std::move(hot)),
      read_(std::move(read)),
      cold_(std::move(pieces), read_->reverse, [read = read_.get(), of = std::move(ranges)](const ColdPiece& piece) {
        return std::make_unique<ColdCursor>(read, piece, of);
      }) {}

// Moves the source whose row was given out; the others stand on rows that are still to come.
Status TieredCursor::Leave() {
  if (given_ == Given::kCold) return cold_.Advance();
  if (given_ == Given::kNone && is_started_) return Status::OK();
  hot_has_row_ = hot_.Next();
  return hot_.status();
}

arrow::Result<TieredCursor::Given> TieredCursor::FindNext() {
  ARROW_RETURN_NOT_OK(Leave());
  is_started_ = true;
  // A segment is opened when no hot row comes before it.
  while (!cold_.at_end() && IsInRange(cold_.bound()) && (!hot_has_row_ || !IsBefore(hot_.key(), cold_.bound()))) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, cold_.Reach());
    if (!has_row) break;
    if (!IsInRange(cold_.top().key())) break;
    if (!hot_has_row_ || !IsBefore(hot_.key(), cold_.top().key())) return Given::kCold;
  }
  return hot_has_row_ ? Given::kHot : Given::kNone;
}

bool TieredCursor::Next() {
  if (!status_.ok()) return false;
  const arrow::Result<Given> next = FindNext();
  if (!next.ok()) status_ = next.status();
  given_ = next.ValueOr(Given::kNone);
  if (given_ == Given::kNone) return false;
  key_ = given_ == Given::kHot ? hot_.key() : cold_.top().key();
  value_ = given_ == Given::kHot ? hot_.value() : cold_.top().value();
  ++rows_visited_;
  bytes_visited_ += key_.size() + value_.size();
  return true;
}

void TieredCursor::ResetRange(std::string_view lower, std::string_view upper) {
  lower_ = lower;
  upper_ = upper;
  hot_.ResetRange(lower, upper);
  if (!is_started_ || !status_.ok()) return;
  if (given_ == Given::kCold) status_ = cold_.Advance();
  given_ = Given::kNone;
  is_started_ = false;
}

}  // namespace yarrow
