#include <arrow/api.h>
#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "batch/batch_builder.h"
#include "batch/row_encoder.h"

namespace yarrow {
namespace {

TEST(Batch, SmokeRoundTrip) {
  RowSchema::Options options;
  options.table_name = "app.t";
  options.columns = {{1, "id", TypeId::kInt64, false, {}}, {2, "name", TypeId::kUtf8, true, {}},
                     {3, "ok", TypeId::kBool, true, {}},   {4, "price", ColumnType::Decimal(10, 2), true, {}},
                     {5, "x", TypeId::kDouble, true, {}},  {6, "u", TypeId::kUuid, true, {}}};
  options.key_column_ids = {1};
  options.key_prefix_size = 5;
  RowVersion version;
  version.version = 1;
  version.column_ids = RowSchema::StoredColumnIds(options.columns, options.key_column_ids);
  for (size_t i = 1; i < options.columns.size(); ++i) version.types.push_back(options.columns[i].type);
  options.versions = {version};
  ASSERT_OK_AND_ASSIGN(auto schema, RowSchema::Make(options));

  RowEncoder encoder(schema, "\x02prfx");
  ASSERT_OK_AND_ASSIGN(auto builder, BatchBuilder::Make(schema, {0, 1, 2, 3, 4, 5}, schema->arrow_schema()));
  ASSERT_OK(builder->Reserve(10));
  std::string key;
  std::string row;
  for (int i = 0; i < 100; ++i) {
    std::vector<Value> values = {
        i - 50, i % 7 == 0 ? Value() : Value("name " + std::to_string(i)), i % 2 == 0, Decimal{i, 2}, i * 0.5, Uuid{}};
    ASSERT_OK(encoder.EncodeValues(values, &key, &row));
    ASSERT_OK(builder->Append(key, row));
  }
  ASSERT_OK_AND_ASSIGN(auto batch, builder->Finish());
  ASSERT_OK(batch->ValidateFull());
  EXPECT_EQ(batch->num_rows(), 100);
  EXPECT_EQ(batch->schema().get(), schema->arrow_schema().get());
  ASSERT_OK(encoder.BindBatch(*batch));
  for (int i = 0; i < 100; ++i) {
    ASSERT_OK(encoder.EncodeRow(i, &key, &row));
    ASSERT_OK(builder->Append(key, row));
  }
  ASSERT_OK_AND_ASSIGN(auto again, builder->Finish());
  EXPECT_TRUE(again->Equals(*batch)) << again->ToString() << batch->ToString();
}

}  // namespace
}  // namespace yarrow
