#include "catalog/table_schema.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catalog/tier_policy_check.h"
#include "type/type_traits.h"

namespace yarrow {
namespace {

using arrow::Status;

bool AliveAt(const ColumnDefinition& column, uint32_t version) {
  return column.added_version <= version && (column.dropped_version == 0 || version < column.dropped_version);
}

const ColumnType& TypeAt(const ColumnDefinition& column, uint32_t version) {
  const auto former =
      std::ranges::find_if(column.former_types, [&](const FormerType& type) { return version < type.until; });
  return former == column.former_types.end() ? column.type : former->type;
}

RowColumn ToRowColumn(const ColumnDefinition& column) {
  return {.id = column.id,
          .name = column.name,
          .type = column.type,
          .nullable = column.nullable,
          .default_value = column.default_value,
          .default_expression = column.default_expression,
          .initial_value = column.initial_value};
}

RowVersion MakeVersion(const TableDefinition& definition, uint32_t version) {
  std::vector<RowColumn> alive;
  const auto add = [&](const ColumnDefinition& column) {
    if (!AliveAt(column, version)) return;
    alive.push_back(ToRowColumn(column));
    alive.back().type = TypeAt(column, version);
  };
  for (const ColumnDefinition& column : definition.columns) add(column);
  for (const auto& column : definition.dropped_columns) add(*column);
  std::sort(alive.begin(), alive.end(), [](const RowColumn& a, const RowColumn& b) { return a.id < b.id; });
  RowVersion made;
  made.version = version;
  made.column_ids = RowSchema::StoredColumnIds(alive, definition.primary_key);
  for (uint32_t id : made.column_ids) {
    const auto at = std::find_if(alive.begin(), alive.end(), [id](const RowColumn& c) { return c.id == id; });
    made.types.push_back(at->type);
  }
  return made;
}

Status CheckName(const std::string& table, const std::string& what, const std::string& name) {
  if (name.empty()) return Status::Invalid("Table ", table, ": a ", what, " has an empty name");
  if (name.find('\0') != std::string::npos) {
    return Status::Invalid("Table ", table, ": the name of a ", what, " has a zero byte in it");
  }
  return Status::OK();
}

}  // namespace

std::string FoldCase(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

uint32_t SqlPosition(const TableDefinition& definition, size_t column) {
  auto position = static_cast<uint32_t>(column);
  for (const GeneratedColumn& generated : definition.generated_columns) {
    if (generated.position <= position) ++position;
  }
  return position;
}

std::optional<size_t> ColumnAtSqlPosition(const TableDefinition& definition, uint64_t position) {
  size_t before = 0;
  for (const GeneratedColumn& generated : definition.generated_columns) {
    if (generated.position == position) return std::nullopt;
    if (generated.position < position) ++before;
  }
  return static_cast<size_t>(position) - before;
}

Status CheckTableName(const std::string& table, const std::string& name) {
  return CheckName(table, "table", name);
}

Status CheckColumnName(const std::string& table, const std::string& name) {
  ARROW_RETURN_NOT_OK(CheckName(table, "column", name));
  if (name != kRowIdColumn) return Status::OK();
  return Status::Invalid("Table ", table, ": the column name '", name,
                         "' is taken by the row id of tables without a primary key; choose another");
}

arrow::Result<Value> DefaultFor(const std::string& table, const std::string& column, const Value& value,
                                const ColumnType& type) {
  auto fitting = value.CastTo(type);
  if (fitting.ok()) return fitting;
  return fitting.status().WithMessage("Table ", table, ", column '", column,
                                      "': the default does not fit: ", fitting.status().message());
}

arrow::Result<ColumnDefinition> DefineColumn(const std::string& table, const ColumnSpec& spec, uint32_t id) {
  ARROW_RETURN_NOT_OK(CheckColumnName(table, spec.name));
  ColumnDefinition column;
  column.id = id;
  column.name = spec.name;
  column.type = spec.type;
  column.nullable = spec.nullable;
  ARROW_ASSIGN_OR_RAISE(column.default_value, DefaultFor(table, spec.name, spec.default_value, spec.type));
  column.default_expression = spec.default_expression;
  column.comment = spec.comment;
  column.collation = spec.collation;
  return column;
}

arrow::Result<std::shared_ptr<const RowSchema>> MakeRowSchema(const TableDefinition& definition,
                                                              size_t key_prefix_size) {
  RowSchema::Options options;
  options.table_name = definition.QualifiedName();
  for (const ColumnDefinition& column : definition.columns) options.columns.push_back(ToRowColumn(column));
  options.key_column_ids = definition.primary_key;
  options.has_hidden_key = definition.has_hidden_row_id();
  options.key_prefix_size = key_prefix_size;
  options.versions.push_back(MakeVersion(definition, definition.schema_version));
  if (definition.schema_version > 1) {
    options.former = [history = std::make_shared<const TableDefinition>(definition)](uint32_t version) {
      const bool was_there = version >= 1 && version < history->schema_version;
      return was_there ? std::optional(MakeVersion(*history, version)) : std::nullopt;
    };
  }
  return RowSchema::Make(std::move(options));
}

namespace {

// Of `what` on the table: the column of that name.
arrow::Result<const ColumnDefinition*> IndexedColumn(const TableDefinition& table, const std::string& what,
                                                     const std::string& name) {
  const auto column = std::ranges::find_if(
      table.columns, [&](const ColumnDefinition& c) { return !c.hidden && FoldCase(c.name) == FoldCase(name); });
  if (column != table.columns.end()) return &*column;
  return Status::KeyError("Table ", table.QualifiedName(), ": ", what, " names '", name,
                          "', which is not a column with values");
}

Status CheckIndexed(const TableDefinition& table, const std::string& what, const std::string& part,
                    const ColumnType& type) {
  const Status status = KeyCodec::Make({{.type = type, .nullable = true}}).status();
  if (status.ok()) return status;
  return status.WithMessage(KeyTypeRefusal(type), " Table ", table.QualifiedName(), ": ", what, " names ", part,
                            ", but values of type ", type.ToString(), " cannot be in a key");
}

}  // namespace

arrow::Result<IndexDefinition> DefineIndex(const TableDefinition& table, const IndexSpec& spec, uint32_t id) {
  const std::string name = table.QualifiedName();
  const std::string constraint = spec.references ? "FOREIGN KEY" : "UNIQUE constraint";
  const std::string what = spec.name.empty() ? constraint : "index '" + spec.name + "'";
  if (spec.name.find('\0') != std::string::npos) return CheckName(name, "index", spec.name);
  if (spec.columns.empty()) return Status::Invalid("Table ", name, ": ", what, " names no column");
  IndexDefinition index{.id = id, .name = spec.name, .columns = {}, .unique = spec.unique, .comment = spec.comment};
  if (std::ranges::count(spec.columns, "") != std::ssize(spec.expressions)) {
    return Status::Invalid("Table ", name, ": ", what, " has a column with an empty name");
  }
  index.expressions = spec.expressions;
  for (const IndexExpression& one : spec.expressions) {
    ARROW_RETURN_NOT_OK(CheckIndexed(table, what, "(" + one.sql + ")", one.type));
  }
  for (const std::string& one : spec.expression_columns) {
    ARROW_ASSIGN_OR_RAISE(const ColumnDefinition* const column, IndexedColumn(table, what, one));
    index.expression_columns.push_back(column->id);
  }
  for (const std::string& one : spec.columns) {
    if (one.empty()) {
      index.columns.push_back(0);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const ColumnDefinition* const column, IndexedColumn(table, what, one));
    if (std::ranges::count(index.columns, column->id) > 0) {
      if (!spec.name.empty()) continue;  // a column adds nothing the second time: DuckDB takes such an index
      return Status::Invalid("Table ", name, ": ", what, " names column '", one, "' twice");
    }
    index.columns.push_back(column->id);
    ARROW_RETURN_NOT_OK(CheckIndexed(table, what, "column '" + one + "'", column->type));
  }
  return index;
}

arrow::Result<TableDefinition> DefineTable(const TableSpec& spec, uint32_t id) {
  TableDefinition definition;
  definition.id = id;
  definition.schema_name = spec.schema_name;
  definition.name = spec.name;
  definition.kind = spec.kind;
  const std::string table = definition.QualifiedName();
  ARROW_RETURN_NOT_OK(CheckTableName(table, spec.name));
  if (spec.kind == TableKind::kSystem) return Status::Invalid("Table ", table, ": system tables cannot be created");
  if (spec.columns.empty()) return Status::Invalid("Table ", table, " needs at least one column");

  std::set<std::string> names;
  uint32_t next_column_id = 1;
  for (const ColumnSpec& column : spec.columns) {
    ARROW_ASSIGN_OR_RAISE(ColumnDefinition made, DefineColumn(table, column, next_column_id++));
    if (!names.insert(FoldCase(column.name)).second) {
      return Status::Invalid("Table ", table, " has two columns named '", column.name,
                             "' (case does not tell them apart)");
    }
    definition.columns.push_back(std::move(made));
  }
  for (const std::string& key : spec.primary_key) {
    const auto at = std::find_if(definition.columns.begin(), definition.columns.end(),
                                 [&](const ColumnDefinition& c) { return FoldCase(c.name) == FoldCase(key); });
    if (at == definition.columns.end()) {
      return Status::Invalid("Table ", table, ": the primary key names '", key, "', which is not a column");
    }
    if (std::count(definition.primary_key.begin(), definition.primary_key.end(), at->id) > 0) {
      return Status::Invalid("Table ", table, ": the primary key names column '", key, "' twice");
    }
    at->nullable = false;
    definition.primary_key.push_back(at->id);
  }
  // Their ids come behind those of the columns, which count from 1.
  for (const GeneratedColumn& column : spec.generated_columns) {
    ARROW_RETURN_NOT_OK(CheckColumnName(table, column.name));
    if (!names.insert(FoldCase(column.name)).second) {
      return Status::Invalid("Table ", table, " has two columns named '", column.name,
                             "' (case does not tell them apart)");
    }
    definition.generated_columns.push_back(column);
    definition.generated_columns.back().id = next_column_id++;
  }
  definition.checks = spec.checks;
  definition.comment = spec.comment;
  if (definition.primary_key.empty()) {
    ColumnDefinition row_id;
    row_id.id = next_column_id;
    row_id.name = kRowIdColumn;
    row_id.type = TypeId::kInt64;
    row_id.nullable = false;
    row_id.hidden = true;
    definition.primary_key.push_back(row_id.id);
    definition.columns.push_back(std::move(row_id));
  }
  for (const IndexSpec& index : spec.indexes) {
    ARROW_ASSIGN_OR_RAISE(IndexDefinition made, DefineIndex(definition, index, ++id));
    definition.indexes.push_back(std::move(made));
  }
  definition.policy = spec.policy;
  ARROW_RETURN_NOT_OK(CheckTierPolicy(definition, &definition.policy));
  return definition;
}

}  // namespace yarrow
