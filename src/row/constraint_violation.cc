#include "row/constraint_violation.h"

#include <memory>
#include <utility>

namespace yarrow {
namespace {

constexpr const char* kTypeId = "yarrow::ConstraintViolation";

arrow::Status WithText(const arrow::Status& status, std::string sql_text) {
  return status.WithDetail(std::make_shared<ConstraintViolation>(std::move(sql_text)));
}

// "t" of main.t.
std::string NameInSchema(const std::string& qualified) {
  return qualified.substr(qualified.find('.') + 1);
}

// "a: 1, b: x"
std::string ListKey(const RowSchema& schema, std::string_view key) {
  if (key.size() < schema.key_prefix_size()) return {};
  const auto values = schema.key_codec().Decode(key.substr(schema.key_prefix_size()));
  if (!values.ok()) return {};
  std::string text;
  for (size_t i = 0; i < values->size(); ++i) {
    const RowColumn& column = schema.columns()[static_cast<size_t>(schema.key_columns()[i])];
    text += (i == 0 ? "" : ", ") + column.name + ": " + (*values)[i].ToString(column.type);
  }
  return text;
}

}  // namespace

const char* ConstraintViolation::type_id() const {
  return kTypeId;
}

arrow::Status NotNullViolation(const RowSchema& schema, int column, std::string message) {
  const std::string& name = schema.columns()[static_cast<size_t>(column)].name;
  return WithText(arrow::Status::Invalid(std::move(message)),
                  "NOT NULL constraint failed: " + NameInSchema(schema.table_name()) + "." + name);
}

arrow::Status KeyViolation(const RowSchema& schema, std::string_view key, std::string message) {
  return WithText(arrow::Status::AlreadyExists(std::move(message)),
                  "Duplicate key \"" + ListKey(schema, key) + "\" violates primary key constraint.");
}

arrow::Status RepeatedKeyViolation(const RowSchema& schema, std::string_view key, std::string message) {
  return WithText(arrow::Status::AlreadyExists(std::move(message)),
                  "PRIMARY KEY or UNIQUE constraint violation: duplicate key \"" + ListKey(schema, key) + "\"");
}

arrow::Status UniqueViolation(std::string_view values, std::string message) {
  return WithText(arrow::Status::AlreadyExists(std::move(message)),
                  "Duplicate key \"" + std::string(values) + "\" violates unique constraint.");
}

arrow::Status RepeatedUniqueViolation(std::string_view values, std::string message) {
  return WithText(arrow::Status::AlreadyExists(std::move(message)),
                  "PRIMARY KEY or UNIQUE constraint violation: duplicate key \"" + std::string(values) + "\"");
}

arrow::Status DuplicateDataViolation(std::string message) {
  return WithText(arrow::Status::AlreadyExists(std::move(message)), "Data contains duplicates on indexed column(s)");
}

arrow::Status ForeignKeyViolation(std::string sql_text, std::string message) {
  return WithText(arrow::Status::Invalid(std::move(message)), std::move(sql_text));
}

const ConstraintViolation* FindConstraintViolation(const arrow::Status& status) {
  const auto& detail = status.detail();
  if (detail == nullptr || std::string_view(detail->type_id()) != kTypeId) return nullptr;
  return static_cast<const ConstraintViolation*>(detail.get());
}

}  // namespace yarrow
