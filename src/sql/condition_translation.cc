#include "sql/condition_translation.h"

#include <duckdb/function/scalar/struct_utils.hpp>
#include <duckdb/planner/filter/struct_filter.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include "sql/sql_type.h"
#include "sql/stored_columns.h"
#include "type/calendar.h"
#include "type/type_traits.h"

namespace yarrow::sql {

using duckdb::ExpressionType;
using Op = Predicate::Op;

std::optional<Op> ComparisonOf(ExpressionType type) {
  switch (type) {
    case ExpressionType::COMPARE_EQUAL:
      return Op::kEq;
    case ExpressionType::COMPARE_NOTEQUAL:
      return Op::kNe;
    case ExpressionType::COMPARE_LESSTHAN:
      return Op::kLt;
    case ExpressionType::COMPARE_LESSTHANOREQUALTO:
      return Op::kLe;
    case ExpressionType::COMPARE_GREATERTHAN:
      return Op::kGt;
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      return Op::kGe;
    default:
      return std::nullopt;
  }
}

namespace {

using duckdb::Expression;
using duckdb::TableFilterType;
using Result = std::optional<Predicate>;

// ---- What both forms say.

// A constant of another type than the column's would need DuckDB's rules for comparing the two.
std::optional<Value> ConstantOf(const duckdb::Value& constant, const ColumnType& type) {
  if (!IsSameUnit(type) || !HasOrder(type) || constant.type() != ToLogicalType(type)) return std::nullopt;
  auto value = FromDuckDb(constant, type);
  return value.ok() ? std::optional(*std::move(value)) : std::nullopt;
}

Result CompareTo(int column, const ColumnType& type, ExpressionType comparison, const duckdb::Value& constant) {
  const auto op = ComparisonOf(comparison);
  auto value = ConstantOf(constant, type);
  if (!op || !value) return std::nullopt;
  return Predicate::Compare(column, *op, *std::move(value));
}

// `constant_at(i)`: the i-th value of the list, or null when it is none.
template <class ConstantAt>
Result InList(int column, const ColumnType& type, size_t count, const ConstantAt& constant_at) {
  std::vector<Value> values;
  values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const duckdb::Value* const constant = constant_at(i);
    auto value = constant == nullptr ? std::nullopt : ConstantOf(*constant, type);
    if (!value) return std::nullopt;
    values.push_back(*std::move(value));
  }
  return Predicate::In(column, std::move(values));
}

template <class Children, class Translate>
Result Conjunction(const Children& children, bool is_and, const Translate& translate) {
  std::vector<Predicate> translated;
  for (const auto& child : children) {
    Result one = translate(*child);
    if (!one) return std::nullopt;
    translated.push_back(*std::move(one));
  }
  return is_and ? Predicate::And(std::move(translated)) : Predicate::Or(std::move(translated));
}

// ---- Expressions.

const duckdb::Value* ConstantIn(const Expression& expression) {
  const bool is_constant = expression.GetExpressionType() == ExpressionType::VALUE_CONSTANT;
  return is_constant ? &expression.Cast<duckdb::BoundConstantExpression>().value : nullptr;
}

class ExpressionTranslator {
 public:
  ExpressionTranslator(const duckdb::LogicalGet& get, const TableDefinition& table) : get_(get), table_(table) {}
  ExpressionTranslator(const duckdb::LogicalGet& get, const TableImpl& table, const IndexedExpressions& indexed)
      : get_(get), table_(table.definition()), impl_(&table), indexed_(&indexed) {}

  Result Translate(const Expression& expression) const {
    if (indexed_ != nullptr && expression.return_type.id() == duckdb::LogicalTypeId::BOOLEAN) {
      if (Result flag = Flag(expression)) return flag;
    }
    switch (expression.GetExpressionClass()) {
      case duckdb::ExpressionClass::BOUND_COMPARISON:
        return Compare(expression.Cast<duckdb::BoundComparisonExpression>());
      case duckdb::ExpressionClass::BOUND_CONJUNCTION:
        return Conjunction(expression.Cast<duckdb::BoundConjunctionExpression>().children,
                           expression.GetExpressionType() == ExpressionType::CONJUNCTION_AND,
                           [this](const Expression& child) { return Translate(child); });
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
  // What a condition tests: a column, or a field of its structs.
  struct Tested {
    int column;               // what the predicate names: 0 of a field
    const ColumnType* type;   // of the values
    int outer = 0;            // the column with the field
    std::vector<int> fields;  // the way to it, outermost first
  };
  std::optional<Tested> Find(const Expression& expression) const {
    if (const auto column = Column(expression)) return Tested{*column, &TypeOf(*column), *column, {}};
    return Field(expression);
  }

  // With indexes nobody asks for fields.
  std::optional<Tested> Field(const Expression& expression) const {
    if (indexed_ != nullptr || expression.GetExpressionClass() != duckdb::ExpressionClass::BOUND_FUNCTION) return {};
    const auto& function = expression.Cast<duckdb::BoundFunctionExpression>();
    const std::string& name = function.function.name;
    if ((name != "struct_extract" && name != "struct_extract_at") || !function.bind_info) return {};
    auto of = Struct(*function.children[0]);
    if (!of || of->type->id != TypeId::kStruct) return {};
    const auto field = function.bind_info->Cast<duckdb::StructExtractBindData>().index;
    const ColumnType& type = of->type->members().at(field).type;
    of->fields.push_back(static_cast<int>(field));
    of->type = &type;
    of->column = 0;
    const bool is_own =
        IsSameUnit(type) && type.id != TypeId::kEnum && (!type.is_nested() || type.id == TypeId::kStruct);
    return is_own ? of : std::nullopt;
  }
  std::optional<Tested> Struct(const Expression& expression) const {
    const auto column = StoredPosition(expression);
    if (!column) return Field(expression);
    return Tested{*column, &TypeOf(*column), *column, {}};
  }
  // A condition on what was found, of the table's column.
  static Result Of(const Tested& tested, Result condition) {
    if (!condition) return condition;
    for (size_t i = tested.fields.size(); i-- > 0;) {
      condition = Predicate::Field(i == 0 ? tested.outer : 0, tested.fields[i], *std::move(condition));
    }
    return condition;
  }

  // Position of the column that the expression is, when its values are DuckDB's own.
  std::optional<int> Column(const Expression& expression) const {
    if (expression.GetExpressionType() != ExpressionType::BOUND_COLUMN_REF) {
      return indexed_ == nullptr || ConstantIn(expression) != nullptr ? std::nullopt : indexed_->Find(expression);
    }
    const auto position = StoredPosition(expression);
    return position && IsSameUnit(TypeOf(*position)) ? position : std::nullopt;
  }
  std::optional<int> StoredPosition(const Expression& expression) const {
    if (expression.GetExpressionType() != ExpressionType::BOUND_COLUMN_REF) return std::nullopt;
    const duckdb::ColumnBinding binding = expression.Cast<duckdb::BoundColumnRefExpression>().binding;
    if (binding.table_index != get_.table_index) return std::nullopt;
    const auto column = StoredColumn(table_, get_.GetColumnIds()[binding.column_index]);
    return column ? std::optional(static_cast<int>(*column)) : std::nullopt;
  }
  const ColumnType& TypeOf(int column) const {
    return impl_ != nullptr ? TypeOfNumber(*impl_, column) : table_.columns[static_cast<size_t>(column)].type;
  }

  Result Compare(const duckdb::BoundComparisonExpression& comparison) const {
    if (const auto tested = Find(*comparison.left)) {
      return CompareTo(*tested, comparison.GetExpressionType(), *comparison.right);
    }
    if (const auto tested = Find(*comparison.right)) {
      return CompareTo(*tested, duckdb::FlipComparisonExpression(comparison.GetExpressionType()), *comparison.left);
    }
    return std::nullopt;
  }

  static Result CompareTo(const Tested& tested, ExpressionType type, const Expression& operand) {
    const duckdb::Value* const constant = ConstantIn(operand);
    if (constant == nullptr) return std::nullopt;
    return Of(tested, sql::CompareTo(tested.column, *tested.type, type, *constant));
  }

  Result Between(const duckdb::BoundBetweenExpression& between) const {
    const auto tested = Find(*between.input);
    if (!tested) return std::nullopt;
    Result lower = CompareTo(*tested, between.LowerComparisonType(), *between.lower);
    Result upper = CompareTo(*tested, between.UpperComparisonType(), *between.upper);
    if (!lower || !upper) return std::nullopt;
    return Predicate::And({*std::move(lower), *std::move(upper)});
  }

  Result Operator(const duckdb::BoundOperatorExpression& op) const {
    const ExpressionType type = op.GetExpressionType();
    if (type == ExpressionType::OPERATOR_NOT) {
      auto child = Translate(*op.children[0]);
      return child ? Result(Predicate::Not(*std::move(child))) : std::nullopt;
    }
    const auto tested = op.children.empty() ? std::nullopt : Find(*op.children[0]);
    if (!tested) return std::nullopt;
    switch (type) {
      case ExpressionType::OPERATOR_IS_NULL:
        return Of(*tested, Predicate::IsNull(tested->column));
      case ExpressionType::OPERATOR_IS_NOT_NULL:
        return Of(*tested, Predicate::IsNotNull(tested->column));
      case ExpressionType::COMPARE_IN:
      case ExpressionType::COMPARE_NOT_IN:
        return In(op, *tested);
      default:
        return std::nullopt;
    }
  }

  static Result In(const duckdb::BoundOperatorExpression& op, const Tested& tested) {
    Result in = Of(tested, InList(tested.column, *tested.type, op.children.size() - 1,
                                  [&](size_t i) { return ConstantIn(*op.children[i + 1]); }));
    if (!in || op.GetExpressionType() == ExpressionType::COMPARE_IN) return in;
    return Predicate::Not(*std::move(in));
  }

  // LIKE 'x%' comes as one of these.
  Result Function(const duckdb::BoundFunctionExpression& function) const {
    const std::string& name = function.function.name;
    if ((name != "prefix" && name != "starts_with") || function.children.size() != 2) return std::nullopt;
    const auto tested = Find(*function.children[0]);
    if (!tested || tested->type->id != TypeId::kUtf8) return std::nullopt;
    const duckdb::Value* const prefix = ConstantIn(*function.children[1]);
    if (prefix == nullptr || prefix->IsNull() || prefix->type().id() != duckdb::LogicalTypeId::VARCHAR) {
      return std::nullopt;
    }
    return Of(*tested, Predicate::StartsWith(tested->column, duckdb::StringValue::Get(*prefix)));
  }

  // A boolean column, or expression of an index, by itself.
  Result Flag(const Expression& expression) const {
    const auto column = Column(expression);
    if (!column || TypeOf(*column).id != TypeId::kBool) return std::nullopt;
    return Predicate::Compare(*column, Predicate::Op::kEq, Value(true));
  }

  const duckdb::LogicalGet& get_;
  const TableDefinition& table_;
  const TableImpl* const impl_ = nullptr;  // with indexed_
  const IndexedExpressions* const indexed_ = nullptr;
};

// ---- Filters.

class FilterTranslator {
 public:
  FilterTranslator(int column, const ColumnType& type, size_t most_values)
      : column_(column), type_(type), most_values_(most_values) {}

  Result Translate(const duckdb::TableFilter& filter) const {
    switch (filter.filter_type) {
      case TableFilterType::CONSTANT_COMPARISON:
        return Compare(filter.Cast<duckdb::ConstantFilter>());
      case TableFilterType::IS_NULL:
        return Predicate::IsNull(column_);
      case TableFilterType::IS_NOT_NULL:
        return Predicate::IsNotNull(column_);
      case TableFilterType::IN_FILTER:
        return In(filter.Cast<duckdb::InFilter>());
      case TableFilterType::CONJUNCTION_AND:
        return All(filter.Cast<duckdb::ConjunctionAndFilter>(), /*is_and=*/true);
      case TableFilterType::CONJUNCTION_OR:
        return All(filter.Cast<duckdb::ConjunctionOrFilter>(), /*is_and=*/false);
      case TableFilterType::OPTIONAL_FILTER:
        return Optional(filter.Cast<duckdb::OptionalFilter>());
      case TableFilterType::DYNAMIC_FILTER:
        return Dynamic(filter.Cast<duckdb::DynamicFilter>());
      case TableFilterType::STRUCT_EXTRACT:
        return Field(filter.Cast<duckdb::StructFilter>());
      case TableFilterType::BLOOM_FILTER:
        return Predicate::True();  // only ever optional
      default:
        return std::nullopt;
    }
  }

 private:
  Result Compare(const duckdb::ConstantFilter& filter) const {
    return CompareTo(column_, type_, filter.comparison_type, filter.constant);
  }

  // What it says by now; only ever optional.
  Result Dynamic(const duckdb::DynamicFilter& filter) const {
    if (!filter.filter_data) return Predicate::True();
    const duckdb::lock_guard<duckdb::mutex> lock(filter.filter_data->lock);
    return filter.filter_data->initialized ? Compare(*filter.filter_data->filter) : Predicate::True();
  }

  Result In(const duckdb::InFilter& filter) const {
    return InList(column_, type_, filter.values.size(), [&](size_t i) { return &filter.values[i]; });
  }

  Result Field(const duckdb::StructFilter& filter) const {
    if (type_.id != TypeId::kStruct || filter.child_idx >= type_.members().size()) return std::nullopt;
    const ColumnType& type = type_.members()[filter.child_idx].type;
    if (type.id == TypeId::kEnum) return std::nullopt;  // as of columns: segments have labels as text
    Result of_field = FilterTranslator(0, type, most_values_).Translate(*filter.child_filter);
    if (!of_field) return std::nullopt;
    return Predicate::Field(column_, static_cast<int>(filter.child_idx), *std::move(of_field));
  }

  Result All(const duckdb::ConjunctionFilter& filter, bool is_and) const {
    return Conjunction(filter.child_filters, is_and,
                       [this](const duckdb::TableFilter& child) { return Translate(child); });
  }

  Result Optional(const duckdb::OptionalFilter& filter) const {
    if (!filter.child_filter || LongestOptionalList(filter) > most_values_) return Predicate::True();
    return Translate(*filter.child_filter).value_or(Predicate::True());
  }

  const int column_;
  const ColumnType& type_;
  const size_t most_values_;
};

}  // namespace

std::optional<Predicate> TranslateExpression(const Expression& expression, const duckdb::LogicalGet& get,
                                             const TableDefinition& table) {
  return ExpressionTranslator(get, table).Translate(expression);
}

std::optional<Predicate> TranslateForIndexes(const Expression& expression, const duckdb::LogicalGet& get,
                                             const TableImpl& table, const IndexedExpressions& indexed) {
  return ExpressionTranslator(get, table, indexed).Translate(expression);
}

std::optional<Predicate> TranslateFilter(const duckdb::TableFilter& filter, int column, const ColumnType& type,
                                         size_t most_values) {
  return FilterTranslator(column, type, most_values).Translate(filter);
}

bool IsOfFields(const duckdb::TableFilter& filter) {
  if (filter.filter_type != TableFilterType::CONJUNCTION_AND) {
    return filter.filter_type == TableFilterType::STRUCT_EXTRACT;
  }
  return std::ranges::all_of(filter.Cast<duckdb::ConjunctionAndFilter>().child_filters,
                             [](const auto& child) { return IsOfFields(*child); });
}

bool IsTakenFilter(const duckdb::TableFilter& filter, const ColumnType& type) {
  if (type.id == TypeId::kStruct) return IsOfFields(filter) && TranslateFilter(filter, 0, type).has_value();
  // Segments have labels as text: a filter on them would keep parquet_scan from reading the table.
  return IsSameUnit(type) && HasOrder(type) && type.id != TypeId::kEnum;
}

std::optional<Predicate> TranslateEquality(const duckdb::Value& value, int column, const ColumnType& type) {
  auto stored = FromDuckDb(value, type);
  if (!stored.ok()) return std::nullopt;
  return Predicate::Compare(column, Op::kEq, *std::move(stored));
}

size_t LongestOptionalList(const duckdb::TableFilter& filter) {
  if (filter.filter_type == TableFilterType::OPTIONAL_FILTER) {
    const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
    const bool is_list = child && child->filter_type == TableFilterType::IN_FILTER;
    return is_list ? child->Cast<duckdb::InFilter>().values.size() : 0;
  }
  size_t longest = 0;
  if (filter.filter_type == TableFilterType::CONJUNCTION_AND) {
    for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
      longest = std::max(longest, LongestOptionalList(*child));
    }
  }
  return longest;
}

}  // namespace yarrow::sql
