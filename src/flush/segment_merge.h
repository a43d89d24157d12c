// SegmentMerge: the rows of some segments, less overridden ones, as record batches in key order.
//
// Memory: one row group of each segment whose keys overlap at the place of the merge, whatever the number and size of
// the segments. Rows pass through encoded, as in every scan over both tiers.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "batch/batch_builder.h"
#include "table/cold_cursor.h"
#include "table/cold_pieces.h"

namespace yarrow::flush {

// Not thread-safe. No two rows of the pieces have the same key.
class SegmentMerge {
 public:
  static arrow::Result<std::unique_ptr<SegmentMerge>> Make(std::shared_ptr<const RowSchema> row_schema,
                                                           std::string key_prefix, std::vector<ColdPiece> pieces);

  // The next batch, of all columns, never empty, of at most `max_rows` rows; null at the end. Errors name the file.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next(int64_t max_rows);

 private:
  SegmentMerge(std::shared_ptr<const RowSchema> row_schema, std::string key_prefix, std::vector<ColdPiece> pieces);
  arrow::Status OpenReached();
  arrow::Result<bool> Advance();

  ColdRead read_;
  std::vector<ColdPiece> waiting_;                 // not opened yet, the one with the lowest first key last
  std::vector<std::unique_ptr<ColdCursor>> open_;  // each on a row that is still to come
  size_t current_ = 0;                             // of open_, whose row is next
  bool is_started_ = false;
  std::unique_ptr<BatchBuilder> builder_;
};

}  // namespace yarrow::flush
