#include "flush/segment_merge.h"

#include <arrow/record_batch.h>

#include <numeric>
#include <utility>

namespace yarrow::flush {

SegmentMerge::SegmentMerge(ColdRead read, std::vector<ColdPiece> pieces)
    : read_(std::move(read)), merge_(std::move(pieces), /*reverse=*/false, [this](const ColdPiece& piece) {
        return std::make_unique<ColdCursor>(&read_, piece, std::vector<KeyRange>{KeyRange{}});
      }) {}

arrow::Result<std::unique_ptr<SegmentMerge>> SegmentMerge::Make(std::shared_ptr<const RowSchema> row_schema,
                                                                std::string key_prefix, std::vector<ColdPiece> pieces) {
  ColdRead read;
  read.columns.resize(row_schema->columns().size());
  std::iota(read.columns.begin(), read.columns.end(), 0);
  read.schema = row_schema;
  read.key_prefix = std::move(key_prefix);
  std::unique_ptr<SegmentMerge> merge(new SegmentMerge(std::move(read), std::move(pieces)));
  ARROW_ASSIGN_OR_RAISE(merge->builder_,
                        BatchBuilder::Make(row_schema, merge->read_.columns, row_schema->arrow_schema()));
  return merge;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> SegmentMerge::Next(int64_t max_rows) {
  ARROW_RETURN_NOT_OK(builder_->Reserve(max_rows));
  while (builder_->rows() < max_rows && !builder_->full()) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, merge_.Reach());
    if (!has_row) break;
    ARROW_RETURN_NOT_OK(builder_->Append(merge_.top().key(), merge_.top().value()));
    ARROW_RETURN_NOT_OK(merge_.Advance());
  }
  if (builder_->rows() == 0) return nullptr;
  return builder_->Finish();
}

}  // namespace yarrow::flush
