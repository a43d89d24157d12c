// RowKeys: the encoded keys of the rows of some arrays, made one at a time: to check their order, or to find one by
// binary search in decoded key columns without encoding the others.
//
// Shares the arrays. Immutable, thread-safe.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "batch/cell_writer.h"
#include "row/row_schema.h"

namespace yarrow::cold {

class RowKeys {
 public:
  // `key_columns`: an array for each key column, in key order, of the column's type (or one that it was widened from).
  // `key_prefix`: what each key starts with. Errors name table and column.
  static arrow::Result<RowKeys> Bind(const RowSchema& row_schema, std::string key_prefix,
                                     const std::vector<std::shared_ptr<arrow::Array>>& key_columns);

  int64_t rows() const { return rows_; }
  // Replaces `key` by that of row `i`. Invalid, naming the row, when its cells are none that a key can have (NULL, text
  // that is not UTF-8, ...). REQUIRES: 0 <= i < rows().
  arrow::Status Encode(int64_t i, std::string* key) const;
  // The first row whose key is not below `key`, or rows(). REQUIRES: keys ascend.
  arrow::Result<int64_t> LowerBound(std::string_view key) const;
  // The same from row `from` on, for whoever knows that those before are below. Looks nearby first.
  arrow::Result<int64_t> LowerBound(std::string_view key, int64_t from) const;
  // The first row whose key is above `key`, for whoever knows that row `last` and those behind are. Looks nearby first.
  arrow::Result<int64_t> FirstAbove(std::string_view key, int64_t last) const;

 private:
  RowKeys() = default;
  arrow::Result<int64_t> LowerBoundIn(std::string_view key, int64_t begin, int64_t end) const;
  std::string table_;
  std::string prefix_;
  std::vector<batch::EncodeOp> ops_;
  int64_t rows_ = 0;
};

}  // namespace yarrow::cold
