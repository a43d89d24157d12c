#include "yarrow/table_definition.h"

#include <arrow/type.h>

#include <algorithm>
#include <utility>

namespace yarrow {

using arrow::Status;

std::string_view TableKindName(TableKind kind) {
  switch (kind) {
    case TableKind::kShared:
      return "shared";
    case TableKind::kUser:
      return "user";
    case TableKind::kSystem:
      return "system";
  }
  return "unknown";
}

arrow::Result<TableKind> ParseTableKind(std::string_view name) {
  for (TableKind kind : {TableKind::kShared, TableKind::kUser, TableKind::kSystem}) {
    if (name == TableKindName(kind)) return kind;
  }
  return Status::Invalid("'", name, "' is no kind of table; the kinds are shared, user and system");
}

arrow::Result<TableSpec> TableSpec::FromArrow(std::string_view qualified_name, const arrow::Schema& schema,
                                              std::vector<std::string> primary_key) {
  ARROW_ASSIGN_OR_RAISE(QualifiedName name, QualifiedName::Parse(qualified_name));
  TableSpec spec;
  spec.schema_name = std::move(name.schema_name);
  spec.name = std::move(name.name);
  spec.primary_key = std::move(primary_key);
  for (const auto& field : schema.fields()) {
    auto type = ColumnType::FromArrow(*field->type());
    if (!type.ok()) {
      return type.status().WithMessage("Table ", qualified_name, ", column '", field->name(),
                                       "': ", type.status().message());
    }
    ColumnSpec column;
    column.name = field->name();
    column.type = std::move(type).ValueUnsafe();
    column.nullable = field->nullable();
    spec.columns.push_back(std::move(column));
  }
  return spec;
}

std::shared_ptr<arrow::Schema> TableDefinition::ArrowSchema() const {
  arrow::FieldVector fields;
  for (size_t i = 0; i < visible_columns(); ++i) {
    fields.push_back(arrow::field(columns[i].name, columns[i].type.ToArrow(), columns[i].nullable));
  }
  return arrow::schema(std::move(fields));
}

std::string TableDefinition::ColumnsOf(const IndexDefinition& index) const {
  std::string names;
  auto expression = index.expressions.begin();
  for (const uint32_t number : index.columns) {
    const auto column = std::ranges::find(columns, number, &ColumnDefinition::id);
    const bool is_expression = number == 0 && expression != index.expressions.end();
    const std::string known = column == columns.end() ? "?" : column->name;
    names += (names.empty() ? "" : ", ") + (is_expression ? (expression++)->sql : known);
  }
  return names;
}

bool TableDefinition::IsMadeFrom(const IndexDefinition& index, const ColumnDefinition& column) {
  return std::ranges::count(index.columns, column.id) + std::ranges::count(index.expression_columns, column.id) > 0;
}

std::string TableDefinition::ConstraintText(const IndexDefinition& index) const {
  return (index.references ? "FOREIGN KEY (" : "UNIQUE (") + ColumnsOf(index) + ")";
}

namespace {

// Reads one name, quoted or bare, at the front of `text` and removes it.
arrow::Result<std::string> TakeName(std::string_view* text, std::string_view whole) {
  std::string name;
  if (text->empty() || text->front() != '"') {
    const size_t end = std::min(text->find('.'), text->size());
    name = text->substr(0, end);
    text->remove_prefix(end);
  } else {
    text->remove_prefix(1);
    while (true) {
      const size_t quote = text->find('"');
      if (quote == std::string_view::npos) return Status::Invalid("The table name ", whole, " has an open quote");
      name += text->substr(0, quote);
      text->remove_prefix(quote + 1);
      if (text->empty() || text->front() != '"') break;
      name += '"';  // a doubled quote stands for one
      text->remove_prefix(1);
    }
  }
  if (name.empty()) return Status::Invalid("'", whole, "' is not a table name; write table or schema.table");
  return name;
}

}  // namespace

arrow::Result<QualifiedName> QualifiedName::Parse(std::string_view text) {
  const std::string_view whole = text;
  ARROW_ASSIGN_OR_RAISE(std::string first, TakeName(&text, whole));
  if (text.empty()) return QualifiedName{"main", std::move(first)};
  if (text.front() != '.') return Status::Invalid("'", whole, "' is not a table name; write table or schema.table");
  text.remove_prefix(1);
  ARROW_ASSIGN_OR_RAISE(std::string second, TakeName(&text, whole));
  if (!text.empty()) return Status::Invalid("'", whole, "' is not a table name; write table or schema.table");
  return QualifiedName{std::move(first), std::move(second)};
}

}  // namespace yarrow
