#include "scan/cold_cursor.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

namespace yarrow {
ColdCursor::ColdCursor(const ColdRead* read, const ColdPiece& piece, std::vector<KeyRange> ranges)
    : read_(read),
      segment_(piece.segment),
      dropped_(piece.dropped),
      ranges_(std::move(ranges)),
      points_(AreSingleKeys(ranges_)),
      encoder_(read->schema, read->key_prefix) {
  encoder_.AllowMissingColumns();
}

arrow::Result<bool> ColdCursor::Advance() {
  return points_ ? NextPoint() : NextOfScan();
}

void ColdCursor::CountRowGroupOf(std::string_view key) {
  const auto row_group = segment_->info().FindRowGroup(key);
  if (!row_group || row_group == row_group_) return;
  row_group_ = row_group;
  ++row_groups_looked_into_;
}

arrow::Result<bool> ColdCursor::NextPoint() {
  while (points_done_ < ranges_.size()) {
    const size_t at = read_->reverse ? ranges_.size() - 1 - points_done_ : points_done_;
    ++points_done_;
    const std::string& key = ranges_[at].lower;
    ARROW_ASSIGN_OR_RAISE(const bool possible, segment_->MayContain(key, cold::KeyFilter::Hash(key)));
    if (!possible) continue;
    CountRowGroupOf(key);
    ARROW_ASSIGN_OR_RAISE(const auto lookup, segment_->Lookup(read_->schema, read_->key_prefix));
    ARROW_ASSIGN_OR_RAISE(const auto position, lookup->Find(key));
    if (!position) continue;
    ARROW_ASSIGN_OR_RAISE(const bool dropped, segment_->IsDropped(*position, read_->snapshot, read_->overlay));
    if (dropped) continue;
    ARROW_ASSIGN_OR_RAISE(const std::vector<Value> values, lookup->ReadRow(*position));
    ARROW_RETURN_NOT_OK(encoder_.EncodeValues(values, &key_, &row_));
    return true;
  }
  return false;
}

arrow::Result<bool> ColdCursor::NextOfScan() {
  if (!scan_) {
    ARROW_ASSIGN_OR_RAISE(auto segment, segment_->Open());
    ARROW_ASSIGN_OR_RAISE(scan_, cold::SegmentScan::Make(std::move(segment), read_->schema,
                                                         {.columns = read_->columns,
                                                          .key_prefix = read_->key_prefix,
                                                          .ranges = ranges_,
                                                          .predicate = read_->predicate,
                                                          .reverse = read_->reverse}));
  }
  for (;;) {
    while (batch_ != nullptr && next_ >= 0 && next_ < batch_->num_rows()) {
      const int64_t row = next_;
      next_ += read_->reverse ? -1 : 1;
      if (dropped_.Contains(first_row_ + static_cast<uint64_t>(row))) continue;
      ARROW_RETURN_NOT_OK(encoder_.EncodeRow(row, &key_, &row_));
      return true;
    }
    ARROW_ASSIGN_OR_RAISE(auto batch, scan_->Next());
    if (!batch) return false;
    batch_ = std::move(batch->batch);
    first_row_ = batch->first_row;
    next_ = read_->reverse ? batch_->num_rows() - 1 : 0;
    ARROW_RETURN_NOT_OK(encoder_.BindBatch(*batch_));
  }
}

}  // namespace yarrow
