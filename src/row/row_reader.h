// Single cells of single rows, as Values: for lookups and updates. Scans use the decoder of batch/, which makes no
// Values.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <string>
#include <string_view>
#include <vector>

#include "row/row_schema.h"

namespace yarrow {

// The value of one column (a position in schema.columns()) of a row. `key` is whole. Errors name table, column and key.
arrow::Result<Value> ReadColumn(const RowSchema& schema, std::string_view key, std::string_view row, int column);

// A row whose shape was checked once, for reading several columns. Points into the row and the schema.
class CheckedRow {
 public:
  static arrow::Result<CheckedRow> Make(const RowSchema& schema, std::string_view key, std::string_view row);
  arrow::Result<Value> Read(int column) const;

 private:
  CheckedRow(const RowSchema& schema, const RowSchema::Version& version, std::string_view key, std::string_view row)
      : schema_(&schema), version_(&version), key_(key), row_(row) {}

  const RowSchema* schema_;
  const RowSchema::Version* version_;
  std::string_view key_, row_;
};

// All columns in order.
arrow::Result<std::vector<Value>> ReadColumns(const RowSchema& schema, std::string_view key, std::string_view row);

// Sets the deleted bit. REQUIRES: row->size() >= kRowHeaderSize.
inline void MarkRowDeleted(std::string* row) {
  (*row)[1] = static_cast<char>((*row)[1] | kRowDeleted);
}

}  // namespace yarrow
