#include "sql/cold_conditions.h"

#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/expression_iterator.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "sql/stored_columns.h"

namespace yarrow::sql {
namespace {

using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::ExpressionType;

// A guess by the form: "<>", IS NOT NULL and NOT let most rows pass.
bool LetsFewPass(const Expression& condition) {
  switch (condition.GetExpressionType()) {
    case ExpressionType::COMPARE_EQUAL:
    case ExpressionType::COMPARE_LESSTHAN:
    case ExpressionType::COMPARE_LESSTHANOREQUALTO:
    case ExpressionType::COMPARE_GREATERTHAN:
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
    case ExpressionType::COMPARE_BETWEEN:
    case ExpressionType::COMPARE_IN:
    case ExpressionType::OPERATOR_IS_NULL:
      return true;
    case ExpressionType::BOUND_FUNCTION: {  // LIKE and its kin, of which "!~~" and not_ilike_escape are negated ones
      const std::string& name = condition.Cast<duckdb::BoundFunctionExpression>().function.name;
      return !name.starts_with('!') && !name.starts_with("not_");
    }
    case ExpressionType::CONJUNCTION_OR:
      return std::ranges::all_of(condition.Cast<duckdb::BoundConjunctionExpression>().children,
                                 [](const auto& child) { return LetsFewPass(*child); });
    case ExpressionType::CONJUNCTION_AND:
      return std::ranges::any_of(condition.Cast<duckdb::BoundConjunctionExpression>().children,
                                 [](const auto& child) { return LetsFewPass(*child); });
    default:
      return false;
  }
}

bool IsColumnOrField(const Expression& expression) {
  if (expression.GetExpressionType() == ExpressionType::BOUND_COLUMN_REF) return true;
  if (expression.GetExpressionClass() != ExpressionClass::BOUND_FUNCTION) return false;
  const auto& function = expression.Cast<duckdb::BoundFunctionExpression>();
  return function.function.name.starts_with("struct_extract") && IsColumnOrField(*function.children[0]);
}

// Comparisons of a column or field with a constant, of which DuckDB makes table filters.
bool IsTableFilter(const Expression& condition) {
  if (condition.GetExpressionClass() == ExpressionClass::BOUND_BETWEEN) {
    return IsColumnOrField(*condition.Cast<duckdb::BoundBetweenExpression>().input);
  }
  if (condition.GetExpressionClass() != ExpressionClass::BOUND_COMPARISON) return false;
  const auto& comparison = condition.Cast<duckdb::BoundComparisonExpression>();
  return IsColumnOrField(*comparison.left) || IsColumnOrField(*comparison.right);
}

// What stands at a constant path of a JSON column. DuckDB lets such functions fail, for texts that are no JSON.
bool IsPathOfJson(const Expression& expression) {
  if (expression.GetExpressionClass() != ExpressionClass::BOUND_FUNCTION) return false;
  const auto& function = expression.Cast<duckdb::BoundFunctionExpression>();
  const std::string& name = function.function.name;
  const bool is_extract = name == "->" || name == "->>" || name.starts_with("json_extract");
  return is_extract && function.children.size() == 2 && function.children[0]->return_type.IsJSONType() &&
         function.children[0]->GetExpressionType() == ExpressionType::BOUND_COLUMN_REF &&
         function.children[1]->GetExpressionType() == ExpressionType::VALUE_CONSTANT;
}

bool MayFail(const Expression& expression) {
  if (!expression.CanThrow() || IsPathOfJson(expression)) return false;
  bool may_fail = false;
  switch (expression.GetExpressionClass()) {
    case ExpressionClass::BOUND_COMPARISON:
    case ExpressionClass::BOUND_CONJUNCTION:
    case ExpressionClass::BOUND_OPERATOR:
    case ExpressionClass::BOUND_BETWEEN:
      duckdb::ExpressionIterator::EnumerateChildren(
          expression, [&](const Expression& child) { may_fail = may_fail || MayFail(child); });
      return may_fail;
    default:
      return true;
  }
}

// The one column that the expression reads; nothing when there are others, or none.
std::optional<int> OnlyColumn(const Expression& expression, const duckdb::LogicalGet& get,
                              const TableDefinition& table) {
  std::optional<int> only;
  bool has_other = false;
  duckdb::ExpressionIterator::VisitExpression<duckdb::BoundColumnRefExpression>(
      expression, [&](const duckdb::BoundColumnRefExpression& reference) {
        const bool is_here = reference.depth == 0 && reference.binding.table_index == get.table_index;
        const auto stored = is_here ? StoredColumn(table, get.GetColumnIds()[reference.binding.column_index])
                                    : std::optional<duckdb::column_t>();
        if (!stored || (only && *only != static_cast<int>(*stored))) {
          has_other = true;
        } else {
          only = static_cast<int>(*stored);
        }
      });
  return has_other ? std::nullopt : only;
}

std::shared_ptr<const Expression> OverReference(const Expression& condition) {
  auto copy = condition.Copy();
  duckdb::ExpressionIterator::VisitExpressionMutable<duckdb::BoundColumnRefExpression>(
      copy, [](duckdb::BoundColumnRefExpression& column, duckdb::unique_ptr<Expression>& expression) {
        expression = duckdb::make_uniq<duckdb::BoundReferenceExpression>(column.GetAlias(), column.return_type, 0ULL);
      });
  return std::shared_ptr<const Expression>(copy.release());
}

}  // namespace

void NoteColdConditions(const duckdb::LogicalGet& get, const TableDefinition& table,
                        const duckdb::vector<duckdb::unique_ptr<Expression>>& conditions,
                        std::vector<ColumnExpression>* noted) {
  for (const auto& condition : conditions) {
    const bool may_be_tested = condition->IsConsistent() && !MayFail(*condition) && !condition->HasParameter() &&
                               !condition->HasSubquery() && !condition->IsAggregate() && !condition->IsWindow();
    if (!may_be_tested || IsTableFilter(*condition) || !LetsFewPass(*condition)) continue;
    const auto column = OnlyColumn(*condition, get, table);
    if (!column) continue;
    ColumnExpression made{*column, OverReference(*condition)};
    const bool is_known = std::ranges::any_of(*noted, [&](const ColumnExpression& known) {
      return known.column == made.column && known.expression->Equals(*made.expression);
    });
    if (!is_known) noted->push_back(std::move(made));
  }
}

}  // namespace yarrow::sql
