#include "sql/filter_translation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sql/sql_type.h"

namespace yarrow::sql {
namespace {

using duckdb::TableFilterType;
using Op = Predicate::Op;

}  // namespace

std::optional<Op> ComparisonOf(duckdb::ExpressionType type) {
  switch (type) {
    case duckdb::ExpressionType::COMPARE_EQUAL:
      return Op::kEq;
    case duckdb::ExpressionType::COMPARE_NOTEQUAL:
      return Op::kNe;
    case duckdb::ExpressionType::COMPARE_LESSTHAN:
      return Op::kLt;
    case duckdb::ExpressionType::COMPARE_LESSTHANOREQUALTO:
      return Op::kLe;
    case duckdb::ExpressionType::COMPARE_GREATERTHAN:
      return Op::kGt;
    case duckdb::ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      return Op::kGe;
    default:
      return std::nullopt;
  }
}

namespace {

// A constant of another type than the column's would need DuckDB's rules for comparing the two.
bool IsOfType(const duckdb::Value& value, const ColumnType& type) {
  return IsSameUnit(type) && value.type() == ToLogicalType(type);
}

class FilterTranslator {
 public:
  FilterTranslator(int column, const ColumnType& type, size_t most_values)
      : column_(column), type_(type), most_values_(most_values) {}

  std::optional<Predicate> Translate(const duckdb::TableFilter& filter) const {
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
        return Conjunction(filter.Cast<duckdb::ConjunctionAndFilter>(), /*is_and=*/true);
      case TableFilterType::CONJUNCTION_OR:
        return Conjunction(filter.Cast<duckdb::ConjunctionOrFilter>(), /*is_and=*/false);
      case TableFilterType::OPTIONAL_FILTER:
        return Optional(filter.Cast<duckdb::OptionalFilter>());
      case TableFilterType::DYNAMIC_FILTER:
        return Dynamic(filter.Cast<duckdb::DynamicFilter>());
      case TableFilterType::BLOOM_FILTER:
        return Predicate::True();  // only ever optional
      default:
        return std::nullopt;
    }
  }

 private:
  std::optional<Predicate> Compare(const duckdb::ConstantFilter& filter) const {
    const auto op = ComparisonOf(filter.comparison_type);
    if (!op || !IsOfType(filter.constant, type_)) return std::nullopt;
    return Predicate::Compare(column_, *op, FromDuckDb(filter.constant, type_).ValueOrDie());
  }

  // What it says by now; only ever optional.
  std::optional<Predicate> Dynamic(const duckdb::DynamicFilter& filter) const {
    if (!filter.filter_data) return Predicate::True();
    const duckdb::lock_guard<duckdb::mutex> lock(filter.filter_data->lock);
    return filter.filter_data->initialized ? Compare(*filter.filter_data->filter) : Predicate::True();
  }

  std::optional<Predicate> In(const duckdb::InFilter& filter) const {
    std::vector<Value> values;
    for (const duckdb::Value& value : filter.values) {
      if (!IsOfType(value, type_)) return std::nullopt;
      values.push_back(FromDuckDb(value, type_).ValueOrDie());
    }
    return Predicate::In(column_, std::move(values));
  }

  std::optional<Predicate> Conjunction(const duckdb::ConjunctionFilter& filter, bool is_and) const {
    std::vector<Predicate> children;
    for (const auto& child : filter.child_filters) {
      auto translated = Translate(*child);
      if (!translated) return std::nullopt;
      children.push_back(*std::move(translated));
    }
    return is_and ? Predicate::And(std::move(children)) : Predicate::Or(std::move(children));
  }

  std::optional<Predicate> Optional(const duckdb::OptionalFilter& filter) const {
    if (!filter.child_filter || LongestOptionalList(filter) > most_values_) return Predicate::True();
    return Translate(*filter.child_filter).value_or(Predicate::True());
  }

  const int column_;
  const ColumnType& type_;
  const size_t most_values_;
};

}  // namespace

std::optional<Predicate> TranslateFilter(const duckdb::TableFilter& filter, int column, const ColumnType& type,
                                         size_t most_values) {
  return FilterTranslator(column, type, most_values).Translate(filter);
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
