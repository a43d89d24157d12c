#include "yarrow/predicate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "arrow_assert.h"
#include "predicate/normal_form.h"

namespace yarrow {
namespace {

using Op = Predicate::Op;

const std::vector<std::string> kNames = {"a", "b", "c"};

Predicate A(Op op, Value value) {
  return Predicate::Compare(0, op, std::move(value));
}
Predicate B(Op op, Value value) {
  return Predicate::Compare(1, op, std::move(value));
}

std::string Text(const Predicate& predicate) {
  return predicate.ToString(kNames);
}
std::string Normal(const Predicate& predicate) {
  return NormalForm(predicate).ToString(kNames);
}

TEST(Predicate, DefaultIsTrue) {
  EXPECT_EQ(Predicate().kind(), Predicate::Kind::kTrue);
  EXPECT_EQ(Text(Predicate()), "true");
}

TEST(Predicate, FlattensAndFoldsWhenBuilt) {
  const Predicate a = A(Op::kLt, 5), b = B(Op::kGe, 7);
  EXPECT_EQ(Text(Predicate::And({a, Predicate::And({b, a})})), "(a < 5 AND b >= 7 AND a < 5)");
  EXPECT_EQ(Text(Predicate::Or({Predicate::Or({a, b}), Predicate::False()})), "(a < 5 OR b >= 7)");
  EXPECT_EQ(Text(Predicate::And({a, Predicate::False()})), "false");
  EXPECT_EQ(Text(Predicate::Or({a, Predicate::True()})), "true");
  EXPECT_EQ(Text(Predicate::And({})), "true");
  EXPECT_EQ(Text(Predicate::Or({})), "false");
  EXPECT_EQ(Text(Predicate::And({a})), "a < 5");
  EXPECT_EQ(Text(Predicate::Not(Predicate::Not(a))), "a < 5");
  EXPECT_EQ(Text(Predicate::Not(Predicate::True())), "false");
  EXPECT_EQ(Text(Predicate::In(0, {Value(3)})), "a = 3");
  EXPECT_EQ(Text(Predicate::In(0, {})), "false");
}

TEST(Predicate, ShowsItselfAsSql) {
  EXPECT_EQ(Text(Predicate::Compare(2, Op::kEq, "it's")), "c = 'it''s'");
  EXPECT_EQ(Text(Predicate::StartsWith(2, "ab")), "c LIKE 'ab%'");
  EXPECT_EQ(Text(Predicate::Not(Predicate::In(0, {Value(1), Value::Null()}))), "NOT a IN (1, NULL)");
  EXPECT_EQ(Text(Predicate::Between(0, 1, 2)), "(a >= 1 AND a <= 2)");
  EXPECT_EQ(Text(Predicate::IsNull(7)), "column 7 IS NULL");
}

TEST(NormalForm, MergesIntervalsOfAColumn) {
  EXPECT_EQ(Normal(Predicate::And({A(Op::kGt, 5), B(Op::kLt, 1), A(Op::kGt, 7), A(Op::kLe, 9)})),
            "(a > 7 AND a <= 9 AND b < 1)");
  EXPECT_EQ(Normal(Predicate::And({A(Op::kGe, 5), A(Op::kGt, 5)})), "a > 5");
  EXPECT_EQ(Normal(Predicate::And({A(Op::kGe, 5), A(Op::kLe, 5)})), "a = 5");
  EXPECT_EQ(Normal(Predicate::And({A(Op::kGt, 5), A(Op::kLe, 5)})), "false");
  EXPECT_EQ(Normal(Predicate::And({A(Op::kGt, 5), A(Op::kLt, 4)})), "false");
  EXPECT_EQ(Normal(Predicate::And({A(Op::kEq, 5), A(Op::kEq, 6)})), "false");
  EXPECT_EQ(Normal(Predicate::And({A(Op::kGt, 5), A(Op::kNe, 3), A(Op::kNe, 8)})), "(a > 5 AND a <> 8)");
  EXPECT_EQ(Normal(Predicate::And({A(Op::kNe, 8), A(Op::kNe, 3)})), "NOT a IN (3, 8)");
  EXPECT_EQ(Normal(Predicate::And({Predicate::IsNotNull(0), A(Op::kGt, 5)})), "a > 5");
  EXPECT_EQ(Normal(Predicate::And({Predicate::IsNull(0), A(Op::kGt, 5)})), "false");
}

TEST(NormalForm, SortsAndNarrowsLists) {
  const auto list = Predicate::In(0, {Value(9), Value(3), Value(9), Value::Null(), Value(5)});
  EXPECT_EQ(Normal(list), "a IN (3, 5, 9)");
  EXPECT_EQ(Normal(Predicate::And({list, A(Op::kGt, 3)})), "a IN (5, 9)");
  EXPECT_EQ(Normal(Predicate::And({list, A(Op::kGt, 5)})), "a = 9");
  EXPECT_EQ(Normal(Predicate::And({list, A(Op::kGt, 9)})), "false");
  EXPECT_EQ(Normal(Predicate::And({list, Predicate::In(0, {Value(5), Value(4)})})), "a = 5");
  EXPECT_EQ(Normal(Predicate::Or({A(Op::kEq, 9), B(Op::kEq, 1), A(Op::kEq, 2)})), "(a IN (2, 9) OR b = 1)");
  const auto texts = Predicate::In(2, {Value("ab"), Value("b"), Value("abc")});
  EXPECT_EQ(Normal(Predicate::And({texts, Predicate::StartsWith(2, "a")})), "c IN ('ab', 'abc')");
}

TEST(NormalForm, MergesPrefixes) {
  const auto starts = [](const char* text) { return Predicate::StartsWith(2, text); };
  EXPECT_EQ(Normal(Predicate::And({starts("a"), starts("abc"), starts("ab")})), "c LIKE 'abc%'");
  EXPECT_EQ(Normal(Predicate::And({starts("ab"), starts("ac")})), "false");
  EXPECT_EQ(Normal(starts("")), "c IS NOT NULL");
  EXPECT_EQ(Normal(Predicate::Not(starts(""))), "false");
}

TEST(NormalForm, NullNeverPassesUnderAnyNots) {
  Predicate predicate = A(Op::kEq, Value::Null());
  for (int nots = 0; nots < 4; ++nots) {
    EXPECT_EQ(Normal(predicate), "false") << nots;
    predicate = Predicate::Not(Predicate::And({predicate, A(Op::kEq, Value::Null())}));
  }
  EXPECT_EQ(Normal(Predicate::Not(Predicate::In(0, {Value(1), Value::Null()}))), "false");
  EXPECT_EQ(Normal(Predicate::Not(Predicate::In(0, {Value(1), Value(2)}))), "NOT a IN (1, 2)");
}

TEST(NormalForm, MovesNotToTheLeaves) {
  EXPECT_EQ(Normal(Predicate::Not(Predicate::And({A(Op::kLt, 5), B(Op::kEq, 1)}))), "(a >= 5 OR b <> 1)");
  EXPECT_EQ(Normal(Predicate::Not(Predicate::Or({A(Op::kLt, 5), Predicate::IsNull(1)}))), "(a >= 5 AND b IS NOT NULL)");
}

TEST(NormalForm, NanIsTheGreatest) {
  const double nan = std::nan("");
  EXPECT_EQ(Normal(A(Op::kLe, nan)), "a IS NOT NULL");
  EXPECT_EQ(Normal(A(Op::kGt, nan)), "false");
  EXPECT_EQ(Normal(Predicate::And({A(Op::kGe, nan), A(Op::kLt, 1.0)})), "false");
}

TEST(CheckPredicate, NamesTableColumnAndValue) {
  RowSchema::Options options;
  options.table_name = "main.t";
  options.key_column_ids = {1};
  options.columns.resize(2);
  options.columns[0].id = 1;
  options.columns[0].name = "tiny";
  options.columns[0].type = TypeId::kInt8;
  options.columns[0].nullable = false;
  options.columns[1].id = 2;
  options.columns[1].name = "price";
  options.columns[1].type = ColumnType::Decimal(5, 2);
  options.versions = {RowVersion{1, {2}, {ColumnType::Decimal(5, 2)}}};
  ASSERT_OK_AND_ASSIGN(const auto schema, RowSchema::Make(options));
  const auto check = [&](const Predicate& predicate) { return CheckPredicate(Predicate::Not(predicate), *schema); };
  EXPECT_OK(check(A(Op::kLt, int64_t{100})));
  EXPECT_OK(check(A(Op::kLt, Value::Null())));
  EXPECT_ERROR_HAS(check(A(Op::kLt, int64_t{300})), "column tiny of table main.t, which is TINYINT, with 300");
  EXPECT_ERROR_HAS(check(A(Op::kLt, uint64_t{3})), "not in the form of that type");
  EXPECT_ERROR_HAS(check(A(Op::kLt, "x")), "with x");
  EXPECT_ERROR_HAS(check(B(Op::kLt, Decimal{15, 1})), "a decimal of scale 1");
  EXPECT_ERROR_HAS(check(Predicate::In(0, {Value(int64_t{1}), Value(1.5)})), "with 1.5");
  EXPECT_ERROR_HAS(check(Predicate::StartsWith(0, "x")), "neither text nor binary");
  EXPECT_ERROR_HAS(check(Predicate::IsNull(2)), "the table has 2 columns");
  EXPECT_ERROR_HAS(check(Predicate::IsNull(-1)), "column number -1");
}

}  // namespace
}  // namespace yarrow
