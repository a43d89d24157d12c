#include "sql/expression_translation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sql/filter_translation.h"
#include "sql/sql_type.h"

namespace yarrow::sql {
namespace {

using duckdb::Expression;
using duckdb::ExpressionType;
using Result = std::optional<Predicate>;

class Translator {
 public:
  Translator(const duckdb::LogicalGet& get, const TableDefinition& table) : get_(get), table_(table) {}

  Result Translate(const Expression& expression) const {
    switch (expression.GetExpressionClass()) {
      case duckdb::ExpressionClass::BOUND_COMPARISON:
        return Compare(expression.Cast<duckdb::BoundComparisonExpression>());
      case duckdb::ExpressionClass::BOUND_CONJUNCTION:
        return Conjunction(expression.Cast<duckdb::BoundConjunctionExpression>());
      case duckdb::ExpressionClass::BOUND_BETWEEN:
        return Between(expression.Cast<duckdb::BoundBetweenExpression>());
      case duckdb::ExpressionClass::BOUND_OPERATOR:
        return Operator(expression.Cast<duckdb::BoundOperatorExpression>());
      case duckdb::ExpressionClass::BOUND_FUNCTION:
        return Function(expression.Cast<duckdb::BoundFunctionExpression>());
      case duckdb::ExpressionClass::BOUND_COLUMN_REF:
        return Flag(expression);
      default:
        return std::nullopt;
    }
  }

 private:
  // Position of the column that the expression is, when its values are DuckDB's own.
  std::optional<int> Column(const Expression& expression) const {
    if (expression.GetExpressionType() != ExpressionType::BOUND_COLUMN_REF) return std::nullopt;
    const duckdb::ColumnBinding binding = expression.Cast<duckdb::BoundColumnRefExpression>().binding;
    if (binding.table_index != get_.table_index) return std::nullopt;
    const duckdb::ColumnIndex& index = get_.GetColumnIds()[binding.column_index];
    if (index.IsVirtualColumn() || index.GetPrimaryIndex() >= table_.visible_columns()) return std::nullopt;
    const auto position = static_cast<int>(index.GetPrimaryIndex());
    return IsSameUnit(TypeOf(position)) ? std::optional(position) : std::nullopt;
  }
  const ColumnType& TypeOf(int column) const { return table_.columns[static_cast<size_t>(column)].type; }

  std::optional<Value> Constant(const Expression& expression, int column) const {
    if (expression.GetExpressionType() != ExpressionType::VALUE_CONSTANT) return std::nullopt;
    const duckdb::Value& value = expression.Cast<duckdb::BoundConstantExpression>().value;
    if (value.type() != ToLogicalType(TypeOf(column))) return std::nullopt;
    auto converted = FromDuckDb(value, TypeOf(column));
    return converted.ok() ? std::optional(*std::move(converted)) : std::nullopt;
  }

  Result Compare(const duckdb::BoundComparisonExpression& comparison) const {
    if (const auto column = Column(*comparison.left)) {
      return CompareTo(*column, comparison.GetExpressionType(), *comparison.right);
    }
    if (const auto column = Column(*comparison.right)) {
      return CompareTo(*column, duckdb::FlipComparisonExpression(comparison.GetExpressionType()), *comparison.left);
    }
    return std::nullopt;
  }

  Result CompareTo(int column, ExpressionType type, const Expression& constant) const {
    const auto op = ComparisonOf(type);
    const auto value = Constant(constant, column);
    if (!op || !value) return std::nullopt;
    return Predicate::Compare(column, *op, *value);
  }

  Result Conjunction(const duckdb::BoundConjunctionExpression& conjunction) const {
    std::vector<Predicate> children;
    for (const auto& child : conjunction.children) {
      auto translated = Translate(*child);
      if (!translated) return std::nullopt;
      children.push_back(*std::move(translated));
    }
    const bool is_and = conjunction.GetExpressionType() == ExpressionType::CONJUNCTION_AND;
    return is_and ? Predicate::And(std::move(children)) : Predicate::Or(std::move(children));
  }

  Result Between(const duckdb::BoundBetweenExpression& between) const {
    const auto column = Column(*between.input);
    if (!column) return std::nullopt;
    const auto lower = Constant(*between.lower, *column);
    const auto upper = Constant(*between.upper, *column);
    if (!lower || !upper) return std::nullopt;
    using Op = Predicate::Op;
    return Predicate::And({Predicate::Compare(*column, between.lower_inclusive ? Op::kGe : Op::kGt, *lower),
                           Predicate::Compare(*column, between.upper_inclusive ? Op::kLe : Op::kLt, *upper)});
  }

  Result Operator(const duckdb::BoundOperatorExpression& op) const {
    const ExpressionType type = op.GetExpressionType();
    if (type == ExpressionType::OPERATOR_NOT) {
      auto child = Translate(*op.children[0]);
      return child ? Result(Predicate::Not(*std::move(child))) : std::nullopt;
    }
    const auto column = op.children.empty() ? std::nullopt : Column(*op.children[0]);
    if (!column) return std::nullopt;
    switch (type) {
      case ExpressionType::OPERATOR_IS_NULL:
        return Predicate::IsNull(*column);
      case ExpressionType::OPERATOR_IS_NOT_NULL:
        return Predicate::IsNotNull(*column);
      case ExpressionType::COMPARE_IN:
      case ExpressionType::COMPARE_NOT_IN:
        return In(op, *column);
      default:
        return std::nullopt;
    }
  }

  Result In(const duckdb::BoundOperatorExpression& op, int column) const {
    std::vector<Value> values;
    for (size_t i = 1; i < op.children.size(); ++i) {
      auto value = Constant(*op.children[i], column);
      if (!value) return std::nullopt;
      values.push_back(*std::move(value));
    }
    Predicate in = Predicate::In(column, std::move(values));
    return op.GetExpressionType() == ExpressionType::COMPARE_IN ? in : Predicate::Not(std::move(in));
  }

  // LIKE 'x%' comes as one of these.
  Result Function(const duckdb::BoundFunctionExpression& function) const {
    const std::string& name = function.function.name;
    if ((name != "prefix" && name != "starts_with") || function.children.size() != 2) return std::nullopt;
    const auto column = Column(*function.children[0]);
    if (!column || TypeOf(*column).id != TypeId::kUtf8) return std::nullopt;
    const Expression& prefix = *function.children[1];
    if (prefix.GetExpressionType() != ExpressionType::VALUE_CONSTANT) return std::nullopt;
    const duckdb::Value& value = prefix.Cast<duckdb::BoundConstantExpression>().value;
    if (value.IsNull() || value.type().id() != duckdb::LogicalTypeId::VARCHAR) return std::nullopt;
    return Predicate::StartsWith(*column, duckdb::StringValue::Get(value));
  }

  // A boolean column by itself.
  Result Flag(const Expression& expression) const {
    const auto column = Column(expression);
    if (!column || TypeOf(*column).id != TypeId::kBool) return std::nullopt;
    return Predicate::Compare(*column, Predicate::Op::kEq, Value(true));
  }

  const duckdb::LogicalGet& get_;
  const TableDefinition& table_;
};

}  // namespace

std::optional<Predicate> TranslateExpression(const Expression& expression, const duckdb::LogicalGet& get,
                                             const TableDefinition& table) {
  return Translator(get, table).Translate(expression);
}

}  // namespace yarrow::sql
