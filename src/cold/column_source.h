// ColumnSource: how the columns that a reader wants of a segment come about: read from the file and widened where the
// table's type has grown since, or the default of a column that is younger than the file.
//
// Immutable, thread-safe.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "cold/segment.h"
#include "row/row_schema.h"

namespace yarrow::cold {

class ColumnSource {
 public:
  // `columns`: positions in row_schema->columns(), in output order. Invalid, naming the column, for one that is NOT
  // NULL, younger than the segment and without an initial value; for a key column that the file lacks; for a segment
  // of a later schema version than the row schema's.
  static arrow::Result<ColumnSource> Make(const Segment& segment, std::shared_ptr<const RowSchema> row_schema,
                                          std::vector<int> columns);

  const std::shared_ptr<const RowSchema>& row_schema() const { return row_schema_; }
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  const std::vector<int>& columns() const { return columns_; }
  // The columns of the file that Assemble wants, and those of the key in key order.
  const std::vector<int>& file_columns() const { return file_columns_; }
  const std::vector<int>& key_file_columns() const { return key_file_columns_; }

  // `arrays`: of file_columns() in their order, `rows` rows each. The output columns, of their types.
  arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> Assemble(
      const std::vector<std::shared_ptr<arrow::Array>>& arrays, int64_t rows) const;
  // One row of a part of the file, as values. `arrays`: by column of the file.
  arrow::Result<std::vector<Value>> ReadRow(const std::vector<std::shared_ptr<arrow::Array>>& arrays,
                                            int64_t row) const;

 private:
  arrow::Result<Value> ReadCell(const arrow::Array& array, size_t column, int64_t row) const;
  // With the names of table and column.
  arrow::Status InColumn(const arrow::Status& status, size_t column) const;

  std::shared_ptr<const RowSchema> row_schema_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> columns_;
  std::vector<int> places_;        // one an output column: which of file_columns_, or -1 for a default
  std::vector<int> file_columns_;  // without repetition
  std::vector<int> key_file_columns_;
};

}  // namespace yarrow::cold
