#include "yarrow/row.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "batch/array_form.h"
#include "batch/batch_builder.h"
#include "row/row_reader.h"
#include "type/type_traits.h"

namespace yarrow {

using arrow::Status;

Row::Row(std::shared_ptr<const RowSchema> row_schema, std::shared_ptr<arrow::Schema> visible_schema, std::string key,
         PinnedValue bytes)
    : row_schema_(std::move(row_schema)),
      visible_schema_(std::move(visible_schema)),
      key_(std::move(key)),
      is_pinned_(true),
      pinned_(std::move(bytes)) {}

Row::Row(std::shared_ptr<const RowSchema> row_schema, std::shared_ptr<arrow::Schema> visible_schema, std::string key,
         std::string bytes)
    : row_schema_(std::move(row_schema)),
      visible_schema_(std::move(visible_schema)),
      key_(std::move(key)),
      is_pinned_(false),
      owned_(std::move(bytes)) {}

arrow::Result<Value> Row::Get(int column) const {
  if (column < 0 || column >= visible_schema_->num_fields()) {
    return Status::IndexError("Table ", row_schema_->table_name(), " has no column number ", column, "; it has ",
                              visible_schema_->num_fields(), " columns, counted from 0");
  }
  return ReadColumn(*row_schema_, key_, encoded_row(), column);
}

arrow::Result<Value> Row::Get(std::string_view column_name) const {
  const int column = row_schema_->FindColumn(column_name);
  if (column < 0 || column >= visible_schema_->num_fields()) {
    return Status::KeyError("Table ", row_schema_->table_name(), " has no column '", column_name, "'");
  }
  return Get(column);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Row::ToBatch() const {
  std::vector<int> columns(static_cast<size_t>(visible_schema_->num_fields()));
  std::iota(columns.begin(), columns.end(), 0);
  std::vector<ColumnType> types;
  for (const int column : columns) types.push_back(row_schema_->columns()[static_cast<size_t>(column)].type);
  const bool is_as_in_batches = std::ranges::all_of(types, IsBatchTypeArrow);
  auto schema = is_as_in_batches ? visible_schema_ : ProjectedSchema(*row_schema_, columns);
  ARROW_ASSIGN_OR_RAISE(auto builder, BatchBuilder::Make(row_schema_, std::move(columns), std::move(schema)));
  ARROW_RETURN_NOT_OK(builder->Reserve(1));
  ARROW_RETURN_NOT_OK(builder->Append(key_, encoded_row()));
  ARROW_ASSIGN_OR_RAISE(auto batch, builder->Finish());
  return is_as_in_batches ? batch : batch::ToUserBatch(*batch, visible_schema_, types);
}

}  // namespace yarrow
