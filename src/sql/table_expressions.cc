#include "sql/table_expressions.h"

#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/parser.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "catalog/table_schema.h"

namespace yarrow::sql {
namespace {

using duckdb::ColumnRefExpression;
using duckdb::ParsedExpression;

void ForEachColumn(ParsedExpression& expression, const std::function<void(ColumnRefExpression&)>& visit) {
  if (expression.GetExpressionType() == duckdb::ExpressionType::COLUMN_REF) {
    visit(expression.Cast<ColumnRefExpression>());
  }
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      expression, [&](duckdb::unique_ptr<ParsedExpression>& child) { ForEachColumn(*child, visit); });
}

std::string Renamed(const std::string& text, const std::string& column, const std::string& new_name) {
  const auto expression = ParseExpression(text);
  ForEachColumn(*expression, [&](ColumnRefExpression& found) {
    std::string& name = found.column_names.front();
    if (FoldCase(name) == FoldCase(column)) name = new_name;
  });
  return expression->ToString();
}

TableExpressions ExpressionsOf(const TableDefinition& table) {
  return {.generated_columns = table.generated_columns, .checks = table.checks};
}

// The column, and the generated ones that are made from it, whether or not by way of others.
std::set<std::string> WithDependents(const TableDefinition& table, const std::string& column) {
  std::set<std::string> names{FoldCase(column)};
  for (size_t before = 0; before != names.size();) {
    before = names.size();
    for (const GeneratedColumn& generated : table.generated_columns) {
      const auto made_from = ColumnsNamedIn(generated.expression);
      const bool depends =
          std::ranges::any_of(made_from, [&](const std::string& name) { return names.contains(name); });
      if (depends) names.insert(FoldCase(generated.name));
    }
  }
  return names;
}

}  // namespace

duckdb::unique_ptr<ParsedExpression> ParseExpression(const std::string& text) {
  auto parsed = duckdb::Parser::ParseExpressionList(text);
  if (parsed.size() != 1) throw duckdb::ParserException("'" + text + "' is not one SQL expression");
  return std::move(parsed[0]);
}

std::set<std::string> ColumnsNamedIn(const std::string& text) {
  std::set<std::string> names;
  ForEachColumn(*ParseExpression(text),
                [&](ColumnRefExpression& column) { names.insert(FoldCase(column.column_names.front())); });
  return names;
}

std::string CheckText(const std::string& table, const duckdb::ColumnList& columns, const ParsedExpression& check) {
  const auto copy = check.Copy();
  ForEachColumn(*copy, [&](ColumnRefExpression& column) {
    auto& names = column.column_names;
    const bool has_table =
        names.size() > 1 && FoldCase(names.front()) == FoldCase(table) && !columns.ColumnExists(names.front());
    if (has_table) names.erase(names.begin());
  });
  return copy->ToString();
}

TableExpressions AfterRename(const TableDefinition& table, const std::string& column, const std::string& new_name) {
  TableExpressions after = ExpressionsOf(table);
  for (std::string& check : after.checks) check = Renamed(check, column, new_name);
  for (GeneratedColumn& generated : after.generated_columns) {
    generated.expression = Renamed(generated.expression, column, new_name);
    if (FoldCase(generated.name) == FoldCase(column)) generated.name = new_name;
  }
  return after;
}

TableExpressions AfterDrop(const TableDefinition& table, const std::string& column, bool cascade) {
  TableExpressions after = ExpressionsOf(table);
  const auto dropped = WithDependents(table, column);
  if (dropped.size() > 1 && !cascade) {
    throw duckdb::CatalogException("Cannot drop column: column is a dependency of 1 or more generated column(s)");
  }
  std::erase_if(after.generated_columns,
                [&](const GeneratedColumn& generated) { return dropped.contains(FoldCase(generated.name)); });
  std::erase_if(after.checks, [&](const std::string& check) {
    const auto named = ColumnsNamedIn(check);
    if (!named.contains(FoldCase(column))) return false;
    if (named.size() == 1) return true;
    throw duckdb::CatalogException("Cannot drop column \"%s\" because there is a CHECK constraint that depends on it",
                                   column);
  });
  return after;
}

TableExpressions AfterTypeChange(const TableDefinition& table, const std::string& column) {
  for (const GeneratedColumn& generated : table.generated_columns) {
    if (FoldCase(generated.name) == FoldCase(column)) {
      throw duckdb::BinderException(
          "Changing types of generated columns in alter statement is not supported: DROP COLUMN %s and ADD it anew",
          generated.name);
    }
    if (!ColumnsNamedIn(generated.expression).contains(FoldCase(column))) continue;
    throw duckdb::BinderException(
        "This column is referenced by the generated column \"%s\", so its type can not be changed", generated.name);
  }
  for (const std::string& check : table.checks) {
    if (!ColumnsNamedIn(check).contains(FoldCase(column))) continue;
    throw duckdb::BinderException("Cannot change the type of a column that has a CHECK constraint specified");
  }
  return ExpressionsOf(table);
}

}  // namespace yarrow::sql
