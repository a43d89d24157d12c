// Compiled row tests where the interpreter of sql_semantics_test cannot go: damaged bytes, and what a scan relies on.
#include "predicate/row_predicate.h"

#include <gtest/gtest.h>

#include <cstring>

#include "arrow_assert.h"
#include "predicate/normal_form.h"
#include "predicate_table.h"
#include "random_seed.h"

namespace yarrow::test {
namespace {

using Op = Predicate::Op;

RowColumn Column(uint32_t id, std::string name, ColumnType type) {
  RowColumn column;
  column.id = id;
  column.name = std::move(name);
  column.type = std::move(type);
  column.nullable = id > 2;
  return column;
}

// Key (id BIGINT, code VARCHAR); version 2 added `late` with a default.
class DamagedRows : public ::testing::Test {
 protected:
  void SetUp() override {
    RowSchema::Options options;
    options.table_name = "main.t";
    options.key_prefix_size = 5;
    options.columns = {Column(1, "id", TypeId::kInt64),
                       Column(2, "code", TypeId::kUtf8),
                       Column(3, "flag", TypeId::kBool),
                       Column(4, "name", TypeId::kUtf8),
                       Column(5, "note", TypeId::kUtf8),
                       Column(6, "price", ColumnType::Decimal(5, 2)),
                       Column(7, "noon", ColumnType::Time(TimeUnit::kMicro)),
                       Column(8, "late", TypeId::kInt64)};
    options.columns.back().default_value = Value(int64_t{42});
    options.key_column_ids = {1, 2};
    options.versions = {Version(options, 1, {3, 4, 5, 6, 7}), Version(options, 2, {3, 4, 5, 6, 7, 8})};
    ASSERT_OK_AND_ASSIGN(auto schema, RowSchema::Make(options));
    ASSERT_OK_AND_ASSIGN(auto table, TestTable::Make(schema, std::string("\2\0\0\0\1", 5)));
    table_ = std::make_unique<TestTable>(std::move(table));
    const std::vector<Value> values = {Value(int64_t{7}), Value("UA"),      Value(true),
                                       Value("name"),     Value("note"),    Value(Decimal{150, 2}),
                                       Value(int64_t{9}), Value(int64_t{1})};
    ASSERT_OK(table_->Add(values, *schema->FindVersion(1)));
    ASSERT_OK(table_->Add(values, *schema->FindVersion(2)));
  }

  static RowVersion Version(const RowSchema::Options& options, uint32_t number, std::vector<uint32_t> ids) {
    RowVersion version{number, std::move(ids), {}};
    for (const uint32_t id : version.column_ids) version.types.push_back(options.columns[id - 1].type);
    return version;
  }

  RowPredicate::Evaluator Test(const Predicate& predicate) const {
    return RowPredicate::Evaluator(RowPredicate::Compile(predicate, table_->row_schema()).ValueOrDie());
  }

  // The row of version 2, and how to damage it.
  const EncodedRow& good() const { return table_->rows()[1]; }
  const RowLayout& layout() const { return table_->row_schema()->FindVersion(2)->layout; }
  void ExpectDamaged(const Predicate& predicate, std::string_view key, std::string_view row, const char* text) const {
    RowPredicate::Evaluator test = Test(predicate);
    EXPECT_FALSE(test.Matches(key, row));
    EXPECT_ERROR_HAS(test.status(), "table main.t: the row of key ");
    EXPECT_ERROR_HAS(test.status(), text);
    // The next row is read as if nothing had been, the error stays.
    EXPECT_TRUE(Test(predicate).Matches(good().key, good().row));
    test.Matches(good().key, good().row);
    EXPECT_FALSE(test.status().ok());
  }

  std::unique_ptr<TestTable> table_;
};

TEST_F(DamagedRows, OlderVersionsHaveDefaults) {
  RowPredicate::Evaluator test = Test(Predicate::Compare(7, Op::kEq, int64_t{42}));
  EXPECT_TRUE(test.Matches(table_->rows()[0].key, table_->rows()[0].row));
  EXPECT_FALSE(test.Matches(table_->rows()[1].key, table_->rows()[1].row));
  EXPECT_TRUE(test.Matches(table_->rows()[0].key, table_->rows()[0].row));
  EXPECT_OK(test.status());
}

TEST_F(DamagedRows, KnowsTheColumnsItReads) {
  const Predicate predicate = Predicate::And({Predicate::IsNull(3), Predicate::Compare(0, Op::kEq, int64_t{1}),
                                              Predicate::Or({Predicate::IsNull(3), Predicate::IsNull(6)})});
  ASSERT_OK_AND_ASSIGN(const auto compiled, RowPredicate::Compile(predicate, table_->row_schema()));
  EXPECT_EQ(compiled->columns(), (std::vector<int>{0, 3, 6}));
}

TEST_F(DamagedRows, HeaderAndShape) {
  const Predicate any = Predicate::IsNotNull(2);
  ExpectDamaged(any, good().key, "", "cannot be read");
  ExpectDamaged(any, good().key, std::string_view(good().row).substr(0, 5), "cannot be read");
  ExpectDamaged(any, good().key, good().row + "x", "damaged row");
  std::string row = good().row;
  row[2] = 9;
  ExpectDamaged(any, good().key, row, "schema version 9 is unknown");
  row = good().row;
  row[0] = 77;
  ExpectDamaged(any, good().key, row, "format");
  // Even when nothing of the row is tested.
  ExpectDamaged(Predicate::True(), good().key, row, "key (7, 'UA')");
}

TEST_F(DamagedRows, FieldsThatAreNoValues) {
  std::string row = good().row;
  row[layout().fixed_offset(0)] = 2;
  ExpectDamaged(Predicate::Compare(2, Op::kEq, true), good().key, row, "column flag");
  row = good().row;
  std::memset(row.data() + layout().fixed_offset(3), 0x7F, 16);
  ExpectDamaged(Predicate::Compare(5, Op::kGt, Decimal{0, 2}), good().key, row, "column price");
  ExpectDamaged(Predicate::In(5, {Value(Decimal{0, 2}), Value(Decimal{150, 2})}), good().key, row, "column price");
  row = good().row;
  std::memset(row.data() + layout().fixed_offset(4), 0xFF, 8);
  ExpectDamaged(Predicate::Compare(6, Op::kLt, int64_t{100}), good().key, row, "column noon");
  // End offsets out of order: "name" would end behind "note".
  row = good().row;
  row[layout().offsets_start()] = 100;
  ExpectDamaged(Predicate::Compare(3, Op::kNe, "x"), good().key, row, "column name");
  ExpectDamaged(Predicate::StartsWith(4, "note"), good().key, row, "column note");
  ExpectDamaged(Predicate::In(4, {Value("note"), Value("x")}), good().key, row, "column note");
}

TEST_F(DamagedRows, Keys) {
  const Predicate code = Predicate::Compare(1, Op::kEq, "UA");
  const std::string& key = good().key;
  ExpectDamaged(code, "", good().row, "shorter than its prefix");
  ExpectDamaged(code, std::string_view(key).substr(0, key.size() - 1), good().row, "part 2");
  ExpectDamaged(code, key + "x", good().row, "bytes");
  ExpectDamaged(Predicate::Compare(0, Op::kEq, int64_t{7}), std::string_view(key).substr(0, 9), good().row, "part 1");
}

// Whatever the bytes: no crash, and a row passes only if an honest reading of it passes.
TEST(RowPredicateFuzz, DamageNeverPassesUnseen) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  for (int round = 0; round < Rounds(300) && !::testing::Test::HasFailure(); ++round) {
    ASSERT_OK_AND_ASSIGN(const TestTable table, TestTable::Random(5, 1 + Below(random, 2), true, 4, random));
    const RowSchema& schema = *table.row_schema();
    const auto column = static_cast<int>(Below(random, 5));
    const ColumnType& type = schema.columns()[static_cast<size_t>(column)].type;
    const Predicate predicate =
        OneIn(random, 4) ? Predicate::In(column, {RandomValue(type, random), RandomValue(type, random)})
                         : Predicate::Compare(column, static_cast<Op>(Below(random, 6)), RandomValue(type, random));
    SCOPED_TRACE(predicate.ToString(table.column_names()));
    ASSERT_OK_AND_ASSIGN(const auto compiled, RowPredicate::Compile(predicate, table.row_schema()));
    const Predicate normal = NormalForm(predicate);
    for (int i = 0; i < 100; ++i) {
      const EncodedRow& intact = table.rows()[Below(random, table.rows().size())];
      std::string key = intact.key, row = intact.row;
      std::string& victim = OneIn(random, 4) ? key : row;
      if (OneIn(random, 3)) victim.resize(Below(random, victim.size() + 1));
      for (size_t hits = Below(random, 4); hits > 0 && !victim.empty(); --hits) {
        victim[Below(random, victim.size())] = static_cast<char>(random());
      }
      // On the heap, of exact size, so that ASan sees every byte read beyond it.
      const std::vector<char> exact_key(key.begin(), key.end()), exact_row(row.begin(), row.end());
      RowPredicate::Evaluator test(compiled);
      const bool passes = test.Matches({exact_key.data(), key.size()}, {exact_row.data(), row.size()});
      if (passes) EXPECT_OK(test.status());
      const auto version = RowSchemaVersion(row);
      const auto* known = version.ok() ? schema.FindVersion(*version) : nullptr;
      if (known == nullptr || !CheckRowShape(known->layout, row)) {
        EXPECT_FALSE(passes);
        EXPECT_FALSE(test.status().ok());
        continue;
      }
      const RowSchema::Place& place = known->places[static_cast<size_t>(column)];
      if (place.kind == RowSchema::Place::kDefault) continue;
      arrow::Result<Value> value = Value();
      if (place.kind == RowSchema::Place::kField) {
        value = ReadField(known->layout, row, static_cast<size_t>(place.index));
        // From a narrower one; of timestamps any number is one that was stored once.
        if (value.ok() && type.id != TypeId::kTimestamp) value = value->CastTo(type);
      } else {
        const bool has_prefix = key.size() >= schema.key_prefix_size();
        auto decoded =
            schema.key_codec().Decode(has_prefix ? std::string_view(key).substr(schema.key_prefix_size()) : "");
        value = decoded.ok() ? arrow::Result<Value>(decoded->at(static_cast<size_t>(place.index))) : decoded.status();
      }
      // Text is compared as the bytes it is: whether they are UTF-8 is for those to ask who build with it. And other
      // key columns than the tested one are only measured.
      if (value.ok()) {
        // x > NaN is never true, and no leaf any more.
        EXPECT_EQ(passes, normal.kind() != Predicate::Kind::kFalse && LeafHolds(normal, *value));
        EXPECT_OK(test.status());
      } else if (!type.is_variable() && place.kind == RowSchema::Place::kField) {
        EXPECT_FALSE(test.status().ok()) << value.status().ToString();
      }
    }
  }
}

}  // namespace
}  // namespace yarrow::test
