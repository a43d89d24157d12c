#include "cold/predicate_bounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "random_seed.h"

namespace yarrow::cold {
namespace {

using Op = Predicate::Op;
using Random = std::mt19937_64;
enum class Truth { kFalse, kNull, kTrue };

// SQL's three-valued logic, written down once more and row by row: the oracle.
Truth Evaluate(const Predicate& predicate, const std::vector<Value>& row);

Truth EvaluateLeaf(const Predicate& leaf, const Value& value) {
  const auto truth = [](bool holds) { return holds ? Truth::kTrue : Truth::kFalse; };
  switch (leaf.kind()) {
    case Predicate::Kind::kIsNull:
      return truth(value.is_null());
    case Predicate::Kind::kIsNotNull:
      return truth(!value.is_null());
    default:
      break;
  }
  if (value.is_null()) return Truth::kNull;
  if (leaf.kind() == Predicate::Kind::kIn) {
    bool has_null = false;
    for (const Value& other : leaf.values()) {
      if (!other.is_null() && std::is_eq(CompareValues(value, other))) return Truth::kTrue;
      has_null = has_null || other.is_null();
    }
    return has_null ? Truth::kNull : Truth::kFalse;
  }
  const Value& literal = leaf.values().front();
  if (leaf.kind() == Predicate::Kind::kStartsWith) {
    return truth(value.get<std::string>().starts_with(literal.get<std::string>()));
  }
  if (literal.is_null()) return Truth::kNull;
  const auto order = CompareValues(value, literal);
  switch (leaf.op()) {
    case Op::kEq:
      return truth(std::is_eq(order));
    case Op::kNe:
      return truth(std::is_neq(order));
    case Op::kLt:
      return truth(std::is_lt(order));
    case Op::kLe:
      return truth(std::is_lteq(order));
    case Op::kGt:
      return truth(std::is_gt(order));
    default:
      return truth(std::is_gteq(order));
  }
}

Truth Evaluate(const Predicate& predicate, const std::vector<Value>& row) {
  switch (predicate.kind()) {
    case Predicate::Kind::kTrue:
      return Truth::kTrue;
    case Predicate::Kind::kFalse:
      return Truth::kFalse;
    case Predicate::Kind::kNot: {
      const Truth truth = Evaluate(predicate.children().front(), row);
      return truth == Truth::kNull ? truth : truth == Truth::kTrue ? Truth::kFalse : Truth::kTrue;
    }
    case Predicate::Kind::kAnd:
    case Predicate::Kind::kOr: {
      const bool is_and = predicate.kind() == Predicate::Kind::kAnd;
      Truth combined = is_and ? Truth::kTrue : Truth::kFalse;
      for (const Predicate& child : predicate.children()) {
        const Truth truth = Evaluate(child, row);
        combined = is_and ? std::min(combined, truth) : std::max(combined, truth);
      }
      return combined;
    }
    default:
      return EvaluateLeaf(predicate, row[static_cast<size_t>(predicate.column())]);
  }
}

// Two columns: a double from few values, and a text of few letters.
Value AnyReal(Random& random) {
  const double reals[] = {-2, -1, -0.0, 0.0, 1, 2, 3, std::nan(""), INFINITY};
  return Value(reals[random() % std::size(reals)]);
}
Value AnyText(Random& random) {
  std::string text(random() % 4, 'a');
  for (char& letter : text) letter = static_cast<char>('a' + random() % 3);
  return Value(text);
}

Predicate AnyPredicate(int depth, Random& random) {
  const auto children = [&] {
    std::vector<Predicate> made;
    for (uint64_t n = 1 + random() % 3; n > 0; --n) made.push_back(AnyPredicate(depth - 1, random));
    return made;
  };
  if (depth > 0 && random() % 3 == 0) return Predicate::And(children());
  if (depth > 0 && random() % 3 == 0) return Predicate::Or(children());
  if (depth > 0 && random() % 3 == 0) return Predicate::Not(AnyPredicate(depth - 1, random));
  const int column = static_cast<int>(random() % 2);
  const auto value = [&] {
    return random() % 12 == 0 ? Value::Null() : column == 0 ? AnyReal(random) : AnyText(random);
  };
  switch (random() % 6) {
    case 0:
      return Predicate::IsNull(column);
    case 1:
      return Predicate::IsNotNull(column);
    case 2: {
      std::vector<Value> values;
      for (uint64_t n = random() % 4; n > 0; --n) values.push_back(value());
      return Predicate::In(column, std::move(values));
    }
    case 3:
      return Predicate::StartsWith(1, AnyText(random).get<std::string>());
    default:
      return Predicate::Compare(column, static_cast<Op>(random() % 6), value());
  }
}

ColumnStatistics StatisticsOf(const std::vector<std::vector<Value>>& rows, size_t column, const ColumnType& type) {
  ColumnStatistics statistics;
  statistics.type = type;
  for (const auto& row : rows) {
    const Value& value = row[column];
    if (value.is_null()) {
      ++statistics.null_count;
    } else if (column == 0 && std::isnan(value.get<double>())) {
      statistics.has_nan = true;
    } else {
      if (!statistics.min || std::is_lt(CompareValues(value, *statistics.min))) statistics.min = value;
      if (!statistics.max || std::is_gt(CompareValues(value, *statistics.max))) statistics.max = value;
    }
  }
  return statistics;
}

TEST(PredicateBoundsTest, NeverRulesOutARowThatPasses) {
  const uint64_t seed = yarrow::test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  int ruled_out = 0;
  int none_passes = 0;
  for (int round = 0; round < yarrow::test::Rounds(20'000); ++round) {
    std::vector<std::vector<Value>> rows(1 + random() % 3);
    for (auto& row : rows) {
      row.push_back(random() % 4 == 0 ? Value::Null() : AnyReal(random));
      row.push_back(random() % 4 == 0 ? Value::Null() : AnyText(random));
    }
    const ColumnBounds bounds[] = {
        ColumnBounds::Of(StatisticsOf(rows, 0, TypeId::kDouble), rows.size(), TypeId::kDouble),
        ColumnBounds::Of(StatisticsOf(rows, 1, TypeId::kUtf8), rows.size(), TypeId::kUtf8)};
    const Predicate predicate = AnyPredicate(3, random);
    const bool may_be_true = MayBeTrue(predicate, [&](int column) { return bounds[column]; });
    const bool passes =
        std::ranges::any_of(rows, [&](const auto& row) { return Evaluate(predicate, row) == Truth::kTrue; });
    ASSERT_TRUE(may_be_true || !passes) << predicate.ToString({"real", "text"});
    ruled_out += may_be_true ? 0 : 1;
    none_passes += passes ? 0 : 1;
  }
  EXPECT_GT(ruled_out, none_passes * 6 / 10);  // it does rule out most of what it could
}

bool May(const Predicate& predicate, const ColumnBounds& bounds) {
  return MayBeTrue(predicate, [&](int) { return bounds; });
}

TEST(PredicateBoundsTest, NanIsTheGreatest) {
  ColumnStatistics statistics;
  statistics.type = TypeId::kDouble;
  statistics.min = Value(1.0);
  statistics.max = Value(2.0);
  const Predicate above = Predicate::Compare(0, Op::kGt, Value(5.0));
  EXPECT_FALSE(May(above, ColumnBounds::Of(statistics, 10, TypeId::kDouble)));
  statistics.has_nan = true;
  EXPECT_TRUE(May(above, ColumnBounds::Of(statistics, 10, TypeId::kDouble)));
  EXPECT_FALSE(May(Predicate::Compare(0, Op::kLt, Value(0.5)), ColumnBounds::Of(statistics, 10, TypeId::kDouble)));
}

TEST(PredicateBoundsTest, BoundsOfOlderTypesAreWidened) {
  const auto of = [](const ColumnType& from, const Value& min, const Value& max, const ColumnType& to) {
    ColumnStatistics statistics;
    statistics.type = from;
    statistics.min = min;
    statistics.max = max;
    return ColumnBounds::Of(statistics, 10, to);
  };
  const auto is = [](const Value& value) { return Predicate::Compare(0, Op::kEq, value); };
  EXPECT_FALSE(May(is(Value(99)), of(TypeId::kInt32, Value(1), Value(9), TypeId::kInt64)));
  EXPECT_TRUE(May(is(Value(9)), of(TypeId::kInt32, Value(1), Value(9), TypeId::kInt64)));
  const ColumnType seconds = ColumnType::Timestamp(TimeUnit::kSecond);
  const ColumnType micros = ColumnType::Timestamp(TimeUnit::kMicro);
  EXPECT_TRUE(May(is(Value(5'000'000)), of(seconds, Value(1), Value(9), micros)));
  EXPECT_FALSE(May(is(Value(5)), of(seconds, Value(1), Value(9), micros)));
  EXPECT_TRUE(May(is(Value(5)), of(TypeId::kDate32, Value(1), Value(2), micros)));  // not known: not ruled out
  const ColumnType cents = ColumnType::Decimal(5, 2);
  const ColumnType mills = ColumnType::Decimal(9, 3);
  EXPECT_TRUE(May(is(Value(Decimal{1500, 3})), of(cents, Value(Decimal{100, 2}), Value(Decimal{200, 2}), mills)));
  EXPECT_FALSE(May(is(Value(Decimal{150, 3})), of(cents, Value(Decimal{100, 2}), Value(Decimal{200, 2}), mills)));
}

TEST(PredicateBoundsTest, DefaultsOfYoungerColumnsAreBounds) {
  EXPECT_FALSE(May(Predicate::IsNotNull(0), ColumnBounds::Of(Value::Null())));
  EXPECT_TRUE(May(Predicate::IsNull(0), ColumnBounds::Of(Value::Null())));
  EXPECT_FALSE(May(Predicate::Compare(0, Op::kNe, Value(3)), ColumnBounds::Of(Value(3))));
  EXPECT_TRUE(May(Predicate::Compare(0, Op::kEq, Value(3)), ColumnBounds::Of(Value(3))));
}

}  // namespace
}  // namespace yarrow::cold
