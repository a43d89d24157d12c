#include "catalog/definition_records.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace yarrow {
namespace {

using arrow::Status;

// Values of nested types as their bytes, which Parse reads as no others.
std::optional<std::string> ToText(const Value& value, const ColumnType& type) {
  if (value.is_null()) return std::nullopt;
  return value.ToString(type.is_nested() ? ColumnType(TypeId::kBinary) : type);
}

arrow::Result<Value> ToValue(const std::optional<std::string>& text, const ColumnType& type) {
  if (!text) return Value::Null();
  if (!type.is_nested()) return Value::Parse(*text, type);
  ARROW_ASSIGN_OR_RAISE(const Value bytes, Value::Parse(*text, TypeId::kBinary));
  return bytes.CastTo(type);
}

std::optional<std::string> ToText(const std::vector<FormerType>& types) {
  std::string text;
  for (const FormerType& former : types) {
    text += (text.empty() ? "" : "; ") + std::to_string(former.until) + " " + former.type.ToString();
  }
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

arrow::Result<std::vector<FormerType>> ParseFormerTypes(std::string_view text) {
  std::vector<FormerType> types;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find("; "));
    const size_t space = std::min(one.find(' '), one.size() - 1);
    FormerType former;
    const auto [end, error] = std::from_chars(one.data(), one.data() + space, former.until);
    if (error != std::errc() || end != one.data() + space) {
      return Status::Invalid("system.columns: '", text, "' are no former types of a column");
    }
    ARROW_ASSIGN_OR_RAISE(former.type, ColumnType::Parse(one.substr(space + 1)));
    types.push_back(std::move(former));
    text.remove_prefix(std::min(one.size() + 2, text.size()));
  }
  return types;
}

}  // namespace

ColumnRecord ToRecord(const TableDefinition& table, const ColumnDefinition& column, uint32_t position) {
  ColumnRecord record;
  record.schema_name = table.schema_name;
  record.table_name = table.name;
  record.column_name = column.name;
  record.position = position;
  record.type = column.type.ToString();
  record.nullable = column.nullable;
  record.default_value = ToText(column.default_value, column.type);
  if (!column.default_expression.empty()) record.default_expression = column.default_expression;
  const auto key = std::find(table.primary_key.begin(), table.primary_key.end(), column.id);
  if (key != table.primary_key.end()) record.key_position = static_cast<uint32_t>(key - table.primary_key.begin()) + 1;
  record.hidden = column.hidden;
  record.added_version = column.added_version;
  if (column.dropped_version != 0) record.dropped_version = column.dropped_version;
  record.initial_value = ToText(column.initial_value, column.type);
  record.former_types = ToText(column.former_types);
  record.comment = column.comment;
  record.collation = column.collation;
  return record;
}

ColumnRecord ToRecord(const TableDefinition& table, const GeneratedColumn& column) {
  ColumnRecord record;
  record.schema_name = table.schema_name;
  record.table_name = table.name;
  record.column_name = column.name;
  record.position = column.position + 1;
  record.type = column.type.ToString();
  record.generation_expression = column.expression;
  record.comment = column.comment;
  record.collation = column.collation;
  return record;
}

arrow::Result<GeneratedColumn> ToGenerated(uint32_t id, const ColumnRecord& record) {
  ARROW_ASSIGN_OR_RAISE(ColumnType type, ColumnType::Parse(record.type));
  return GeneratedColumn{.id = id,
                         .name = record.column_name,
                         .type = std::move(type),
                         .expression = *record.generation_expression,
                         .position = record.position - 1,
                         .comment = record.comment,
                         .collation = record.collation};
}

arrow::Result<ColumnDefinition> FromRecord(uint32_t id, const ColumnRecord& record) {
  ColumnDefinition column;
  column.id = id;
  column.name = record.column_name;
  ARROW_ASSIGN_OR_RAISE(column.type, ColumnType::Parse(record.type));
  column.nullable = record.nullable;
  column.hidden = record.hidden;
  column.added_version = record.added_version;
  column.dropped_version = record.dropped_version.value_or(0);
  column.comment = record.comment;
  column.collation = record.collation;
  ARROW_ASSIGN_OR_RAISE(column.default_value, ToValue(record.default_value, column.type));
  column.default_expression = record.default_expression.value_or("");
  ARROW_ASSIGN_OR_RAISE(column.initial_value, ToValue(record.initial_value, column.type));
  ARROW_ASSIGN_OR_RAISE(column.former_types, ParseFormerTypes(record.former_types.value_or("")));
  return column;
}

IndexRecord ToRecord(const TableDefinition& table, const IndexDefinition& index) {
  IndexRecord record;
  record.schema_name = table.schema_name;
  record.table_name = table.name;
  record.index_name = index.name;
  record.column_ids = index.columns;
  record.columns = table.ColumnsOf(index);
  record.unique = index.unique;
  record.comment = index.comment;
  record.is_building = index.is_building;
  if (index.references) {
    record.referenced_table_id = index.references->table_id;
    record.referenced_column_ids = index.references->columns;
  }
  for (const IndexExpression& expression : index.expressions) {
    record.expressions.push_back(expression.sql);
    record.expression_types.push_back(expression.type.ToString());
  }
  record.expression_column_ids = index.expression_columns;
  return record;
}

arrow::Result<IndexDefinition> FromRecord(uint32_t id, IndexRecord record) {
  IndexDefinition index{.id = id,
                        .name = std::move(record.index_name),
                        .columns = std::move(record.column_ids),
                        .unique = record.unique,
                        .comment = std::move(record.comment)};
  if (record.referenced_table_id) {
    index.references = {.table_id = *record.referenced_table_id,
                        .columns = std::move(record.referenced_column_ids),
                        .table_name = {},
                        .column_names = {}};
  }
  for (size_t i = 0; i < record.expressions.size() && i < record.expression_types.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ColumnType type, ColumnType::Parse(record.expression_types[i]));
    index.expressions.push_back({.sql = std::move(record.expressions[i]), .type = std::move(type)});
  }
  index.expression_columns = std::move(record.expression_column_ids);
  return index;
}

}  // namespace yarrow
