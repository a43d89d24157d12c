#include "cold/predicate_bounds.h"

#include <string>
#include <utility>

#include "type/calendar.h"
#include "type/type_traits.h"

namespace yarrow::cold {
namespace {

using Kind = Predicate::Kind;
using Op = Predicate::Op;

// The outcomes that a predicate may have for the rows, as a set.
enum Outcomes : unsigned { kNone = 0, kTrue = 1, kFalse = 2, kNull = 4 };

// The bound as a value of another type; nothing when it is none there, or order might change on the way.
std::optional<Value> Widen(const Value& bound, const ColumnType& from, const ColumnType& to) {
  if (from == to) return bound;
  if (IsTemporal(from) || IsTemporal(to)) {
    if (from.id != to.id || from.id == TypeId::kDate32) return std::nullopt;
    const auto count = ConvertUnits(bound.get<int64_t>(), from.unit, to.unit);
    if (!count.has_value()) return std::nullopt;
    return Value(*count);
  }
  auto cast = bound.CastTo(to);
  if (!cast.ok()) return std::nullopt;
  return *std::move(cast);
}

bool Below(const Value& a, const Value& b) {
  return std::is_lt(CompareValues(a, b));
}

// Which of TRUE and FALSE `value <op> literal` can be for a value within the bounds.
unsigned CompareOutcomes(const ColumnBounds& bounds, Op op, const Value& literal) {
  const bool all_below = bounds.max.has_value() && Below(*bounds.max, literal);
  const bool all_above = bounds.min.has_value() && Below(literal, *bounds.min);
  const bool none_below = bounds.min.has_value() && !Below(*bounds.min, literal);
  const bool none_above = bounds.max.has_value() && !Below(literal, *bounds.max);
  const auto outcomes = [](bool never, bool always) { return (never ? 0U : kTrue) | (always ? 0U : kFalse); };
  switch (op) {
    case Op::kEq:
      return outcomes(all_below || all_above, none_below && none_above);
    case Op::kNe:
      return outcomes(none_below && none_above, all_below || all_above);
    case Op::kLt:
      return outcomes(none_below, all_below);
    case Op::kLe:
      return outcomes(all_above, none_above);
    case Op::kGt:
      return outcomes(none_above, all_above);
    case Op::kGe:
      return outcomes(all_below, none_below);
  }
  return kTrue | kFalse;
}

// IN over its values: TRUE if one can be equal; FALSE unless one always is; a NULL in the list makes a miss NULL.
unsigned InOutcomes(const ColumnBounds& bounds, const std::vector<Value>& values) {
  unsigned outcomes = kFalse;
  bool has_null = false;
  for (const Value& value : values) {
    if (value.is_null()) {
      has_null = true;
      continue;
    }
    const unsigned equal = CompareOutcomes(bounds, Op::kEq, value);
    outcomes |= equal & kTrue;
    if ((equal & kFalse) == 0) outcomes &= ~static_cast<unsigned>(kFalse);
  }
  if (has_null && (outcomes & kFalse) != 0) outcomes = (outcomes & ~static_cast<unsigned>(kFalse)) | kNull;
  return outcomes;
}

bool StartsWith(const std::optional<Value>& bound, const std::string& prefix) {
  return bound.has_value() && bound->get<std::string>().starts_with(prefix);
}

unsigned PrefixOutcomes(const ColumnBounds& bounds, const std::string& prefix) {
  // Texts with the prefix lie together: below them are those less than it, above those greater that do not start so.
  const bool all_below = bounds.max.has_value() && Below(*bounds.max, Value(prefix));
  const bool all_above = bounds.min.has_value() && Below(Value(prefix), *bounds.min) && !StartsWith(bounds.min, prefix);
  const bool always = StartsWith(bounds.min, prefix) && StartsWith(bounds.max, prefix);
  return (all_below || all_above ? 0U : kTrue) | (always ? 0U : kFalse);
}

unsigned LeafOutcomes(const Predicate& leaf, const ColumnBounds& bounds) {
  if (leaf.kind() == Kind::kIsNull || leaf.kind() == Kind::kIsNotNull) {
    const bool is_null = leaf.kind() == Kind::kIsNull;
    return (bounds.may_be_null ? (is_null ? kTrue : kFalse) : 0U) |
           (bounds.may_be_value ? (is_null ? kFalse : kTrue) : 0U);
  }
  unsigned outcomes = bounds.may_be_null ? kNull : kNone;
  if (!bounds.may_be_value) return outcomes;
  if (leaf.kind() == Kind::kIn) return outcomes | InOutcomes(bounds, leaf.values());
  const Value& literal = leaf.values().front();
  if (literal.is_null()) return outcomes | kNull;
  if (leaf.kind() == Kind::kStartsWith) return outcomes | PrefixOutcomes(bounds, literal.get<std::string>());
  return outcomes | CompareOutcomes(bounds, leaf.op(), literal);
}

using BoundsOf = std::function<ColumnBounds(int column)>;
unsigned OutcomesOf(const Predicate& predicate, const BoundsOf& bounds_of);

// AND for `absorbing` = FALSE, OR for TRUE: the absorbing outcome of one child decides, else NULL of one, else
// `neutral`. The outcomes of the children are taken as independent, which only adds some.
unsigned CombineOutcomes(const std::vector<Predicate>& children, unsigned absorbing, unsigned neutral,
                         const BoundsOf& bounds_of) {
  unsigned combined = neutral;
  for (const Predicate& child : children) {
    const unsigned outcomes = OutcomesOf(child, bounds_of);
    if (outcomes == kNone) return kNone;
    unsigned next = (combined | outcomes) & absorbing;
    if ((combined & kNull) != 0 && (outcomes & (kNull | neutral)) != 0) next |= kNull;
    if ((outcomes & kNull) != 0 && (combined & (kNull | neutral)) != 0) next |= kNull;
    if ((combined & outcomes & neutral) != 0) next |= neutral;
    combined = next;
  }
  return combined;
}

unsigned OutcomesOf(const Predicate& predicate, const BoundsOf& bounds_of) {
  switch (predicate.kind()) {
    case Kind::kTrue:
      return kTrue;
    case Kind::kFalse:
      return kFalse;
    case Kind::kAnd:
      return CombineOutcomes(predicate.children(), kFalse, kTrue, bounds_of);
    case Kind::kOr:
      return CombineOutcomes(predicate.children(), kTrue, kFalse, bounds_of);
    case Kind::kNot: {
      const unsigned outcomes = OutcomesOf(predicate.children().front(), bounds_of);
      return (outcomes & kNull) | ((outcomes & kTrue) != 0 ? kFalse : 0U) | ((outcomes & kFalse) != 0 ? kTrue : 0U);
    }
    case Kind::kField:  // of which there are no bounds
      return kTrue | kFalse | kNull;
    default:
      return LeafOutcomes(predicate, bounds_of(predicate.column()));
  }
}

}  // namespace

ColumnBounds ColumnBounds::Of(const Value& only) {
  if (only.is_null()) return {.min = {}, .max = {}, .may_be_null = true, .may_be_value = false};
  return {.min = only, .max = only, .may_be_null = false, .may_be_value = true};
}

ColumnBounds ColumnBounds::Of(const ColumnStatistics& statistics, uint64_t rows, const ColumnType& type) {
  ColumnBounds bounds;
  bounds.may_be_null = statistics.null_count > 0;
  bounds.may_be_value = statistics.null_count < rows;
  if (statistics.min.has_value()) bounds.min = Widen(*statistics.min, statistics.type, type);
  if (statistics.max.has_value() && !statistics.has_nan) bounds.max = Widen(*statistics.max, statistics.type, type);
  return bounds;
}

bool MayBeTrue(const Predicate& predicate, const BoundsOf& bounds_of) {
  return (OutcomesOf(predicate, bounds_of) & kTrue) != 0;
}

bool MayMatch(const SegmentInfo& info, const RowSchema& row_schema, const Predicate& predicate) {
  if (info.schema_version > row_schema.current().layout.schema_version()) return true;  // who reads it refuses it
  return MayBeTrue(predicate, [&](int number) {
    const RowColumn& column = row_schema.columns()[static_cast<size_t>(number)];
    const ColumnStatistics* statistics = info.FindColumn(column.id);
    return statistics == nullptr ? ColumnBounds::Of(column.older_value())
                                 : ColumnBounds::Of(*statistics, info.rows, column.type);
  });
}

}  // namespace yarrow::cold
