// RowEncoder: Arrow batches or Values in, encoded keys and rows out: the way into a table.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <span>
#include <string>

#include "row/row_schema.h"

namespace yarrow {

// One a thread; not thread-safe. Writes rows of the table's current version.
class RowEncoder {
 public:
  // `key_prefix`: what each key starts with; its size is row_schema->key_prefix_size().
  RowEncoder(std::shared_ptr<const RowSchema> row_schema, std::string key_prefix);
  ~RowEncoder();

  // One row from values in column order (any form that Value::CastTo takes). Errors name table, column, key and value:
  // NULL in a column that is not nullable (a ConstraintViolation), a value that does not fit, the wrong number of
  // values.
  arrow::Status EncodeValues(std::span<const Value> values, std::string* key, std::string* row);
  // Only the key, from the values of the key columns in key order.
  arrow::Status EncodeKey(std::span<const Value> key_values, std::string* key);

  // Prepares for rows of `batch`: its columns are found by name (exact, then any case), missing ones get their default,
  // unknown ones are an error; columns of another type are cast by Arrow's safe cast, and a value that does not fit is
  // an error naming column, row key and value. The batch must outlive the EncodeRow calls.
  arrow::Status BindBatch(const arrow::RecordBatch& batch);
  // From now on BindBatch takes batches that lack columns that are NOT NULL and have no default: they are NULL in the
  // rows, which must not be stored. For readers that want some columns only.
  void AllowMissingColumns();
  // Row `i` of the bound batch; reuses the strings' memory.
  arrow::Status EncodeRow(int64_t i, std::string* key, std::string* row);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yarrow
