#include "sql/alter_table.h"

#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/planner/binder.hpp>

#include <algorithm>

#include "catalog/table_schema.h"
#include "sql/create_table.h"
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

AddColumn MakeAddColumn(duckdb::ClientContext& context, const TableDefinition& table, duckdb::AddColumnInfo& info) {
  BindType(context, info.new_column.TypeMutable());
  return {.column = MakeColumnSpec(context, table.QualifiedName(), info.new_column),
          .if_not_exists = info.if_column_not_exists};
}

void CheckColumn(const TableDefinition& table, const std::string& column, bool if_exists = false) {
  std::string known;
  for (size_t i = 0; i < table.visible_columns(); ++i) {
    if (FoldCase(table.columns[i].name) == FoldCase(column)) return;
    known += (i == 0 ? "" : ", ") + table.columns[i].name;
  }
  if (if_exists) return;
  throw duckdb::BinderException("Table \"" + table.name + "\" does not have a column with name \"" + column +
                                "\"; the columns of " + table.QualifiedName() + " are: " + known);
}

// USING may only say what happens without it.
bool IsPlainCast(duckdb::ClientContext& context, const duckdb::ChangeColumnTypeInfo& info) {
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

WidenColumn MakeWidenColumn(duckdb::ClientContext& context, const TableDefinition& table,
                            duckdb::ChangeColumnTypeInfo& info) {
  CheckColumn(table, info.column_name);
  BindType(context, info.target_type);
  if (!IsPlainCast(context, info)) {
    throw duckdb::NotImplementedException(Where(table, info.column_name) + ": USING " + info.expression->ToString() +
                                          " would have to rewrite all rows; add a column and fill it with UPDATE");
  }
  return {.name = info.column_name, .type = DeclaredType(Where(table, info.column_name), info.target_type)};
}

SetColumnDefault MakeSetDefault(duckdb::ClientContext& context, const TableDefinition& table,
                                const duckdb::SetDefaultInfo& info) {
  CheckColumn(table, info.column_name);
  if (info.expression == nullptr) return {.name = info.column_name, .value = {}};
  for (const ColumnDefinition& column : table.columns) {
    if (FoldCase(column.name) != FoldCase(info.column_name)) continue;
    return {.name = info.column_name,
            .value = ConstantDefault(context, Where(table, column.name), *info.expression, column.type)};
  }
  return {.name = info.column_name, .value = {}};  // of no column, which is found out later
}

// That all values are there cannot be known without reading all rows.
[[noreturn]] void RefuseNotNull(const TableDefinition& table, const std::string& column) {
  throw duckdb::NotImplementedException(
      Where(table, column) +
      ": SET NOT NULL is not supported: it would have to read all rows; make a table with the "
      "column NOT NULL and copy the rows");
}

}  // namespace

TableAlteration MakeAlteration(duckdb::ClientContext& context, const TableDefinition& table,
                               duckdb::AlterTableInfo& info) {
  switch (info.alter_table_type) {
    case AlterTableType::ADD_COLUMN:
      return MakeAddColumn(context, table, info.Cast<duckdb::AddColumnInfo>());
    case AlterTableType::REMOVE_COLUMN: {
      const auto& remove = info.Cast<duckdb::RemoveColumnInfo>();
      CheckColumn(table, remove.removed_column, remove.if_column_exists);
      return DropColumn{.name = remove.removed_column, .if_exists = remove.if_column_exists};
    }
    case AlterTableType::RENAME_COLUMN: {
      const auto& rename = info.Cast<duckdb::RenameColumnInfo>();
      CheckColumn(table, rename.old_name);
      return RenameColumn{.name = rename.old_name, .new_name = rename.new_name};
    }
    case AlterTableType::ALTER_COLUMN_TYPE:
      return MakeWidenColumn(context, table, info.Cast<duckdb::ChangeColumnTypeInfo>());
    case AlterTableType::SET_DEFAULT:
      return MakeSetDefault(context, table, info.Cast<duckdb::SetDefaultInfo>());
    case AlterTableType::DROP_NOT_NULL:
      CheckColumn(table, info.Cast<duckdb::DropNotNullInfo>().column_name);
      return DropNotNull{.name = info.Cast<duckdb::DropNotNullInfo>().column_name};
    case AlterTableType::RENAME_TABLE:
      return RenameTable{.new_name = info.Cast<duckdb::RenameTableInfo>().new_table_name};
    case AlterTableType::SET_TABLE_OPTIONS:
      return SetTierPolicy{SetTableOptions(table.QualifiedName(),
                                           info.Cast<duckdb::SetTableOptionsInfo>().table_options,
                                           /*is_new=*/false, table.policy)};
    case AlterTableType::RESET_TABLE_OPTIONS:
      return SetTierPolicy{ResetTableOptions(table.QualifiedName(),
                                             info.Cast<duckdb::ResetTableOptionsInfo>().table_options, table.policy)};
    case AlterTableType::SET_NOT_NULL:
      RefuseNotNull(table, info.Cast<duckdb::SetNotNullInfo>().column_name);
    default:
      throw duckdb::NotImplementedException(
          Where(table) +
          ": this form of ALTER TABLE is not supported; there are ADD, DROP, RENAME and ALTER COLUMN "
          "(TYPE, SET DEFAULT, DROP DEFAULT, DROP NOT NULL), SET (option = value), RESET (option) and RENAME TO");
  }
}

}  // namespace yarrow::sql
