#include "sql/row_id_filter.h"

#include <string>
#include <utility>

namespace yarrow::sql {
namespace {

using duckdb::ExpressionType;
using duckdb::TableFilterType;
using Ranges = std::vector<KeyRange>;

Ranges AllKeys() {
  return {KeyRange{}};
}

std::optional<std::string> KeyOf(const duckdb::Value& row_id, std::string_view key_prefix) {
  if (row_id.IsNull() || row_id.type().id() != duckdb::LogicalTypeId::BLOB) return std::nullopt;
  return std::string(key_prefix) + duckdb::StringValue::Get(row_id);
}

std::optional<Ranges> Compare(const duckdb::ConstantFilter& filter, std::string_view key_prefix) {
  const auto key = KeyOf(filter.constant, key_prefix);
  if (!key) return std::nullopt;
  switch (filter.comparison_type) {
    case ExpressionType::COMPARE_EQUAL:
      return Ranges{{*key, KeySuccessor(*key)}};
    case ExpressionType::COMPARE_LESSTHAN:
      return Ranges{{"", *key}};
    case ExpressionType::COMPARE_LESSTHANOREQUALTO:
      return Ranges{{"", KeySuccessor(*key)}};
    case ExpressionType::COMPARE_GREATERTHAN:
      return Ranges{{KeySuccessor(*key), ""}};
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      return Ranges{{*key, ""}};
    default:
      return std::nullopt;
  }
}

std::optional<Ranges> In(const duckdb::InFilter& filter, std::string_view key_prefix) {
  Ranges ranges;
  for (const duckdb::Value& value : filter.values) {
    const auto key = KeyOf(value, key_prefix);
    if (!key) return std::nullopt;
    ranges.push_back({*key, KeySuccessor(*key)});
  }
  return Normalize(std::move(ranges));
}

std::optional<Ranges> All(const duckdb::ConjunctionAndFilter& filter, std::string_view key_prefix) {
  Ranges ranges = AllKeys();
  for (const auto& child : filter.child_filters) {
    const auto passed = RowIdRanges(*child, key_prefix);
    if (!passed) return std::nullopt;
    ranges = Intersect(ranges, *passed);
  }
  return ranges;
}

}  // namespace

std::optional<Ranges> RowIdRanges(const duckdb::TableFilter& filter, std::string_view key_prefix) {
  switch (filter.filter_type) {
    case TableFilterType::CONSTANT_COMPARISON:
      return Compare(filter.Cast<duckdb::ConstantFilter>(), key_prefix);
    case TableFilterType::IN_FILTER:
      return In(filter.Cast<duckdb::InFilter>(), key_prefix);
    case TableFilterType::IS_NOT_NULL:
      return AllKeys();
    case TableFilterType::CONJUNCTION_AND:
      return All(filter.Cast<duckdb::ConjunctionAndFilter>(), key_prefix);
    case TableFilterType::OPTIONAL_FILTER: {
      const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
      return child ? RowIdRanges(*child, key_prefix).value_or(AllKeys()) : AllKeys();
    }
    default:
      return std::nullopt;
  }
}

}  // namespace yarrow::sql
