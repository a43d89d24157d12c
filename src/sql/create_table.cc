#include "sql/create_table.h"

#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/expression_binder/constant_binder.hpp>

#include <set>
#include <utility>

#include "sql/sql_error.h"
#include "sql/sql_type.h"
#include "sql/table_options.h"

namespace yarrow::sql {
namespace {

using duckdb::ConstraintType;

std::string Where(const duckdb::CreateTableInfo& info) {
  return "table " + info.schema + "." + info.table;
}

// Functions that DuckDB calls consistent, or replaces by a constant as it binds, though their value is of the moment.
bool IsOfTheMoment(const std::string& function) {
  static const std::set<std::string> names = {"age",
                                              "current_localtime",
                                              "current_localtimestamp",
                                              "current_role",
                                              "current_setting",
                                              "current_user",
                                              "getvariable",
                                              "localtime",
                                              "localtimestamp",
                                              "session_user",
                                              "user",
                                              "version"};
  return names.contains(duckdb::StringUtil::Lower(function));
}

bool IsOfTheMoment(const duckdb::ParsedExpression& expression) {
  switch (expression.GetExpressionType()) {
    case duckdb::ExpressionType::COLUMN_REF:  // as the parser has it without ()
      return IsOfTheMoment(expression.Cast<duckdb::ColumnRefExpression>().GetColumnName());
    case duckdb::ExpressionType::FUNCTION:
      if (IsOfTheMoment(expression.Cast<duckdb::FunctionExpression>().function_name)) return true;
      break;
    default:
      break;
  }
  bool found = false;
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      expression, [&](const duckdb::ParsedExpression& child) { found = found || IsOfTheMoment(child); });
  return found;
}

std::string CollationOf(const duckdb::LogicalType& type) {
  return type.id() == duckdb::LogicalTypeId::VARCHAR ? duckdb::StringType::GetCollation(type) : "";
}

// COPY FROM DATABASE brings them; COMMENT ON is refused where the catalog is altered.
void RefuseComment(const std::string& where, const duckdb::Value& comment) {
  if (comment.IsNull()) return;
  throw duckdb::NotImplementedException(where + ": the comment '" + comment.ToString() +
                                        "' cannot be stored; take it away with COMMENT ON ... IS NULL where it is");
}

void AddConstraint(const duckdb::CreateTableInfo& info, const duckdb::Constraint& constraint, TableSpec* spec) {
  if (constraint.type == ConstraintType::NOT_NULL) {
    spec->columns[constraint.Cast<duckdb::NotNullConstraint>().index.index].nullable = false;
    return;
  }
  if (constraint.type == ConstraintType::UNIQUE && constraint.Cast<duckdb::UniqueConstraint>().IsPrimaryKey()) {
    for (const auto& index : constraint.Cast<duckdb::UniqueConstraint>().GetLogicalIndexes(info.columns)) {
      spec->primary_key.push_back(info.columns.GetColumn(index).Name());
    }
    return;
  }
  const std::string text = constraint.type == ConstraintType::FOREIGN_KEY ? "FOREIGN KEY" : constraint.ToString();
  throw duckdb::NotImplementedException(Where(info) + ": " + text +
                                        " is not supported; tables have PRIMARY KEY and NOT NULL");
}

}  // namespace

// A default is stored as the value that it has now, so it must have no other at any time.
Value ConstantDefault(duckdb::ClientContext& context, const std::string& where,
                      const duckdb::ParsedExpression& expression, const ColumnType& type) {
  auto copy = expression.Copy();
  auto binder = duckdb::Binder::CreateBinder(context);
  duckdb::ConstantBinder constant(*binder, context, "DEFAULT value");
  constant.target_type = ToLogicalType(type);
  const auto bound = constant.Bind(copy);
  if (!bound->IsFoldable() || !bound->IsConsistent() || IsOfTheMoment(expression)) {
    throw duckdb::BinderException(where + ": the default " + expression.ToString() +
                                  " is not a constant: its value depends on when and by whom it is asked for; give "
                                  "the value in each INSERT instead");
  }
  const duckdb::Value value = duckdb::ExpressionExecutor::EvaluateScalar(context, *bound);
  return Check(FromDuckDb(value.DefaultCastAs(ToLogicalType(type)), type));
}

ColumnType DeclaredType(const std::string& where, const duckdb::LogicalType& type) {
  const auto refuse = [&](const std::string& why) { throw duckdb::NotImplementedException(where + ": " + why); };
  if (const std::string collation = CollationOf(type); !collation.empty()) {
    refuse("COLLATE " + collation +
           " is not supported for columns, whose text is sorted by its bytes; write COLLATE in the queries instead");
  }
  const auto declared = FromLogicalType(type);
  if (!declared.ok()) refuse(declared.status().message());
  return *declared;
}

ColumnSpec MakeColumnSpec(duckdb::ClientContext& context, const std::string& table,
                          const duckdb::ColumnDefinition& column) {
  const std::string where = "table " + table + ": column " + column.Name();
  if (column.Generated()) {
    throw duckdb::NotImplementedException(where + ": generated columns are not supported; compute it in the query");
  }
  if (column.CompressionType() != duckdb::CompressionType::COMPRESSION_AUTO) {
    throw duckdb::NotImplementedException(where + ": USING COMPRESSION is not supported: how rows are compressed is " +
                                          "chosen for the table, WITH (optimize_for = 'scan' or 'lookup')");
  }
  RefuseComment(where, column.Comment());
  const ColumnType type = DeclaredType(where, column.Type());
  ColumnSpec spec{.name = column.Name(), .type = type, .nullable = true, .default_value = {}};
  if (column.HasDefaultValue()) spec.default_value = ConstantDefault(context, where, column.DefaultValue(), type);
  return spec;
}

TableSpec MakeTableSpec(duckdb::ClientContext& context, duckdb::CreateTableInfo& info) {
  RefuseComment(Where(info), info.comment);
  TableSpec spec;
  spec.schema_name = info.schema;
  spec.name = info.table;
  spec.kind = TakeKind(info.schema + "." + info.table, info.options);
  spec.policy = SetTableOptions(info.schema + "." + info.table, info.options, /*is_new=*/true, {});
  for (const duckdb::ColumnDefinition& column : info.columns.Logical()) {
    spec.columns.push_back(MakeColumnSpec(context, info.schema + "." + info.table, column));
  }
  for (const auto& constraint : info.constraints) AddConstraint(info, *constraint, &spec);
  return spec;
}

void FillTableInfo(const TableDefinition& definition, duckdb::CreateTableInfo* info) {
  std::vector<uint32_t> key = definition.primary_key;
  duckdb::vector<std::string> key_names(key.size());
  for (size_t i = 0; i < definition.visible_columns(); ++i) {
    const ColumnDefinition& column = definition.columns[i];
    duckdb::ColumnDefinition made(column.name, ToLogicalType(column.type));
    if (!column.default_value.is_null()) {
      made.SetDefaultValue(duckdb::make_uniq<duckdb::ConstantExpression>(ToDuckDb(column.default_value, column.type)));
    }
    info->columns.AddColumn(std::move(made));
    const auto in_key = std::find(key.begin(), key.end(), column.id);
    if (in_key != key.end()) key_names[static_cast<size_t>(in_key - key.begin())] = column.name;
    if (!column.nullable) {
      info->constraints.push_back(duckdb::make_uniq<duckdb::NotNullConstraint>(duckdb::LogicalIndex(i)));
    }
  }
  if (!definition.has_hidden_row_id() && !key_names.empty()) {
    info->constraints.push_back(duckdb::make_uniq<duckdb::UniqueConstraint>(std::move(key_names), true));
  }
}

}  // namespace yarrow::sql
