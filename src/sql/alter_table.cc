#include "sql/alter_table.h"

#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/parsed_data/comment_on_column_info.hpp>
#include <duckdb/planner/binder.hpp>

#include <algorithm>

#include "catalog/table_schema.h"
#include "sql/create_index.h"
#include "sql/create_table.h"
#include "sql/struct_fields.h"
#include "sql/table_expressions.h"
#include "sql/table_options.h"

namespace yarrow::sql {
namespace {

using duckdb::AlterTableType;

std::string Where(const TableDefinition& table, const std::string& column = {}) {
  return "table " + table.QualifiedName() + (column.empty() ? "" : ": column " + column);
}

// What the parser found by name, as a type with all its parts.
void BindType(duckdb::ClientContext& context, duckdb::LogicalType& type) {
  duckdb::Binder::CreateBinder(context)->BindLogicalType(type);
}

// The columns that SQL shows, in no order.
std::vector<std::string> ColumnNames(const TableDefinition& table) {
  std::vector<std::string> names;
  for (size_t i = 0; i < table.visible_columns(); ++i) names.push_back(table.columns[i].name);
  for (const GeneratedColumn& column : table.generated_columns) names.push_back(column.name);
  return names;
}

bool HasColumn(const TableDefinition& table, const std::string& column) {
  return std::ranges::any_of(ColumnNames(table),
                             [&](const std::string& name) { return FoldCase(name) == FoldCase(column); });
}

[[noreturn]] void ThrowColumnExists(const TableDefinition& table, const std::string& column) {
  throw duckdb::CatalogException("Column with name %s already exists! It is a column of %s", column, Where(table));
}

bool IsGenerated(const TableDefinition& table, const std::string& column) {
  return std::ranges::any_of(table.generated_columns, [&](const GeneratedColumn& generated) {
    return FoldCase(generated.name) == FoldCase(column);
  });
}

void CheckColumn(const TableDefinition& table, const std::string& column, bool if_exists = false) {
  if (if_exists || HasColumn(table, column)) return;
  std::string known;
  for (const std::string& name : ColumnNames(table)) known += (known.empty() ? "" : ", ") + name;
  throw duckdb::BinderException("Table \"" + table.name + "\" does not have a column with name \"" + column +
                                "\"; the columns of " + table.QualifiedName() + " are: " + known);
}

AddColumn MakeAddColumn(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                        const TableDefinition& table, duckdb::AddColumnInfo& info) {
  const std::string& name = info.new_column.Name();
  if (HasColumn(table, name) && !info.if_column_not_exists) ThrowColumnExists(table, name);
  BindType(context, info.new_column.TypeMutable());
  AddColumn add{.column = MakeColumnSpec(context, schema, table.QualifiedName(), info.new_column),
                .if_not_exists = info.if_column_not_exists};
  if (!add.column.default_expression.empty() && !HasColumn(table, name)) {
    add.column.default_value = DefaultNow(context, schema, info.new_column.DefaultValue(), add.column.type);
  }
  return add;
}

// What needs no row to be written anew: sql/rewrite_table.h has seen the statement before.
WidenColumn MakeWidenColumn(duckdb::ClientContext& context, const TableDefinition& table,
                            duckdb::ChangeColumnTypeInfo& info) {
  CheckColumn(table, info.column_name);
  BindType(context, info.target_type);
  return {.name = info.column_name,
          .type = DeclaredType(Where(table, info.column_name), info.target_type),
          .expressions = AfterTypeChange(table, info.column_name),
          .collation = CollationOf(info.target_type)};
}

SetColumnDefault MakeSetDefault(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                                const TableDefinition& table, const duckdb::SetDefaultInfo& info) {
  CheckColumn(table, info.column_name);
  if (IsGenerated(table, info.column_name)) {
    throw duckdb::BinderException("Cannot SET DEFAULT for generated column \"%s\"", info.column_name);
  }
  if (info.expression == nullptr) return {.name = info.column_name, .value = {}};
  const auto column = std::ranges::find_if(
      table.columns, [&](const ColumnDefinition& one) { return FoldCase(one.name) == FoldCase(info.column_name); });
  ColumnDefault made = MakeDefault(context, schema, *info.expression, column->type);
  return {.name = info.column_name, .value = std::move(made.value), .expression = std::move(made.expression)};
}

TableAlteration MakeTableAlteration(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                                    const TableDefinition& table, duckdb::AlterTableInfo& info) {
  switch (info.alter_table_type) {
    case AlterTableType::ADD_COLUMN:
      return MakeAddColumn(context, schema, table, info.Cast<duckdb::AddColumnInfo>());
    case AlterTableType::REMOVE_COLUMN: {
      const auto& remove = info.Cast<duckdb::RemoveColumnInfo>();
      CheckColumn(table, remove.removed_column, remove.if_column_exists);
      DropColumn drop{.name = remove.removed_column, .if_exists = remove.if_column_exists};
      drop.expressions = AfterDrop(table, remove.removed_column, remove.cascade);
      if (table.visible_columns() == 1 && FoldCase(table.columns[0].name) == FoldCase(remove.removed_column)) {
        throw duckdb::CatalogException("Cannot drop column: table only has one column remaining! DROP TABLE drops %s",
                                       Where(table));
      }
      CheckMayDrop(table, remove.removed_column);
      return drop;
    }
    case AlterTableType::RENAME_COLUMN: {
      const auto& rename = info.Cast<duckdb::RenameColumnInfo>();
      CheckColumn(table, rename.old_name);
      if (HasColumn(table, rename.new_name) && FoldCase(rename.new_name) != FoldCase(rename.old_name)) {
        ThrowColumnExists(table, rename.new_name);
      }
      return RenameColumn{.name = rename.old_name,
                          .new_name = rename.new_name,
                          .expressions = AfterRename(table, rename.old_name, rename.new_name)};
    }
    case AlterTableType::ALTER_COLUMN_TYPE:
      return MakeWidenColumn(context, table, info.Cast<duckdb::ChangeColumnTypeInfo>());
    case AlterTableType::SET_DEFAULT:
      return MakeSetDefault(context, schema, table, info.Cast<duckdb::SetDefaultInfo>());
    case AlterTableType::DROP_NOT_NULL: {
      const auto& column = info.Cast<duckdb::DropNotNullInfo>().column_name;
      CheckColumn(table, column);
      if (IsGenerated(table, column)) return SetTierPolicy{table.policy};  // it has none: changes nothing
      return DropNotNull{.name = column};
    }
    case AlterTableType::RENAME_TABLE:
      return RenameTable{.new_name = info.Cast<duckdb::RenameTableInfo>().new_table_name};
    case AlterTableType::SET_TABLE_OPTIONS:
      return SetTierPolicy{SetTableOptions(table.QualifiedName(),
                                           info.Cast<duckdb::SetTableOptionsInfo>().table_options,
                                           /*is_new=*/false, table.policy)};
    case AlterTableType::RESET_TABLE_OPTIONS:
      return SetTierPolicy{ResetTableOptions(table.QualifiedName(),
                                             info.Cast<duckdb::ResetTableOptionsInfo>().table_options, table.policy)};
    case AlterTableType::SET_NOT_NULL: {
      const auto& column = info.Cast<duckdb::SetNotNullInfo>().column_name;
      CheckColumn(table, column);
      if (IsGenerated(table, column)) throw duckdb::BinderException("Unsupported constraint for generated column!");
      return SetNotNull{.name = column};
    }
    case AlterTableType::ADD_FIELD:
    case AlterTableType::REMOVE_FIELD:
    case AlterTableType::RENAME_FIELD:
      if (!HasColumn(table, *ColumnOfFieldChange(info))) {
        throw duckdb::CatalogException("Struct column \"%s\" does not exist in %s", *ColumnOfFieldChange(info),
                                       Where(table));
      }
      return SetTierPolicy{table.policy};  // IF [NOT] EXISTS, and there is nothing to do: changes nothing
    default:
      throw duckdb::NotImplementedException(
          Where(table) +
          ": this form of ALTER TABLE is not supported; there are ADD, DROP, RENAME and ALTER COLUMN "
          "(TYPE, SET DEFAULT, DROP DEFAULT, SET NOT NULL, DROP NOT NULL), ADD PRIMARY KEY, SET (option = value), "
          "RESET (option) and RENAME TO");
  }
}

}  // namespace

bool IsPlainCast(duckdb::ClientContext& context, duckdb::ChangeColumnTypeInfo& info) {
  BindType(context, info.target_type);
  if (info.expression == nullptr) return true;
  if (info.expression->GetExpressionClass() != duckdb::ExpressionClass::CAST) return false;
  const auto& cast = info.expression->Cast<duckdb::CastExpression>();
  duckdb::LogicalType type = cast.cast_type;
  BindType(context, type);
  if (cast.try_cast || type != info.target_type) return false;
  const auto& child = *cast.child;
  return child.GetExpressionType() == duckdb::ExpressionType::COLUMN_REF &&
         FoldCase(child.Cast<duckdb::ColumnRefExpression>().GetColumnName()) == FoldCase(info.column_name);
}

TableAlteration MakeAlteration(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                               const TableDefinition& table, duckdb::AlterInfo& info) {
  switch (info.type) {
    case duckdb::AlterType::ALTER_TABLE:
      return MakeTableAlteration(context, schema, table, info.Cast<duckdb::AlterTableInfo>());
    case duckdb::AlterType::SET_COMMENT:
      return SetComment{.column = {}, .comment = CommentOf(info.Cast<duckdb::SetCommentInfo>().comment_value)};
    case duckdb::AlterType::SET_COLUMN_COMMENT: {
      const auto& comment = info.Cast<duckdb::SetColumnCommentInfo>();
      CheckColumn(table, comment.column_name);
      return SetComment{.column = comment.column_name, .comment = CommentOf(comment.comment_value)};
    }
    default:
      throw duckdb::NotImplementedException(Where(table) + ": a table cannot be owned by another");
  }
}

}  // namespace yarrow::sql
