#include "cli/where_parser.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <random>

#include "arrow_assert.h"
#include "cli/where_comparison.h"
#include "random_seed.h"
#include "yarrow/value.h"

namespace yarrow::cli {
namespace {

namespace cp = arrow::compute;

struct TestColumn {
  std::string name;
  ColumnType type;
  std::vector<std::optional<std::string>> cells;  // as Value::Parse reads them
};

const std::vector<TestColumn>& Columns() {
  static const std::vector<TestColumn> columns = {
      {"i", TypeId::kInt64, {"-3", "0", "1", "2", std::nullopt, "9223372036854775807"}},
      {"small", TypeId::kInt8, {"-128", "0", "5", "127", "7", std::nullopt}},
      {"u", TypeId::kUInt64, {"0", "1", "18446744073709551615", std::nullopt, "7", "8"}},
      {"d", TypeId::kDouble, {"-inf", "-0.0", "0.0", "nan", std::nullopt, "inf"}},
      {"f", TypeId::kFloat, {"0.1", "nan", "2.5", "-1", std::nullopt, "0"}},
      {"price", ColumnType::Decimal(6, 2), {"-1.01", "0.00", "1.00", "1.01", std::nullopt, "9999.99"}},
      {"t", TypeId::kUtf8, {"", "a", "apple", "a%b", std::nullopt, "it's"}},
      {"b", TypeId::kBool, {"true", "false", std::nullopt, "true", "false", std::nullopt}},
      {"day", TypeId::kDate32, {"2013-01-01", "2013-01-02", "1969-12-31", std::nullopt, "2024-02-29", "2013-06-01"}},
      {"at",
       ColumnType::Timestamp(TimeUnit::kSecond),
       {"2013-01-01 10:00:00", "2013-01-01 10:00:01", std::nullopt, "1969-12-31 23:59:59", "2024-02-29", "2013-01-02"}},
      {"zoned",
       ColumnType::Timestamp(TimeUnit::kMicro, "UTC"),
       {"2013-01-01 10:00:00Z", std::nullopt, "2013-01-01 12:00:00+02:00", "2014-01-01", "2015-01-01", "2016-01-01"}},
      {"Mixed Case", TypeId::kInt32, {"1", "2", "3", "4", "5", "6"}},
  };
  return columns;
}

constexpr int64_t kRows = 6;

Value CellOf(const TestColumn& column, int64_t row) {
  const auto& cell = column.cells[static_cast<size_t>(row)];
  return cell ? Value::Parse(*cell, column.type).ValueOrDie() : Value();
}

std::shared_ptr<arrow::RecordBatch> Batch() {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const TestColumn& column : Columns()) {
    fields.push_back(arrow::field(column.name, column.type.ToArrow()));
    auto builder = arrow::MakeBuilder(column.type.ToArrow()).ValueOrDie();
    for (int64_t row = 0; row < kRows; ++row) {
      const Value cell = CellOf(column, row);
      if (cell.is_null()) {
        EXPECT_OK(builder->AppendNull());
      } else {
        EXPECT_OK(builder->AppendScalar(*cell.ToScalar(column.type).ValueOrDie()));
      }
    }
    arrays.push_back(builder->Finish().ValueOrDie());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), kRows, arrays);
}

// One letter a row: true, false or NULL.
arrow::Result<std::string> Evaluate(std::string_view where) {
  const auto batch = Batch();
  ARROW_ASSIGN_OR_RAISE(const auto expression, ParseWhere(where, *batch->schema()));
  ARROW_ASSIGN_OR_RAISE(const auto bound, expression.Bind(*batch->schema()));
  ARROW_ASSIGN_OR_RAISE(const auto datum, cp::ExecuteScalarExpression(bound, cp::ExecBatch(*batch)));
  std::string truths;
  for (int64_t row = 0; row < kRows; ++row) {
    const auto scalar = datum.is_scalar() ? datum.scalar() : datum.make_array()->GetScalar(row).ValueOrDie();
    const auto& truth = static_cast<const arrow::BooleanScalar&>(*scalar);
    truths += !truth.is_valid ? 'N' : truth.value ? 'T' : 'F';
  }
  return truths;
}

class WhereTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_OK(cp::Initialize()); }

  static void Expect(std::string_view where, std::string_view truths) {
    SCOPED_TRACE(where);
    const auto got = Evaluate(where);
    ASSERT_OK(got.status());
    EXPECT_EQ(*got, truths);
  }
};

TEST_F(WhereTest, ComparesIntegers) {
  Expect("i = 1", "FFTFNF");
  Expect("i == 1", "FFTFNF");
  Expect("i <> 1", "TTFTNT");
  Expect("i != 1", "TTFTNT");
  Expect("i < 1", "TTFFNF");
  Expect("i <= +1", "TTTFNF");
  Expect("-3 < i", "FTTTNT");
  Expect("1 >= i", "TTTFNF");
  Expect("i = '2'", "FFFTNF");
  Expect("u = 18446744073709551615", "FFTNFF");
  Expect("i = NULL", "NNNNNN");
}

TEST_F(WhereTest, ComparesWithNumbersThatTheTypeCannotHold) {
  Expect("i > 1.5", "FFFTNT");
  Expect("i <= 1.5", "TTTFNF");
  Expect("i = 1.5", "FFFFNF");
  Expect("NOT i = 1.5", "TTTTNT");
  Expect("i >= -0.5", "FTTTNT");
  Expect("i = 1.0", "FFTFNF");
  Expect("i = 2e0", "FFFTNF");
  Expect("i < 1e30", "TTTTNT");
  Expect("i < 1e300", "TTTTNT");
  Expect("i > -1e300", "TTTTNT");
  Expect("i > 1e-300", "FFTTNT");
  Expect("i <> 1e30", "TTTTNT");
  Expect("small < 128", "TTTTTN");
  Expect("small <= -129", "FFFFFN");
  Expect("u >= -1", "TTTNTT");
  Expect("price < 1.005", "TTTFNF");
  Expect("price > -1.005", "FTTTNT");
  Expect("price = 1", "FFTFNF");
  Expect("price IN (1, 1.01, 1.011)", "FFTTNF");
}

TEST_F(WhereTest, NanIsEqualToItselfAndAboveAllNumbers) {
  Expect("d = 0", "FTTFNF");
  Expect("d > 0", "FFFTNT");
  Expect("d >= 0", "FTTTNT");
  Expect("d < 0", "TFFFNF");
  Expect("d <= 0", "TTTFNF");
  Expect("d <> 0", "TFFTNT");
  Expect("d = 'nan'", "FFFTNF");
  Expect("d <> 'nan'", "TTTFNT");
  Expect("d < 'nan'", "TTTFNT");
  Expect("d <= 'nan'", "TTTTNT");
  Expect("d > 'nan'", "FFFFNF");
  Expect("d >= 'nan'", "FFFTNF");
  Expect("d IN (0, 'nan')", "FTTTNF");
  Expect("d NOT IN (0, 'nan')", "TFFFNT");
  Expect("d IN ('-0.0')", "FTTFNF");
  Expect("f = 0.1", "TFFFNF");
  Expect("d BETWEEN 0 AND 'nan'", "FTTTNT");
}

TEST_F(WhereTest, ComparesColumns) {
  Expect("d > f", "FFFTNT");
  Expect("d >= f", "FFFTNT");
  Expect("d < f", "TTTFNF");
  Expect("d = d", "TTTTNT");
  Expect("d <> f", "TTTTNT");
  Expect("i < small", "FFTTNN");
  Expect("\"Mixed Case\" > i", "TTTTNF");
}

TEST_F(WhereTest, Lists) {
  Expect("i IN (1, 2)", "FFTTNF");
  Expect("i NOT IN (1, 2)", "TTFFNT");
  Expect("i IN (1, NULL)", "NNTNNN");
  Expect("i NOT IN (1, NULL)", "NNFNNN");
  Expect("i NOT IN (NULL)", "NNNNNN");
  Expect("i IN (1.5)", "FFFFNF");
  Expect("t IN ('a', 'it''s')", "FTFFNT");
}

TEST_F(WhereTest, RangesNullsAndLogic) {
  Expect("i BETWEEN 0 AND 2", "FTTTNF");
  Expect("i NOT BETWEEN 0 AND 2", "TFFFNT");
  Expect("i IS NULL", "FFFFTF");
  Expect("i IS NOT NULL", "TTTTFT");
  Expect("i BETWEEN NULL AND 0", "NNFFNF");
  Expect("b", "TFNTFN");
  Expect("NOT b", "FTNFTN");
  Expect("b = true", "TFNTFN");
  Expect("b AND i = 1", "FFNFFF");
  Expect("b OR i = 1", "TFTTNN");
  Expect("TRUE OR b", "TTTTTT");
  Expect("NULL AND b", "NFNNFN");
  Expect("i = 0 OR i = 1 AND t = 'nope'", "FTFFNF");
  Expect("(i = 0 OR i = 1) AND t = 'a'", "FTFFNF");
  Expect("NOT i = 0 AND NOT (i = 1 OR i IS NULL)", "TFFTFT");
  Expect("not i between 0 and 2 or I = 1", "TFTFNT");
}

TEST_F(WhereTest, Text) {
  Expect("t = 'it''s'", "FFFFNT");
  Expect("t < 'a'", "TFFFNF");
  Expect("t LIKE 'a%'", "FTTTNF");
  Expect("t NOT LIKE 'a%'", "TFFFNT");
  Expect("t LIKE '%'", "TTTTNT");
  Expect("t LIKE 'a'", "FTFFNF");
  Expect("t LIKE '_pp%'", "FFTFNF");
  Expect("t LIKE '%l_'", "FFTFNF");
  Expect("t LIKE 'a\\%b'", "FFFTNF");
  Expect("t LIKE 'a\\%%'", "FFFTNF");
}

TEST_F(WhereTest, DatesAndTimestamps) {
  Expect("day = DATE '2013-01-01'", "TFFNFF");
  Expect("day >= '2013-01-02'", "FTFNTT");
  Expect("day > TIMESTAMP '2013-01-01 12:00:00'", "FTFNTT");
  Expect("day <= TIMESTAMP '1969-12-31 12:00:00'", "FFTNFF");
  Expect("day = TIMESTAMP '2013-01-01 00:00:00'", "TFFNFF");
  Expect("day = TIMESTAMP '2013-01-01 12:00:00'", "FFFNFF");
  Expect("at > DATE '2013-01-01'", "TTNFTT");
  Expect("at <= TIMESTAMP '2013-01-01 10:00:00.5'", "TFNTFF");
  Expect("at < TIMESTAMP '1969-12-31 23:59:59.5'", "FFNTFF");
  Expect("zoned = TIMESTAMP '2013-01-01 10:00:00'", "TNTFFF");
  Expect("zoned < '2014-01-01T01:00:00+01:00'", "TNTFFF");
}

TEST_F(WhereTest, FindsColumnsByNameInAnyCase) {
  Expect("I = 1", "FFTFNF");
  Expect("\"Mixed Case\" = 3", "FFTFFF");
  EXPECT_ERROR_HAS(Evaluate("\"mixed case\" = 3"), "no column \"mixed case\"");
}

TEST_F(WhereTest, ErrorsSayWhereAndWhat) {
  const auto expect_error = [](std::string_view where, const std::string& message) {
    SCOPED_TRACE(where);
    EXPECT_ERROR_HAS(Evaluate(where), message);
  };
  expect_error("", "position 1: expected a column, found the end");
  expect_error("nope = 1", "position 1: no column nope; there are: i, small, u,");
  expect_error("i = ", "position 5: expected a value or a column, found the end");
  expect_error("i 1", "position 3: expected a comparison (=, <>, <, <=, >, >=), IS, IN, BETWEEN or LIKE, found 1");
  expect_error("i = 1 i", "position 7: expected AND, OR or the end, found i");
  expect_error("(i = 1", "position 7: expected ')', found the end");
  expect_error("i IS 1", "position 6: expected NULL, found 1");
  expect_error("i IN (1, )", "position 10: expected a value, found )");
  expect_error("i BETWEEN 1 OR 2", "position 13: expected AND, found OR");
  expect_error("i NOT 1", "position 7: expected BETWEEN, IN or LIKE, found 1");
  expect_error("t = 5", "position 5: 5 is a number, but column t is VARCHAR: write '5'");
  expect_error("i = 'x'", "position 5: cannot read 'x' as BIGINT (column i)");
  expect_error("i = TRUE", "position 5: true is BOOLEAN, but column i is BIGINT");
  expect_error("t = DATE '2013-01-01'", "is a DATE, but column t is VARCHAR");
  expect_error("day = '2013-02-30'", "position 7: cannot read '2013-02-30' as DATE");
  expect_error("i LIKE 'a%'", "LIKE needs a text column; i is BIGINT");
  expect_error("1 = 1", "position 3: one side of the comparison has to be a column");
  expect_error("t = 'a", "position 5: the quote ' is never closed");
  expect_error("i = 12abc", "position 5: '12a...' is not a number");
  expect_error("i ~ 1", "position 3: unexpected character '~'");
  expect_error("t = \"a\"", "text goes in single quotes");
  expect_error("i < t", "position 3: columns i (BIGINT) and t (VARCHAR) cannot be compared");
  expect_error(std::string(1000, '(') + "b" + std::string(1000, ')'), "too many parentheses");
}

TEST_F(WhereTest, TakesLongChainsOfConditions) {
  std::string where = "i = 0";
  for (int n = 1; n < 20'000; ++n) where += " OR i = " + std::to_string(n);
  Expect(where, "FTTTNF");
}

// --- against a direct evaluation of SQL's rules -------------------------------------------------------------------

enum class Truth { kFalse, kNull, kTrue };

Truth Not(Truth truth) {
  return static_cast<Truth>(2 - static_cast<int>(truth));
}

// A random predicate as text, with its value for each row.
struct Sample {
  std::string text;
  std::vector<Truth> truths;
};

class Sampler {
 public:
  explicit Sampler(uint64_t seed) : random_(seed) {}

  Sample Predicate(int depth) {
    const uint64_t choice = depth == 0 ? 0 : Below(4);
    if (choice < 1) return Test();
    if (choice == 1) {
      Sample sample = Predicate(depth - 1);
      sample.text = "NOT (" + sample.text + ")";
      for (Truth& truth : sample.truths) truth = Not(truth);
      return sample;
    }
    Sample left = Predicate(depth - 1);
    const Sample right = Predicate(depth - 1);
    const bool is_and = choice == 2;
    left.text = "(" + left.text + (is_and ? ") AND (" : ") OR (") + right.text + ")";
    for (size_t row = 0; row < kRows; ++row) {
      left.truths[row] =
          is_and ? std::min(left.truths[row], right.truths[row]) : std::max(left.truths[row], right.truths[row]);
    }
    return left;
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }

  Value RandomCell(const TestColumn& column) { return CellOf(column, static_cast<int64_t>(Below(kRows))); }

  static std::string Show(const Value& value, const ColumnType& type) {
    if (value.is_null()) return "NULL";
    std::string text = "'";
    for (const char c : value.ToString(type)) text += c == '\'' ? "''" : std::string(1, c);
    return text + "'";
  }

  static Truth Compare(const Value& cell, size_t op, const Value& value) {
    if (cell.is_null() || value.is_null()) return Truth::kNull;
    const auto order = CompareValues(cell, value);
    const bool truths[] = {order == 0, order != 0, order<0, order <= 0, order> 0, order >= 0};
    return truths[op] ? Truth::kTrue : Truth::kFalse;
  }

  Sample Test() {
    const TestColumn& column = Columns()[Below(Columns().size())];
    const std::string name = '"' + column.name + '"';
    if (Below(8) == 0) {
      Sample sample{name + " IS NULL", {}};
      for (int64_t row = 0; row < kRows; ++row) {
        sample.truths.push_back(CellOf(column, row).is_null() ? Truth::kTrue : Truth::kFalse);
      }
      return sample;
    }
    if (Below(3) == 0) return ListTest(column, name);
    const char* const operators[] = {"=", "<>", "<", "<=", ">", ">="};
    const size_t op = Below(6);
    const Value value = RandomCell(column);
    Sample sample{name + " " + operators[op] + " " + Show(value, column.type), {}};
    for (int64_t row = 0; row < kRows; ++row) sample.truths.push_back(Compare(CellOf(column, row), op, value));
    return sample;
  }

  Sample ListTest(const TestColumn& column, const std::string& name) {
    Sample sample{name + " IN (", std::vector<Truth>(kRows, Truth::kFalse)};
    const uint64_t values = 1 + Below(3);
    for (uint64_t i = 0; i < values; ++i) {
      const Value value = RandomCell(column);
      sample.text += (i > 0 ? ", " : "") + Show(value, column.type);
      for (size_t row = 0; row < kRows; ++row) {
        sample.truths[row] = std::max(sample.truths[row], Compare(CellOf(column, static_cast<int64_t>(row)), 0, value));
      }
    }
    sample.text += ")";
    return sample;
  }

  std::mt19937_64 random_;
};

TEST_F(WhereTest, RandomPredicatesFollowSql) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  Sampler sampler(seed);
  for (int round = 0; round < test::Rounds(2000); ++round) {
    const Sample sample = sampler.Predicate(3);
    std::string expected;
    for (const Truth truth : sample.truths) expected += "FNT"[static_cast<int>(truth)];
    Expect(sample.text, expected);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace yarrow::cli
