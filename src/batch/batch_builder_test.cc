// BatchBuilder as a scan uses it: schemas, projections, growth, limits, and what it allocates.
#include "batch/batch_builder.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "allocation_count.h"
#include "arrow_assert.h"
#include "batch/arrow_sink.h"
#include "batch/row_decoder.h"
#include "batch/row_encoder.h"
#include "batch/validate.h"
#include "table_fixture.h"

namespace yarrow {
namespace {

using test::kPrefix;

// id BIGINT, number INTEGER, text VARCHAR, flag BOOLEAN; `text_size` bytes of text a row; each `null_every`-th row all
// NULL.
class SmallTable {
 public:
  explicit SmallTable(size_t rows, size_t text_size = 5, size_t null_every = 0) {
    schema = *test::MakeTable({{{1, "id", TypeId::kInt64, false, {}},
                                {2, "number", TypeId::kInt32, true, {}},
                                {3, "text", TypeId::kUtf8, true, {}},
                                {4, "flag", TypeId::kBool, true, {}}},
                               {1}});
    RowEncoder encoder(schema, kPrefix);
    for (size_t i = 0; i < rows; ++i) {
      const bool is_null = null_every > 0 && i % null_every == 0;
      values.push_back({static_cast<int64_t>(i), is_null ? Value() : Value(static_cast<int32_t>(i * 3)),
                        is_null ? Value() : Value(std::string(text_size, static_cast<char>('a' + i % 26))),
                        is_null ? Value() : Value(i % 3 == 0)});
      keys.emplace_back();
      encoded.emplace_back();
      EXPECT_OK(encoder.EncodeValues(values[i], &keys[i], &encoded[i]));
    }
  }

  std::unique_ptr<BatchBuilder> Builder(arrow::MemoryPool* pool = nullptr) const {
    return BatchBuilder::Make(schema, {0, 1, 2, 3}, schema->arrow_schema(), pool).ValueOrDie();
  }
  void AppendAll(BatchBuilder* builder) const {
    for (size_t i = 0; i < keys.size(); ++i) ASSERT_OK(builder->Append(keys[i], encoded[i]));
  }

  std::shared_ptr<const RowSchema> schema;
  std::vector<std::vector<Value>> values;
  std::vector<std::string> keys;
  std::vector<std::string> encoded;
};

TEST(BatchBuilder, EveryBatchCarriesOneSchemaObject) {
  const SmallTable table(10);
  const std::vector<int> columns = {2, 0};
  const auto schema = ProjectedSchema(*table.schema, columns);
  ASSERT_OK_AND_ASSIGN(auto builder, BatchBuilder::Make(table.schema, columns, schema));
  EXPECT_EQ(builder->schema().get(), schema.get());
  for (int round = 0; round < 3; ++round) {
    table.AppendAll(builder.get());
    ASSERT_OK_AND_ASSIGN(const auto batch, builder->Finish());
    EXPECT_EQ(batch->schema().get(), schema.get());
    EXPECT_EQ(batch->num_rows(), 10);
    EXPECT_EQ(batch->column_name(0), "text");
    EXPECT_EQ(batch->column_name(1), "id");
  }
}

TEST(BatchBuilder, ProjectedSchemaOfAllColumnsIsTheTables) {
  const SmallTable table(0);
  EXPECT_EQ(ProjectedSchema(*table.schema, {0, 1, 2, 3}).get(), table.schema->arrow_schema().get());
  EXPECT_EQ(ProjectedSchema(*table.schema, {1, 0, 2, 3})->field(0)->name(), "number");
  EXPECT_EQ(ProjectedSchema(*table.schema, {})->num_fields(), 0);
  EXPECT_EQ(ProjectedSchema(*table.schema, {3, 3})->num_fields(), 2);
}

TEST(BatchBuilder, RefusesWrongColumnsAndSchemas) {
  const SmallTable table(0);
  EXPECT_ERROR_HAS(BatchBuilder::Make(table.schema, {4}, table.schema->arrow_schema()), "no column number 4");
  EXPECT_ERROR_HAS(BatchBuilder::Make(table.schema, {-1}, table.schema->arrow_schema()), "no column number -1");
  EXPECT_ERROR_HAS(BatchBuilder::Make(table.schema, {1, 0}, ProjectedSchema(*table.schema, {0, 1})),
                   "not that of the projection");
}

TEST(BatchBuilder, NoColumnsStillCountRows) {
  const SmallTable table(10);
  ASSERT_OK_AND_ASSIGN(auto builder, BatchBuilder::Make(table.schema, {}, ProjectedSchema(*table.schema, {})));
  table.AppendAll(builder.get());
  ASSERT_OK_AND_ASSIGN(const auto batch, builder->Finish());
  EXPECT_EQ(batch->num_rows(), 10);
  EXPECT_EQ(batch->num_columns(), 0);
  EXPECT_EQ(builder->rows_decoded(), 10u);
  EXPECT_EQ(builder->bytes_decoded(), 0u);
}

// From no room at all to whatever comes, with text that outgrows the guess, and NULLs before and after growth.
TEST(BatchBuilder, GrowsToAnySize) {
  for (const size_t text_size : {0, 3, 40, 900}) {
    for (const size_t null_every : {0, 2, 70}) {
      const SmallTable table(300, text_size, null_every);
      const auto builder = table.Builder();
      ASSERT_OK_AND_ASSIGN(const auto want, test::MakeBatch(*table.schema, table.values));
      for (const int64_t reserve : {0, 1, 10, 299, 5000}) {
        ASSERT_OK(builder->Reserve(reserve));
        table.AppendAll(builder.get());
        ASSERT_OK_AND_ASSIGN(const auto batch, builder->Finish());
        ASSERT_OK(batch::ValidateInFull(*batch));
        EXPECT_TRUE(test::SameBatch(*batch, *want));
      }
    }
  }
}

TEST(BatchBuilder, BatchesOutliveTheBuilder) {
  const SmallTable table(100, 50, 7);
  std::shared_ptr<arrow::Array> text;
  std::shared_ptr<arrow::RecordBatch> want = *test::MakeBatch(*table.schema, table.values);
  {
    const auto builder = table.Builder();
    table.AppendAll(builder.get());
    text = (*builder->Finish())->column(2);
  }
  EXPECT_TRUE(text->Equals(want->column(2)));
}

TEST(BatchBuilder, BitmapsOnlyOfColumnsWithNulls) {
  SmallTable table(100);
  RowEncoder encoder(table.schema, kPrefix);
  const auto builder = table.Builder();
  table.AppendAll(builder.get());
  std::string key, row;
  ASSERT_OK(encoder.EncodeValues(std::vector<Value>{500, Value(), "x", true}, &key, &row));
  ASSERT_OK(builder->Append(key, row));
  ASSERT_OK_AND_ASSIGN(const auto batch, builder->Finish());
  EXPECT_EQ(batch->column_data(0)->buffers[0], nullptr);
  ASSERT_NE(batch->column_data(1)->buffers[0], nullptr);
  EXPECT_EQ(batch->column_data(1)->null_count.load(), 1);
  EXPECT_EQ(batch->column_data(2)->buffers[0], nullptr);
  EXPECT_EQ(batch->column_data(3)->buffers[0], nullptr);
}

TEST(BatchBuilder, IsFullByBytes) {
  const size_t text_size = 1 << 20;
  const SmallTable table(1, text_size);
  const auto builder = table.Builder();
  for (int round = 0; round < 2; ++round) {
    int rows = 0;
    while (!builder->full()) {
      ASSERT_OK(builder->Append(table.keys[0], table.encoded[0]));
      ++rows;
    }
    EXPECT_EQ(rows, static_cast<int>(kBatchBytes / text_size));
    ASSERT_OK_AND_ASSIGN(const auto batch, builder->Finish());
    EXPECT_EQ(batch->num_rows(), rows);
    EXPECT_FALSE(builder->full());
  }
}

// Arrow's limit on the text of a column, lowered: the row is refused, the batch goes on.
TEST(ArrowSink, TextOverflowDropsTheRowOnly) {
  const SmallTable table(10, 100, 3);
  batch::ArrowSink sink({TypeId::kUtf8, TypeId::kInt32}, arrow::default_memory_pool(), /*max_text_bytes=*/250);
  batch::RowDecoder<batch::ArrowSink> decoder(table.schema, {2, 1});
  // Rows 0 and 3 are NULL; of 1, 2, 4 only two fit.
  for (size_t i = 0; i < 4; ++i) ASSERT_OK(decoder.Decode(table.keys[i], table.encoded[i], sink));
  for (int round = 0; round < 2; ++round) {
    const arrow::Status status = decoder.Decode(table.keys[4], table.encoded[4], sink);
    EXPECT_TRUE(status.IsCapacityError()) << status.ToString();
    EXPECT_EQ(sink.row(), 4);
  }
  ASSERT_OK(decoder.Decode(table.keys[6], table.encoded[6], sink));
  ASSERT_OK_AND_ASSIGN(const auto columns, sink.Finish());
  EXPECT_EQ(columns[0]->length, 5);
  EXPECT_EQ(columns[0]->null_count.load(), 3);
  ASSERT_OK(batch::ValidateInFull(*arrow::MakeArray(columns[0])));
  ASSERT_OK(decoder.Decode(table.keys[4], table.encoded[4], sink));
  EXPECT_EQ(sink.row(), 1);
}

TEST(BatchBuilder, AllocatesNothingPerRow) {
  const SmallTable table(2000, 12, 9);
  const auto builder = table.Builder();
  table.AppendAll(builder.get());
  ASSERT_OK(builder->Finish().status());
  ASSERT_OK(builder->Reserve(2000));
  ASSERT_OK(builder->Append(table.keys[0], table.encoded[0]));  // has NULLs: bitmaps
  const uint64_t before = test::AllocationCount();
  for (size_t i = 0; i < 1999; ++i) ASSERT_OK(builder->Append(table.keys[i], table.encoded[i]));
  EXPECT_EQ(test::AllocationCount(), before);

  RowEncoder encoder(table.schema, kPrefix);
  ASSERT_OK_AND_ASSIGN(const auto batch, builder->Finish());
  ASSERT_OK(encoder.BindBatch(*batch));
  std::string key, row;
  ASSERT_OK(encoder.EncodeRow(2, &key, &row));
  const uint64_t before_encoding = test::AllocationCount();
  for (int64_t i = 0; i < batch->num_rows(); ++i) ASSERT_OK(encoder.EncodeRow(i, &key, &row));
  EXPECT_EQ(test::AllocationCount(), before_encoding);
}

// LIMIT 10: one allocation from the pool, a few for the arrays.
TEST(BatchBuilder, SmallBatchesAllocateLittle) {
  const SmallTable table(10);
  arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
  const auto builder = table.Builder(&pool);
  table.AppendAll(builder.get());  // makes the plan of the schema version
  ASSERT_OK(builder->Finish().status());
  const int64_t pool_before = pool.num_allocations();
  const uint64_t before = test::AllocationCount();
  ASSERT_OK(builder->Reserve(10));
  table.AppendAll(builder.get());
  ASSERT_OK_AND_ASSIGN(const auto batch, builder->Finish());
  EXPECT_EQ(pool.num_allocations() - pool_before, 1);
  EXPECT_LT(pool.bytes_allocated(), 1024);
#ifdef NDEBUG  // validation allocates
  EXPECT_LE(test::AllocationCount() - before, 20u);
#else
  static_cast<void>(before);
#endif
}

// A batch reserved for many rows that got few does not hold on to the room.
TEST(BatchBuilder, GivesSlackBack) {
  const SmallTable table(10, 5, 4);
  arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
  const auto builder = table.Builder(&pool);
  ASSERT_OK(builder->Reserve(kBatchRows));
  table.AppendAll(builder.get());
  ASSERT_OK_AND_ASSIGN(const auto batch, builder->Finish());
  EXPECT_LT(pool.bytes_allocated(), 8 << 10);
  ASSERT_OK_AND_ASSIGN(const auto want, test::MakeBatch(*table.schema, table.values));
  EXPECT_TRUE(test::SameBatch(*batch, *want));
}

}  // namespace
}  // namespace yarrow
