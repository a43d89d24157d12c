#include "flush/segment_merge.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace yarrow::flush {

SegmentMerge::SegmentMerge(std::shared_ptr<const RowSchema> row_schema, std::string key_prefix,
                           std::vector<ColdPiece> pieces)
    : waiting_(std::move(pieces)) {
  read_.schema = std::move(row_schema);
  read_.key_prefix = std::move(key_prefix);
  read_.columns.resize(read_.schema->columns().size());
  std::iota(read_.columns.begin(), read_.columns.end(), 0);
  std::ranges::sort(waiting_, std::greater(), [](const ColdPiece& piece) { return piece.segment->info().first_key(); });
}

arrow::Result<std::unique_ptr<SegmentMerge>> SegmentMerge::Make(std::shared_ptr<const RowSchema> row_schema,
                                                                std::string key_prefix, std::vector<ColdPiece> pieces) {
  std::unique_ptr<SegmentMerge> merge(new SegmentMerge(row_schema, std::move(key_prefix), std::move(pieces)));
  ARROW_ASSIGN_OR_RAISE(merge->builder_,
                        BatchBuilder::Make(row_schema, merge->read_.columns, row_schema->arrow_schema()));
  return merge;
}

// Opens the segments that may have the next row.
arrow::Status SegmentMerge::OpenReached() {
  while (!waiting_.empty()) {
    const std::string& first_key = waiting_.back().segment->info().first_key();
    if (!open_.empty() && first_key > open_[current_]->key()) break;
    auto cursor = std::make_unique<ColdCursor>(&read_, waiting_.back(), std::vector<KeyRange>{KeyRange{}});
    waiting_.pop_back();
    if (!cursor->Next()) {
      ARROW_RETURN_NOT_OK(cursor->status());
      continue;
    }
    open_.push_back(std::move(cursor));
    if (open_.back()->key() < open_[current_]->key()) current_ = open_.size() - 1;
  }
  return arrow::Status::OK();
}

// Moves to the next row. False at the end.
arrow::Result<bool> SegmentMerge::Advance() {
  if (std::exchange(is_started_, true)) {
    ColdCursor& given = *open_[current_];
    if (!given.Next()) {
      ARROW_RETURN_NOT_OK(given.status());
      open_.erase(open_.begin() + static_cast<ptrdiff_t>(current_));
    }
    const auto lowest = std::ranges::min_element(open_, {}, [](const auto& cursor) { return cursor->key(); });
    current_ = static_cast<size_t>(lowest - open_.begin());
    if (open_.empty()) current_ = 0;
  }
  ARROW_RETURN_NOT_OK(OpenReached());
  return !open_.empty();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> SegmentMerge::Next(int64_t max_rows) {
  ARROW_RETURN_NOT_OK(builder_->Reserve(max_rows));
  while (builder_->rows() < max_rows && !builder_->full()) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, Advance());
    if (!has_row) break;
    ARROW_RETURN_NOT_OK(builder_->Append(open_[current_]->key(), open_[current_]->value()));
  }
  if (builder_->rows() == 0) return nullptr;
  return builder_->Finish();
}

}  // namespace yarrow::flush
