#include "cold/column_source.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "batch/batch_builder.h"
#include "batch/bound_column.h"
#include "cold/segment_schema.h"

namespace yarrow::cold {

arrow::Result<ColumnSource> ColumnSource::Make(const Segment& segment, std::shared_ptr<const RowSchema> row_schema,
                                               std::vector<int> columns) {
  ColumnSource source;
  const uint32_t newest = row_schema->current().layout.schema_version();
  if (segment.info().schema_version > newest) {
    return segment.InFile(arrow::Status::Invalid("it has schema version ", segment.info().schema_version,
                                                 ", which this definition of table ", row_schema->table_name(),
                                                 " does not know (its newest is ", newest,
                                                 "): if the table was altered, open it again"));
  }
  for (const int number : columns) {
    const RowColumn& column = row_schema->columns()[static_cast<size_t>(number)];
    const int file_column = segment.FindColumn(column.id);
    if (file_column < 0) {
      if (!column.nullable && column.older_value().is_null()) {
        return segment.InFile(arrow::Status::Invalid("it has no column ", column.name, " of table ",
                                                     row_schema->table_name(),
                                                     ", which is NOT NULL and has no default"));
      }
      source.places_.push_back(-1);
      continue;
    }
    const auto known = std::ranges::find(source.file_columns_, file_column);
    source.places_.push_back(static_cast<int>(known - source.file_columns_.begin()));
    if (known == source.file_columns_.end()) source.file_columns_.push_back(file_column);
  }
  for (const int number : row_schema->key_columns()) {
    const RowColumn& column = row_schema->columns()[static_cast<size_t>(number)];
    const int file_column = segment.FindColumn(column.id);
    if (file_column < 0) {
      return segment.InFile(arrow::Status::Invalid("it has no column ", column.name, ", a key column of table ",
                                                   row_schema->table_name()));
    }
    source.key_file_columns_.push_back(file_column);
  }
  source.schema_ = ProjectedSchema(*row_schema, columns);
  source.columns_ = std::move(columns);
  source.row_schema_ = std::move(row_schema);
  return source;
}

arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> ColumnSource::Assemble(
    const std::vector<std::shared_ptr<arrow::Array>>& arrays, int64_t rows) const {
  std::vector<std::shared_ptr<arrow::Array>> assembled;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const RowColumn& column = row_schema_->columns()[static_cast<size_t>(columns_[i])];
    auto array = places_[i] < 0 ? RepeatValue(column.older_value(), column.type, rows)
                                : FromStored(arrays[static_cast<size_t>(places_[i])], column.type);
    if (!array.ok()) return InColumn(array.status(), i);
    assembled.push_back(*std::move(array));
  }
  return assembled;
}

// Threads that read rows side by side must not count references to the same types, schemas and buffers.
arrow::Result<Value> ColumnSource::ReadCell(const arrow::Array& array, size_t column, int64_t row) const {
  const ColumnType& type = row_schema_->columns()[static_cast<size_t>(columns_[column])].type;
  if (array.type()->Equals(*schema_->field(static_cast<int>(column))->type())) {
    return batch::ReadCell(array, type, row);
  }
  ARROW_ASSIGN_OR_RAISE(const auto cell, FromStored(array.Slice(row, 1), type));
  return batch::ReadCell(*cell, type, 0);
}

arrow::Result<std::vector<Value>> ColumnSource::ReadRow(const std::vector<std::shared_ptr<arrow::Array>>& arrays,
                                                        int64_t row) const {
  std::vector<Value> values;
  values.reserve(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (places_[i] < 0) {
      values.push_back(row_schema_->columns()[static_cast<size_t>(columns_[i])].older_value());
      continue;
    }
    const int file_column = file_columns_[static_cast<size_t>(places_[i])];
    auto value = ReadCell(*arrays[static_cast<size_t>(file_column)], i, row);
    if (!value.ok()) return InColumn(value.status(), i);
    values.push_back(*std::move(value));
  }
  return values;
}

arrow::Status ColumnSource::InColumn(const arrow::Status& status, size_t column) const {
  return status.WithMessage("table ", row_schema_->table_name(), ", column ",
                            row_schema_->columns()[static_cast<size_t>(columns_[column])].name, ": ", status.message());
}

}  // namespace yarrow::cold
