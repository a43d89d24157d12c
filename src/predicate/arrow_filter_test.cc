#include "predicate/arrow_filter.h"

#include <arrow/array.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/extension/uuid.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "arrow_assert.h"
#include "predicate/row_predicate.h"
#include "random_filter.h"
#include "random_seed.h"

namespace yarrow::test {
namespace {

namespace cp = arrow::compute;

// One truth value a row, NULL as false; by Arrow. REQUIRES: bound.
arrow::Result<std::vector<bool>> Evaluate(const cp::Expression& bound, const TestTable& table) {
  ARROW_ASSIGN_OR_RAISE(const auto batch, table.ToBatch());
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum datum,
                        cp::ExecuteScalarExpression(bound, *table.row_schema()->arrow_schema(), arrow::Datum(batch)));
  std::vector<bool> truths;
  std::shared_ptr<arrow::Array> array;
  if (datum.is_scalar()) {
    const auto& scalar = static_cast<const arrow::BooleanScalar&>(*datum.scalar());
    return std::vector<bool>(table.rows().size(), scalar.is_valid && scalar.value);
  }
  array = datum.make_array();
  const auto& booleans = static_cast<const arrow::BooleanArray&>(*array);
  for (int64_t i = 0; i < booleans.length(); ++i) truths.push_back(booleans.IsValid(i) && booleans.Value(i));
  return truths;
}

// What a scan would return: key ranges, row test, residual.
arrow::Result<std::vector<bool>> RunPipeline(const ArrowFilter& filter, const TestTable& table) {
  ARROW_ASSIGN_OR_RAISE(const KeySplit split, SplitOnKey(filter.pushed, *table.row_schema(), table.key_prefix()));
  ARROW_ASSIGN_OR_RAISE(const auto rest, RowPredicate::Compile(split.rest, table.row_schema()));
  ARROW_ASSIGN_OR_RAISE(std::vector<bool> passes, Evaluate(filter.residual, table));
  RowPredicate::Evaluator evaluator(rest);
  for (size_t i = 0; i < table.rows().size(); ++i) {
    const EncodedRow& row = table.rows()[i];
    bool in_ranges = false;
    for (const KeyRange& range : split.ranges) in_ranges |= range.Contains(row.key);
    passes[i] = passes[i] && in_ranges && evaluator.Matches(row.key, row.row);
  }
  ARROW_RETURN_NOT_OK(evaluator.status());
  return passes;
}

struct Tally {
  int compared = 0;
  int refused = 0;  // by Arrow: not bound, or failed to evaluate
  int fully_pushed = 0;
};

void CheckFilter(const cp::Expression& filter, const TestTable& table, Tally* tally) {
  SCOPED_TRACE(filter.ToString() + "\nover " + table.row_schema()->arrow_schema()->ToString());
  const auto bound = filter.Bind(*table.row_schema()->arrow_schema());
  const auto expected = bound.ok() ? Evaluate(*bound, table) : bound.status();
  const auto translated = TranslateArrowFilter(filter, *table.row_schema());
  if (!expected.ok()) {
    ++tally->refused;
    return;
  }
  ASSERT_OK(translated.status());
  SCOPED_TRACE("pushed: " + translated->pushed.ToString(table.column_names()) +
               "\nresidual: " + translated->residual.ToString());
  EXPECT_EQ(translated->has_residual, !translated->residual.Equals(cp::literal(true)));
  const auto passes = RunPipeline(*translated, table);
  ASSERT_OK(passes.status());
  for (size_t i = 0; i < table.rows().size(); ++i) {
    ASSERT_EQ(passes->at(i), expected->at(i)) << "row " << i << " of " << table.ToBatch().ValueOrDie()->ToString();
  }
  ++tally->compared;
  tally->fully_pushed += translated->has_residual ? 0 : 1;
}

TEST(ArrowFilter, PushedAndResidualAgreeWithArrow) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  ASSERT_OK(cp::Initialize());
  Tally tally;
  const int rounds = Rounds(250);
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    const size_t key_size = 1 + Below(random, 2);
    ASSERT_OK_AND_ASSIGN(const TestTable table, TestTable::Random(key_size + Below(random, 4), key_size,
                                                                  OneIn(random, 2), /*row_count=*/40, random));
    for (int i = 0; i < 20 && !HasFailure(); ++i) {
      ASSERT_OK_AND_ASSIGN(const auto filter,
                           RandomFilter(*table.row_schema(), static_cast<int>(Below(random, 5)), random));
      CheckFilter(filter, table, &tally);
    }
  }
  // The test is worth something only if most filters can be compared, and many are pushed down whole.
  RecordProperty("compared", tally.compared);
  RecordProperty("fully_pushed", tally.fully_pushed);
  EXPECT_GT(tally.compared, rounds * 20 * 6 / 10);
  EXPECT_GT(tally.fully_pushed, rounds * 20 * 3 / 10);
}

// ---- Single rules.

std::shared_ptr<const RowSchema> Schema() {
  RowSchema::Options options;
  options.table_name = "main.t";
  const std::vector<std::pair<const char*, ColumnType>> columns = {{"id", TypeId::kInt64},
                                                                   {"small", TypeId::kInt8},
                                                                   {"real", TypeId::kDouble},
                                                                   {"single", TypeId::kFloat},
                                                                   {"name", TypeId::kUtf8},
                                                                   {"price", ColumnType::Decimal(10, 2)},
                                                                   {"at", ColumnType::Timestamp(TimeUnit::kMilli)},
                                                                   {"flag", TypeId::kBool},
                                                                   {"uid", TypeId::kUuid},
                                                                   {"day", TypeId::kDate32}};
  for (const auto& [name, type] : columns) {
    RowColumn column;
    column.id = static_cast<uint32_t>(options.columns.size() + 1);
    column.name = name;
    column.type = type;
    column.nullable = column.id != 1;
    options.columns.push_back(column);
  }
  options.key_column_ids = {1};
  RowVersion version{1, RowSchema::StoredColumnIds(options.columns, {1}), {}};
  for (const uint32_t id : version.column_ids) version.types.push_back(options.columns[id - 1].type);
  options.versions = {version};
  return RowSchema::Make(options).ValueOrDie();
}

// "pushed | residual columns"
std::string Translated(const cp::Expression& filter) {
  const auto schema = Schema();
  const auto translated = TranslateArrowFilter(filter, *schema);
  if (!translated.ok()) return translated.status().ToString();
  std::vector<std::string> names;
  for (const RowColumn& column : schema->columns()) names.push_back(column.name);
  std::string text = translated->pushed.ToString(names);
  if (!translated->has_residual) return text;
  text += " |";
  for (const int column : translated->residual_columns) text += " " + names[static_cast<size_t>(column)];
  return text;
}

cp::Expression Column(const char* name) {
  return cp::field_ref(name);
}

TEST(ArrowFilter, ConvertsLiteralsExactlyOrLeavesThem) {
  EXPECT_EQ(Translated(cp::less(Column("id"), cp::literal(int8_t{5}))), "id < 5");
  EXPECT_EQ(Translated(cp::less(cp::literal(5), Column("id"))), "id > 5");
  EXPECT_EQ(Translated(cp::less(Column("id"), cp::literal(5.0))), "id < 5");
  EXPECT_EQ(Translated(cp::less(Column("id"), cp::literal(5.5))), "true | id");
  EXPECT_EQ(Translated(cp::equal(Column("real"), cp::literal(int64_t{3}))), "real = 3");
  EXPECT_EQ(Translated(cp::equal(Column("single"), cp::literal(0.5))), "single = 0.5");
  EXPECT_EQ(Translated(cp::equal(Column("single"), cp::literal(0.1))), "true | single");
  const auto decimal = [](int64_t unscaled, int32_t scale) {
    return cp::literal(
        std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(unscaled), arrow::decimal128(10, scale)));
  };
  EXPECT_EQ(Translated(cp::less(Column("price"), decimal(15, 1))), "price < 1.50");
  EXPECT_EQ(Translated(cp::less(Column("price"), decimal(1234, 3))), "true | price");
  EXPECT_EQ(Translated(cp::less(Column("price"), cp::literal(1.5))), "true | price");
  const auto instant = [](int64_t value, arrow::TimeUnit::type unit) {
    return cp::literal(std::make_shared<arrow::TimestampScalar>(value, arrow::timestamp(unit)));
  };
  EXPECT_EQ(Translated(cp::less(Column("at"), instant(2, arrow::TimeUnit::SECOND))), "at < 2000");
  EXPECT_EQ(Translated(cp::less(Column("at"), instant(2000000, arrow::TimeUnit::NANO))), "at < 2");
  EXPECT_EQ(Translated(cp::less(Column("at"), instant(2000001, arrow::TimeUnit::NANO))), "true | at");
  EXPECT_EQ(Translated(cp::equal(Column("name"), cp::literal(std::make_shared<arrow::LargeStringScalar>("x")))),
            "name = 'x'");
}

TEST(ArrowFilter, FoldsIntegersOutsideOfTheColumn) {
  // Unknown for NULL, else constant.
  EXPECT_EQ(Translated(cp::less(Column("small"), cp::literal(300))), "(small IS NOT NULL OR small = NULL)");
  EXPECT_EQ(Translated(cp::greater(Column("small"), cp::literal(300))), "(small IS NULL AND small = NULL)");
  EXPECT_EQ(Translated(cp::greater(Column("small"), cp::literal(-300))), "(small IS NOT NULL OR small = NULL)");
  EXPECT_EQ(Translated(cp::not_equal(Column("small"), cp::literal(300))), "(small IS NOT NULL OR small = NULL)");
}

TEST(ArrowFilter, KeepsNanOutOfFloatComparisons) {
  EXPECT_EQ(Translated(cp::greater(Column("real"), cp::literal(1.5))), "(real > 1.5 AND real < nan)");
  EXPECT_EQ(Translated(cp::less(Column("real"), cp::literal(1.5))), "real < 1.5");
  EXPECT_EQ(Translated(cp::equal(Column("real"), cp::literal(std::nan("")))), "(real IS NULL AND real = NULL)");
  EXPECT_EQ(Translated(cp::call("is_nan", {Column("real")})), "real = nan");
  EXPECT_EQ(Translated(cp::is_null(Column("real"), /*nan_is_null=*/true)), "(real IS NULL OR real = nan)");
}

TEST(ArrowFilter, SplitsOnlyTheOutermostAnd) {
  const auto pushed = cp::equal(Column("id"), cp::literal(1));
  const auto left = cp::equal(Column("small"), Column("real"));
  EXPECT_EQ(Translated(cp::and_({pushed, left, Column("flag")})), "(id = 1 AND flag = true) | small real");
  EXPECT_EQ(Translated(cp::or_(pushed, left)), "true | id small real");
  EXPECT_EQ(Translated(cp::call("and", {pushed, left})), "id = 1 | small real");
  EXPECT_EQ(Translated(cp::not_(cp::call("and", {pushed, Column("flag")}))), "true | id flag");
  EXPECT_EQ(Translated(cp::not_(cp::call("or", {pushed, Column("flag")}))), "NOT (id = 1 OR flag = true)");
  EXPECT_EQ(Translated(cp::call("or", {pushed, Column("flag")})), "true | id flag");
}

TEST(ArrowFilter, PushesPrefixPatternsOnly) {
  const auto like = [](const char* pattern, bool ignore_case = false) {
    return Translated(cp::call("match_like", {Column("name")}, cp::MatchSubstringOptions(pattern, ignore_case)));
  };
  EXPECT_EQ(like("ab%"), "name LIKE 'ab%'");
  EXPECT_EQ(like("ab%%"), "name LIKE 'ab%'");
  EXPECT_EQ(like("a_%"), "true | name");
  EXPECT_EQ(like("%ab"), "true | name");
  EXPECT_EQ(like("a\\%"), "true | name");
  EXPECT_EQ(like("ab%", true), "true | name");
}

// Arrow itself has no kernels for these; nothing of it is needed when the filter is pushed down.
TEST(ArrowFilter, ComparesUuids) {
  const auto bytes = std::make_shared<arrow::FixedSizeBinaryScalar>(arrow::Buffer::FromString(std::string(16, 'a')),
                                                                    arrow::fixed_size_binary(16));
  const auto uuid = std::make_shared<arrow::ExtensionScalar>(bytes, arrow::extension::uuid());
  const std::string expected = "uid = 61616161-6161-6161-6161-616161616161";
  EXPECT_EQ(Translated(cp::equal(Column("uid"), cp::literal(uuid))), expected);
  EXPECT_EQ(Translated(cp::equal(Column("uid"), cp::literal(bytes))), expected);
}

TEST(ArrowFilter, NamesWhatDoesNotFit) {
  EXPECT_EQ(Translated(cp::equal(Column("ID"), cp::literal(1))), "id = 1");
  const auto schema = Schema();
  const auto fails = [&](const cp::Expression& filter, const char* text) {
    EXPECT_ERROR_HAS(TranslateArrowFilter(filter, *schema), text);
    EXPECT_ERROR_HAS(TranslateArrowFilter(filter, *schema), "main.t");
  };
  fails(cp::equal(Column("nope"), cp::literal(1)), "'nope', which the table does not have; its columns are id, small");
  fails(cp::equal(cp::field_ref(arrow::FieldRef("id", "x")), cp::literal(1)), "which the table does not have");
  fails(cp::equal(cp::field_ref(arrow::FieldPath({77})), cp::literal(1)), "which the table does not have");
  fails(cp::less(Column("name"), cp::literal(1)), "less");
  fails(cp::less(Column("day"), cp::literal(1)), "less");
  fails(cp::call("no_such_function", {Column("id")}), "no_such_function");
  for (const char* function : {"and_kleene", "and", "or_kleene", "invert", "equal", "is_valid"}) {
    fails(cp::call(function, {}), function);
    fails(cp::call(function, {Column("flag"), Column("flag"), Column("flag")}), "3 arguments");
  }
  fails(cp::call("is_in", {Column("id")}), "is_in");  // without options
  fails(cp::Expression(), "empty expression");
  fails(Column("id"), "not true or false");
  fails(cp::and_(Column("flag"), Column("id")), "not true or false");
  fails(cp::literal(arrow::MakeNullScalar(arrow::null())), "not true or false");
}

}  // namespace
}  // namespace yarrow::test
