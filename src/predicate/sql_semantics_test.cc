// Predicates built by hand against a plain three-valued interpreter: simplification, compiled row tests and key splits
// have to agree with it on every row.
#include <gtest/gtest.h>

#include <optional>

#include "arrow_assert.h"
#include "predicate/normal_form.h"
#include "predicate/row_predicate.h"
#include "predicate_table.h"
#include "random_seed.h"

namespace yarrow::test {
namespace {

using Kind = Predicate::Kind;
using Op = Predicate::Op;

using Truth = std::optional<bool>;  // nothing: unknown

Truth Not(Truth truth) {
  return truth ? Truth(!*truth) : truth;
}
Truth And(Truth a, Truth b) {
  if ((a && !*a) || (b && !*b)) return false;
  return a && b ? Truth(true) : Truth();
}
Truth Or(Truth a, Truth b) {
  return Not(And(Not(a), Not(b)));
}

Truth Compare(Op op, const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return {};
  const auto order = CompareValues(a, b);
  switch (op) {
    case Op::kEq:
      return order == 0;
    case Op::kNe:
      return order != 0;
    case Op::kLt:
      return order < 0;
    case Op::kLe:
      return order <= 0;
    case Op::kGt:
      return order > 0;
    case Op::kGe:
      return order >= 0;
  }
  return {};
}

// The definition of what a predicate means.
Truth Interpret(const Predicate& predicate, const std::vector<Value>& row) {
  const auto value = [&]() -> const Value& { return row[static_cast<size_t>(predicate.column())]; };
  Truth truth;
  switch (predicate.kind()) {
    case Kind::kField:  // struct_field_test.cc
      ADD_FAILURE() << "the tables here have no structs";
      return {};
    case Kind::kTrue:
      return true;
    case Kind::kFalse:
      return false;
    case Kind::kCompare:
      return Compare(predicate.op(), value(), predicate.values().front());
    case Kind::kIn:
      truth = false;
      for (const Value& listed : predicate.values()) truth = Or(truth, Compare(Op::kEq, value(), listed));
      return truth;
    case Kind::kIsNull:
      return value().is_null();
    case Kind::kIsNotNull:
      return !value().is_null();
    case Kind::kStartsWith:
      if (value().is_null()) return {};
      return value().get<std::string>().starts_with(predicate.values().front().get<std::string>());
    case Kind::kAnd:
      truth = true;
      for (const Predicate& child : predicate.children()) truth = And(truth, Interpret(child, row));
      return truth;
    case Kind::kOr:
      truth = false;
      for (const Predicate& child : predicate.children()) truth = Or(truth, Interpret(child, row));
      return truth;
    case Kind::kNot:
      return Not(Interpret(predicate.children().front(), row));
  }
  return {};
}

bool Passes(const Predicate& predicate, const std::vector<Value>& row) {
  return Interpret(predicate, row).value_or(false);
}

Value RandomOperand(const ColumnType& type, Random& random) {
  return OneIn(random, 12) ? Value::Null() : RandomValue(type, random);
}

Predicate RandomLeaf(const RowSchema& row_schema, size_t column_limit, Random& random) {
  const auto column = static_cast<int>(Below(random, column_limit));
  const ColumnType& type = row_schema.columns()[static_cast<size_t>(column)].type;
  switch (Below(random, type.is_variable() ? 8 : 7)) {
    case 0:
      return OneIn(random, 2) ? Predicate::IsNull(column) : Predicate::IsNotNull(column);
    case 1: {
      std::vector<Value> values(Below(random, 6));
      for (Value& value : values) value = OneIn(random, 3) ? RandomOperand(type, random) : RandomValue(type, random);
      return Predicate::In(column, std::move(values));
    }
    case 2:
      return Predicate::Between(column, RandomOperand(type, random), RandomOperand(type, random));
    case 7:
      return Predicate::StartsWith(column, RandomValue(type, random).get<std::string>().substr(0, Below(random, 4)));
    default:
      return Predicate::Compare(column, static_cast<Op>(Below(random, 6)), RandomOperand(type, random));
  }
}

// What key ranges are made of, without the NULLs and negations that mostly end in kFalse.
Predicate RandomKeyLeaf(const RowSchema& row_schema, size_t key_size, Random& random) {
  const auto column = static_cast<int>(Below(random, key_size));
  const ColumnType& type = row_schema.columns()[static_cast<size_t>(column)].type;
  if (OneIn(random, 4)) return Predicate::In(column, {RandomValue(type, random), RandomValue(type, random)});
  const auto op = OneIn(random, 2) ? Op::kEq : static_cast<Op>(Below(random, 6));
  return Predicate::Compare(column, op, RandomValue(type, random));
}

using LeafMaker = Predicate (*)(const RowSchema&, size_t, Random&);

Predicate RandomPredicate(LeafMaker make_leaf, const RowSchema& row_schema, size_t column_limit, int depth,
                          Random& random) {
  if (depth == 0 || OneIn(random, 4)) return make_leaf(row_schema, column_limit, random);
  if (OneIn(random, 30)) return OneIn(random, 2) ? Predicate::True() : Predicate::False();
  std::vector<Predicate> children(1 + Below(random, 4));
  for (Predicate& child : children) child = RandomPredicate(make_leaf, row_schema, column_limit, depth - 1, random);
  switch (Below(random, 5)) {
    case 0:
      if (make_leaf == RandomLeaf) return Predicate::Not(children.front());
      [[fallthrough]];
    case 1:
    case 2:
      return Predicate::Or(std::move(children));
    default:
      return Predicate::And(std::move(children));
  }
}

bool InRanges(const std::vector<KeyRange>& ranges, std::string_view key) {
  for (const KeyRange& range : ranges) {
    if (range.Contains(key)) return true;
  }
  return false;
}

void CheckOnRows(const TestTable& table, const Predicate& predicate, size_t max_ranges) {
  const RowSchema& row_schema = *table.row_schema();
  SCOPED_TRACE(predicate.ToString(table.column_names()));
  const Predicate normal = NormalForm(predicate);
  SCOPED_TRACE("in normal form: " + normal.ToString(table.column_names()));
  ASSERT_OK_AND_ASSIGN(const auto compiled, RowPredicate::Compile(predicate, table.row_schema()));
  ASSERT_OK_AND_ASSIGN(const KeySplit split, SplitOnKey(predicate, row_schema, table.key_prefix(), max_ranges));
  SCOPED_TRACE("beyond the key: " + split.rest.ToString(table.column_names()));
  ASSERT_OK_AND_ASSIGN(const auto rest, RowPredicate::Compile(split.rest, table.row_schema()));
  EXPECT_EQ(split.ranges, Normalize(split.ranges));
  EXPECT_LE(split.ranges.size(), max_ranges);

  RowPredicate::Evaluator whole_test(compiled);
  RowPredicate::Evaluator rest_test(rest);
  for (const EncodedRow& row : table.rows()) {
    const bool expected = Passes(predicate, row.values);
    EXPECT_EQ(Passes(normal, row.values), expected);
    EXPECT_EQ(whole_test.Matches(row.key, row.row), expected) << row_schema.DescribeKey(row.key);
    const bool in_ranges = InRanges(split.ranges, row.key);
    EXPECT_EQ(in_ranges && rest_test.Matches(row.key, row.row), expected) << row_schema.DescribeKey(row.key);
  }
  EXPECT_OK(whole_test.status());
  EXPECT_OK(rest_test.status());
}

TEST(SqlSemantics, RandomPredicatesAgreeWithTheInterpreter) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  for (int round = 0; round < Rounds(150) && !::testing::Test::HasFailure(); ++round) {
    const size_t key_size = 1 + Below(random, 3);
    const size_t column_count = key_size + Below(random, 4);
    ASSERT_OK_AND_ASSIGN(const TestTable table,
                         TestTable::Random(column_count, key_size, OneIn(random, 2), /*row_count=*/60, random));
    for (int i = 0; i < 60 && !::testing::Test::HasFailure(); ++i) {
      const bool on_key = OneIn(random, 2);
      const Predicate predicate =
          RandomPredicate(on_key ? RandomKeyLeaf : RandomLeaf, *table.row_schema(), on_key ? key_size : column_count,
                          static_cast<int>(Below(random, 5)), random);
      CheckOnRows(table, predicate, OneIn(random, 3) ? 1 + Below(random, 4) : 10000);
    }
  }
}

}  // namespace
}  // namespace yarrow::test
