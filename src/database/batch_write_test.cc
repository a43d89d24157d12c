// Table::Write: a batch goes in as a whole or not at all.
#include "database_fixture.h"

namespace yarrow {
namespace {

using test::BatchOf;
using test::Column;
using test::ItemsBatch;
using test::ReadTexts;
using test::Spec;
using test::TextOf;
using test::Texts;

class BatchWriteTest : public test::DatabaseTest {
 protected:
  static std::shared_ptr<arrow::RecordBatch> Batch(arrow::FieldVector fields, const test::Rows& rows) {
    return BatchOf(arrow::schema(std::move(fields)), rows).ValueOrDie();
  }
};

TEST_F(BatchWriteTest, UpsertReplacesAndTheLastOfEqualKeysWins) {
  const auto items = CreateItems(3);
  const auto batch = BatchOf(items->schema(), {{int64_t{1}, int64_t{5}, "a", 1.0},
                                               {int64_t{7}, int64_t{5}, "b", Value()},
                                               {int64_t{7}, int64_t{6}, "c", 2.0}})
                         .ValueOrDie();
  ASSERT_OK(items->Write(*batch));
  EXPECT_EQ(ReadTexts(*items).ValueOrDie(), (Texts{"0|0|name 0|null", "1|5|a|1", "2|2|name 2|2", "7|6|c|2"}));
}

TEST_F(BatchWriteTest, InsertOfAnExistingOrRepeatedKeyWritesNothing) {
  const auto items = CreateItems(10);
  const Texts before = ReadTexts(*items).ValueOrDie();
  auto status = items->Write(*ItemsBatch(100, 50, -2), WriteMode::kInsert);  // 100, 98, ... reaches 8
  EXPECT_TRUE(status.IsAlreadyExists()) << status.ToString();
  EXPECT_ERROR_HAS(status, "main.items");
  EXPECT_ERROR_HAS(status, "key (8)");
  EXPECT_EQ(ReadTexts(*items).ValueOrDie(), before);
  const auto twice = BatchOf(items->schema(), {{int64_t{20}, Value(), Value(), Value()},
                                               {int64_t{21}, Value(), Value(), Value()},
                                               {int64_t{20}, Value(), Value(), Value()}})
                         .ValueOrDie();
  status = items->Write(*twice, WriteMode::kInsert);
  EXPECT_TRUE(status.IsAlreadyExists()) << status.ToString();
  EXPECT_ERROR_HAS(status, "key (20)");
  EXPECT_EQ(ReadTexts(*items).ValueOrDie(), before);
  // Deleted and soft-deleted keys are free.
  ASSERT_OK(items->Delete({3}).status());
  ASSERT_OK(items->SoftDelete({4}).status());
  ASSERT_OK(items->Write(*ItemsBatch(3, 2), WriteMode::kInsert));
  EXPECT_EQ(ReadTexts(*items).ValueOrDie(), before);
}

TEST_F(BatchWriteTest, ColumnsAreMatchedByNameAndMissingOnesGetTheirDefault) {
  const auto table = Create(
      Spec("t",
           {Column("id", TypeId::kInt64), Column("note", TypeId::kUtf8, false, "none yet"),
            Column("n", TypeId::kInt32, true, 42), Column("x", TypeId::kDouble), Column("must", TypeId::kUtf8, false)},
           {"id"}));
  ASSERT_OK(table->Write(*Batch({arrow::field("MUST", arrow::utf8()), arrow::field("id", arrow::int64())},
                                {{"m", int64_t{1}}, {"o", int64_t{2}}})));
  EXPECT_EQ(ReadTexts(*table).ValueOrDie(), (Texts{"1|none yet|42|null|m", "2|none yet|42|null|o"}));
  EXPECT_ERROR_HAS(table->Write(*Batch({arrow::field("id", arrow::int64())}, {{int64_t{1}}})), "column must");
  EXPECT_ERROR_HAS(table->Write(*Batch({arrow::field("must", arrow::utf8())}, {{"x"}})), "column id");
  EXPECT_ERROR_HAS(table->Write(*Batch({arrow::field("id", arrow::int64()), arrow::field("must", arrow::utf8()),
                                        arrow::field("extra", arrow::int64())},
                                       {{int64_t{1}, "x", int64_t{1}}})),
                   "no column extra");
  EXPECT_ERROR_HAS(table->Write(*Batch({arrow::field("id", arrow::int64()), arrow::field("must", arrow::utf8())},
                                       {{int64_t{5}, "x"}, {int64_t{6}, Value()}})),
                   "column must, key (6)");
  EXPECT_EQ(ReadTexts(*table).ValueOrDie().size(), 2u);
}

TEST_F(BatchWriteTest, ValuesAreCastWhenTheyFit) {
  const auto table = Create(Spec("t",
                                 {Column("id", TypeId::kInt64), Column("small", TypeId::kInt8),
                                  Column("money", ColumnType::Decimal(8, 2)), Column("text", TypeId::kUtf8)},
                                 {"id"}));
  ASSERT_OK(table->Write(*Batch({arrow::field("id", arrow::int32()), arrow::field("small", arrow::int64()),
                                 arrow::field("money", arrow::int32()), arrow::field("text", arrow::utf8())},
                                {{int64_t{1}, int64_t{-128}, int64_t{12}, "x"}})));
  EXPECT_EQ(TextOf(table->Get({1})), "1|-128|12.00|x");
  const auto misfit = table->Write(*Batch({arrow::field("id", arrow::int32()), arrow::field("small", arrow::int64())},
                                          {{int64_t{7}, int64_t{1}}, {int64_t{8}, int64_t{300}}}));
  EXPECT_ERROR_HAS(misfit, "main.t");
  EXPECT_ERROR_HAS(misfit, "column small, key (8)");
  EXPECT_ERROR_HAS(misfit, "300");
  EXPECT_EQ(TextOf(table->Get({7})), "none");
}

TEST_F(BatchWriteTest, EmptyBatchesAndLargeOnes) {
  const auto items = Create(test::ItemsSpec());
  ASSERT_OK(items->Write(*ItemsBatch(0, 0)));
  EXPECT_EQ(ReadTexts(*items).ValueOrDie(), Texts{});
  ASSERT_OK(items->Write(*ItemsBatch(50000, 50000, -1)));
  ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*items));
  EXPECT_EQ(rows.size(), 50000u);
  EXPECT_EQ(rows[0], "1|1|name 1|1");
  ASSERT_OK(items->Write(*ItemsBatch(0, 1000)->Slice(500, 3)));  // a slice is its own rows
  EXPECT_EQ(ReadTexts(*items).ValueOrDie().size(), 50000u);
}

TEST_F(BatchWriteTest, BatchesOfTablesWithoutKeyAreAppended) {
  const auto log = Create(Spec("log", {Column("n", TypeId::kInt32)}, {}));
  const auto batch = BatchOf(log->schema(), {{int64_t{3}}, {int64_t{1}}, {int64_t{2}}}).ValueOrDie();
  ASSERT_OK(log->Write(*batch));
  ASSERT_OK(log->Write(*batch, WriteMode::kInsert));
  EXPECT_EQ(ReadTexts(*log).ValueOrDie(), (Texts{"3", "1", "2", "3", "1", "2"}));
}

}  // namespace
}  // namespace yarrow
