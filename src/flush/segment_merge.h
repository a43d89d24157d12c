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
#include "scan/cold_cursor.h"
#include "scan/cold_pieces.h"
#include "scan/piece_merge.h"

namespace yarrow::flush {

// Not thread-safe. No two rows of the pieces have the same key.
class SegmentMerge {
 public:
  static arrow::Result<std::unique_ptr<SegmentMerge>> Make(std::shared_ptr<const RowSchema> row_schema,
                                                           std::string key_prefix, std::vector<ColdPiece> pieces);

  // The next batch, of all columns, never empty, of at most `max_rows` rows; null at the end. Errors name the file.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next(int64_t max_rows);

 private:
  SegmentMerge(ColdRead read, std::vector<ColdPiece> pieces);

  const ColdRead read_;
  PieceMerge<ColdCursor> merge_;
  std::unique_ptr<BatchBuilder> builder_;
};

}  // namespace yarrow::flush
