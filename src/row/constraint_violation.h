// The error of a row that breaks a constraint of its table, and what SQL says of it.
#pragma once

#include <arrow/status.h>

#include <string>
#include <string_view>

#include "row/row_schema.h"

namespace yarrow {

// Beside the status of such an error. Immutable.
class ConstraintViolation : public arrow::StatusDetail {
 public:
  explicit ConstraintViolation(std::string sql_text) : sql_text_(std::move(sql_text)) {}
  // DuckDB's words: NOT NULL constraint failed: t.a
  const std::string& sql_text() const { return sql_text_; }

  const char* type_id() const override;
  std::string ToString() const override { return sql_text_; }

 private:
  const std::string sql_text_;
};

// Each makes an error with `message`. Invalid: NULL in a column, by its number, that is NOT NULL.
arrow::Status NotNullViolation(const RowSchema& schema, int column, std::string message);
// AlreadyExists: a row of the table has the key, which is a whole one.
arrow::Status KeyViolation(const RowSchema& schema, std::string_view key, std::string message);
// AlreadyExists: several new rows have it.
arrow::Status RepeatedKeyViolation(const RowSchema& schema, std::string_view key, std::string message);

// The same of a unique index; `values`: "a: 1, b: x".
arrow::Status UniqueViolation(std::string_view values, std::string message);
arrow::Status RepeatedUniqueViolation(std::string_view values, std::string message);

// Rows that are there share values of a unique index that is to be made.
arrow::Status DuplicateDataViolation(std::string message);

// Invalid: a row refers to a key that no row has. `sql_text`: DuckDB's words.
arrow::Status ForeignKeyViolation(std::string sql_text, std::string message);

// Null for other errors. Lives as long as the status.
const ConstraintViolation* FindConstraintViolation(const arrow::Status& status);

}  // namespace yarrow
