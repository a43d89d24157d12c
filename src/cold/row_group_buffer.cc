#include "cold/row_group_buffer.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <utility>

namespace yarrow::cold {

RowGroupBuffer::RowGroupBuffer(const RowSchema& row_schema, int64_t max_rows, uint64_t max_bytes)
    : max_rows_(max_rows), max_bytes_(max_bytes), chunks_(row_schema.columns().size()) {
  for (size_t i = 0; i < row_schema.columns().size(); ++i) {
    const ColumnType& type = row_schema.columns()[i].type;
    fixed_bytes_ += type.is_variable() ? sizeof(int32_t) : static_cast<uint64_t>(type.fixed_width());
    if (type.is_variable()) text_columns_.push_back(static_cast<int>(i));
  }
}

// Texts are measured by their offsets: what a NULL's slot may hide is counted as nothing, since offsets do not move
// there.
uint64_t RowGroupBuffer::BytesOf(const arrow::RecordBatch& batch, int64_t first, int64_t rows) const {
  uint64_t bytes = fixed_bytes_ * static_cast<uint64_t>(rows);
  for (const int column : text_columns_) {
    const auto& texts = arrow::internal::checked_cast<const arrow::BinaryArray&>(*batch.column(column));
    bytes += static_cast<uint64_t>(texts.value_offset(first + rows) - texts.value_offset(first));
  }
  return bytes;
}

int64_t RowGroupBuffer::RowsThatFit(const arrow::RecordBatch& batch, int64_t first) const {
  if (full()) return 0;
  const int64_t most = std::min(max_rows_ - rows_, batch.num_rows() - first);
  const uint64_t room = max_bytes_ - bytes_;
  // The least number of rows that fills the room.
  int64_t low = 1;
  int64_t high = most;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (BytesOf(batch, first, middle) >= room) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return std::min(low, most);
}

void RowGroupBuffer::Add(const arrow::RecordBatch& batch, int64_t first, int64_t rows) {
  for (size_t i = 0; i < chunks_.size(); ++i) {
    chunks_[i].push_back(batch.column(static_cast<int>(i))->Slice(first, rows));
  }
  bytes_ += BytesOf(batch, first, rows);
  rows_ += rows;
}

arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> RowGroupBuffer::Take(arrow::MemoryPool* pool) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (auto& chunks : chunks_) {
    if (chunks.size() == 1) {
      columns.push_back(std::move(chunks.front()));
    } else {
      ARROW_ASSIGN_OR_RAISE(auto column, arrow::Concatenate(chunks, pool));
      columns.push_back(std::move(column));
    }
    chunks.clear();
  }
  rows_ = 0;
  bytes_ = 0;
  return columns;
}

}  // namespace yarrow::cold
