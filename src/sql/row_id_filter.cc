#include "sql/row_id_filter.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <variant>

#include "sql/condition_translation.h"
#include "sql/row_ids.h"

namespace yarrow::sql {
namespace {

using Op = Predicate::Op;
using Ranges = std::vector<KeyRange>;

// A number, or the key without the prefix of its table.
std::string KeyOf(const Value& row_id, std::string_view key_prefix) {
  const bool is_number = std::holds_alternative<int64_t>(row_id.variant());
  return std::string(key_prefix).append(is_number ? KeyOfNumber(row_id.get<int64_t>()) : row_id.get<std::string>());
}

Ranges Compare(Op op, const std::string& key) {
  switch (op) {
    case Op::kEq:
      return Ranges{{key, KeySuccessor(key)}};
    case Op::kLt:
      return Ranges{{"", key}};
    case Op::kLe:
      return Ranges{{"", KeySuccessor(key)}};
    case Op::kGt:
      return Ranges{{KeySuccessor(key), ""}};
    case Op::kGe:
      return Ranges{{key, ""}};
    case Op::kNe:
      return Ranges{{"", key}, {KeySuccessor(key), ""}};
  }
  return {};
}

std::optional<Ranges> RangesOf(const Predicate& condition, std::string_view key_prefix) {
  for (const Value& value : condition.values()) {
    if (value.is_null()) return std::nullopt;
  }
  switch (condition.kind()) {
    case Predicate::Kind::kTrue:
    case Predicate::Kind::kIsNotNull:  // no row is without an id
      return Ranges{KeyRange{}};
    case Predicate::Kind::kCompare:
      return Compare(condition.op(), KeyOf(condition.values().front(), key_prefix));
    case Predicate::Kind::kIn: {
      Ranges ranges;
      for (const Value& value : condition.values()) {
        std::string key = KeyOf(value, key_prefix);
        std::string end = KeySuccessor(key);
        ranges.push_back({std::move(key), std::move(end)});
      }
      return Normalize(std::move(ranges));
    }
    case Predicate::Kind::kFalse:
    case Predicate::Kind::kIsNull:
      return Ranges{};
    case Predicate::Kind::kOr: {
      Ranges ranges;
      for (const Predicate& child : condition.children()) {
        auto passed = RangesOf(child, key_prefix);
        if (!passed) return std::nullopt;
        std::ranges::move(*passed, std::back_inserter(ranges));
      }
      return Normalize(std::move(ranges));
    }
    case Predicate::Kind::kAnd: {
      Ranges ranges{KeyRange{}};
      for (const Predicate& child : condition.children()) {
        const auto passed = RangesOf(child, key_prefix);
        if (!passed) return std::nullopt;
        ranges = Intersect(ranges, *passed);
      }
      return ranges;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Ranges> RowIdRanges(const duckdb::TableFilter& filter, const TableImpl& table) {
  const TypeId type = table.definition().has_hidden_row_id() ? TypeId::kInt64 : TypeId::kBinary;
  const auto condition = TranslateFilter(filter, /*column=*/0, type, std::numeric_limits<size_t>::max());
  return condition ? RangesOf(*condition, table.key_prefix()) : std::nullopt;
}

}  // namespace yarrow::sql
