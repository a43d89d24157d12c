// RowGroupBuffer: cuts a stream of batches into row groups, at the same rows whatever the batches.
//
// A row group ends with the row that reaches its number of rows or of bytes. REQUIRES of text columns: NULLs have no
// bytes, as in all arrays of this project; else the cut depends on what NULLs hide. Not thread-safe.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "row/row_schema.h"

namespace yarrow::cold {

class RowGroupBuffer {
 public:
  RowGroupBuffer(const RowSchema& row_schema, int64_t max_rows, uint64_t max_bytes);

  // How many rows of `batch` from `first` on still belong to the row group at hand; at least one when it is not full
  // and the batch has one.
  int64_t RowsThatFit(const arrow::RecordBatch& batch, int64_t first) const;
  // REQUIRES: they fit.
  void Add(const arrow::RecordBatch& batch, int64_t first, int64_t rows);
  bool full() const { return rows_ >= max_rows_ || bytes_ >= max_bytes_; }
  int64_t rows() const { return rows_; }
  // One array a column, of all rows; the next row group begins.
  arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> Take(arrow::MemoryPool* pool);

 private:
  uint64_t BytesOf(const arrow::RecordBatch& batch, int64_t first, int64_t rows) const;

  const int64_t max_rows_;
  const uint64_t max_bytes_;
  uint64_t fixed_bytes_ = 0;                                        // of a row
  std::vector<int> text_columns_;                                   // positions
  std::vector<std::vector<std::shared_ptr<arrow::Array>>> chunks_;  // one list a column
  int64_t rows_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace yarrow::cold
