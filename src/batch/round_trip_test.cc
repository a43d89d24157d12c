// Arrow -> RowEncoder -> BatchBuilder -> Arrow gives the batch back, for every type, place and value.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "arrow_assert.h"
#include "batch/array_form.h"
#include "batch/batch_builder.h"
#include "batch/bound_column.h"
#include "batch/exact_cast.h"
#include "batch/row_encoder.h"
#include "batch/validate.h"
#include "random_seed.h"
#include "table_fixture.h"
#include "type/type_traits.h"

namespace yarrow {
namespace {

using test::kPrefix;

std::vector<int> AllColumns(const RowSchema& schema) {
  std::vector<int> columns(schema.columns().size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
  return columns;
}

void ExpectRoundTrip(const std::shared_ptr<const RowSchema>& schema, const arrow::RecordBatch& input, int64_t reserve) {
  RowEncoder encoder(schema, kPrefix);
  ASSERT_OK(encoder.BindBatch(input));
  ASSERT_OK_AND_ASSIGN(auto builder, BatchBuilder::Make(schema, AllColumns(*schema), schema->arrow_schema()));
  ASSERT_OK(builder->Reserve(reserve));
  std::string key;
  std::string row;
  for (int64_t i = 0; i < input.num_rows(); ++i) {
    ASSERT_OK(encoder.EncodeRow(i, &key, &row));
    ASSERT_OK(ValidateRow(schema->current().layout, row));
    const test::ExactBytes exact_key(key);
    const test::ExactBytes exact_row(row);
    ASSERT_OK(builder->Append(exact_key.view(), exact_row.view()));
  }
  ASSERT_EQ(builder->rows(), input.num_rows());
  ASSERT_OK_AND_ASSIGN(const auto output, builder->Finish());
  ASSERT_OK(batch::ValidateInFull(*output));
  ASSERT_EQ(output->schema().get(), schema->arrow_schema().get());
  ASSERT_TRUE(test::SameBatch(*output, input)) << output->ToString() << "\ninstead of\n" << input.ToString();
  for (int c = 0; c < output->num_columns(); ++c) {
    EXPECT_EQ(output->column_data(c)->null_count.load(), input.column(c)->null_count());
    if (input.column(c)->null_count() == 0) {
      EXPECT_EQ(output->column_data(c)->buffers[0], nullptr);
    }
  }
}

class EveryType : public testing::TestWithParam<ColumnType> {};

TEST_P(EveryType, InNullableAndNotNullFields) {
  const ColumnType& type = GetParam();
  ASSERT_OK_AND_ASSIGN(
      const auto schema,
      test::MakeTable(
          {{{1, "id", TypeId::kInt64, false, {}}, {2, "maybe", type, true, {}}, {3, "always", type, false, {}}}, {1}}));
  std::vector<std::vector<Value>> rows;
  for (const Value& cell : test::ExtremeCells(type)) {
    rows.push_back({rows.size(), cell, cell});
    rows.push_back({rows.size(), Value(), cell});
  }
  for (auto& row : rows) row[0] = static_cast<int64_t>(row[0].get<uint64_t>());
  ASSERT_OK_AND_ASSIGN(const auto batch, test::MakeBatch(*schema, rows));
  ExpectRoundTrip(schema, *batch, batch->num_rows());
  // Growing on the way, and through slices whose offsets are not whole bytes.
  ExpectRoundTrip(schema, *batch, 1);
  for (const int64_t offset : {1, 3, 5}) ExpectRoundTrip(schema, *batch->Slice(offset % batch->num_rows()), 2);
  ExpectRoundTrip(schema, *batch->Slice(0, 0), 0);
}

// As a program gives and gets it, and as it lies in Parquet.
TEST_P(EveryType, GoesThroughItsOtherForms) {
  const ColumnType& type = GetParam();
  std::vector<Value> cells = test::ExtremeCells(type);
  cells.emplace_back();
  ASSERT_OK_AND_ASSIGN(const auto given, test::MakeArray(type, cells));
  batch::Misfit misfit{-1, {}};
  ASSERT_OK_AND_ASSIGN(auto array, batch::ExactCast(given, type, &misfit));
  if (type.id == TypeId::kUuid) array = arrow::ExtensionType::WrapArray(type.ToArrow(), array);
  for (const auto form : {batch::ArrayForm::kUser, batch::ArrayForm::kParquet}) {
    if (form == batch::ArrayForm::kParquet && type.unit == TimeUnit::kSecond) continue;  // Parquet's are fewer
    ASSERT_OK_AND_ASSIGN(const auto other, batch::ToForm(array, type, form));
    ASSERT_OK(batch::ValidateInFull(*other));
    EXPECT_TRUE(other->type()->Equals(*batch::TypeOfForm(type, form))) << other->type()->ToString();
    ASSERT_OK_AND_ASSIGN(const auto bound, batch::BindColumn(other, type, &misfit));
    for (size_t i = 0; i < cells.size(); ++i) {
      const Value back = bound.GetValue(type, static_cast<int64_t>(i));
      EXPECT_EQ(back.ToString(type), cells[i].ToString(type));
    }
    ASSERT_OK_AND_ASSIGN(const auto middle, batch::BindColumn(other->Slice(1, 2), type, &misfit));
    EXPECT_EQ(middle.GetValue(type, 1).ToString(type), cells[2].ToString(type));
  }
  ASSERT_OK_AND_ASSIGN(const auto user, batch::ToForm(array, type, batch::ArrayForm::kUser));
  EXPECT_TRUE(user->Equals(given, arrow::EqualOptions::Defaults().nans_equal(true)));
}

TEST_P(EveryType, InKeys) {
  const ColumnType& type = GetParam();
  if (!HasOrder(type)) GTEST_SKIP() << "no key has such";
  std::vector<std::vector<Value>> rows;
  for (const Value& cell : test::ExtremeCells(type)) {
    for (const char* text : {"", "some text"}) {
      rows.push_back({cell, Value(text), Value(std::string("\0x", 2)), Value(int64_t{-5})});
    }
  }
  const std::vector<RowColumn> columns = {{1, "v", type, false, {}},
                                          {2, "text", TypeId::kUtf8, false, {}},
                                          {3, "blob", TypeId::kBinary, false, {}},
                                          {4, "number", TypeId::kInt64, true, {}}};
  // Alone, first, after text, and between text.
  for (const std::vector<uint32_t>& key : {std::vector<uint32_t>{1}, {1, 2}, {2, 1}, {2, 1, 3}}) {
    ASSERT_OK_AND_ASSIGN(const auto schema, test::MakeTable({columns, key}));
    ASSERT_OK_AND_ASSIGN(const auto batch, test::MakeBatch(*schema, rows));
    ExpectRoundTrip(schema, *batch, batch->num_rows());
  }
}

// The bulk way and the row way write the same bytes, and the key is the codec's.
TEST_P(EveryType, EncodesAsValuesDo) {
  const ColumnType& type = GetParam();
  if (!HasOrder(type)) GTEST_SKIP() << "no key has such";
  ASSERT_OK_AND_ASSIGN(
      const auto schema,
      test::MakeTable({{{1, "k", type, false, {}}, {2, "v", type, true, {}}, {3, "t", TypeId::kUtf8, true, {}}}, {1}}));
  std::vector<std::vector<Value>> rows;
  for (const Value& cell : test::ExtremeCells(type)) {
    rows.push_back({cell, cell, Value("t")});
    rows.push_back({cell, Value(), Value()});
  }
  ASSERT_OK_AND_ASSIGN(const auto batch, test::MakeBatch(*schema, rows));
  RowEncoder bulk(schema, kPrefix);
  RowEncoder single(schema, kPrefix);
  ASSERT_OK(bulk.BindBatch(*batch));
  for (size_t i = 0; i < rows.size(); ++i) {
    std::string bulk_key, bulk_row, key, row, only_key;
    ASSERT_OK(bulk.EncodeRow(static_cast<int64_t>(i), &bulk_key, &bulk_row));
    ASSERT_OK(single.EncodeValues(rows[i], &key, &row));
    ASSERT_OK(single.EncodeKey({&rows[i][0], 1}, &only_key));
    EXPECT_EQ(bulk_key, key);
    EXPECT_EQ(bulk_key, only_key);
    EXPECT_EQ(bulk_row, row);
    std::string codec_key = kPrefix;
    ASSERT_OK(schema->key_codec().Encode({&rows[i][0], 1}, &codec_key));
    EXPECT_EQ(codec_key, key);
  }
}

INSTANTIATE_TEST_SUITE_P(RoundTrip, EveryType, testing::ValuesIn(test::AllTypes()),
                         [](const testing::TestParamInfo<ColumnType>& type) { return std::to_string(type.index); });

TEST(RoundTrip, RandomTablesOfAllTypes) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < test::Rounds(20); ++round) {
    test::TableSpec spec = test::AllTypesTable();
    std::shuffle(spec.columns.begin(), spec.columns.end(), random);
    // Some columns are the key.
    spec.key_ids.clear();
    const size_t key_size = 1 + random() % 4;
    std::ranges::stable_partition(spec.columns, HasOrder, &RowColumn::type);
    for (size_t i = 0; i < key_size; ++i) {
      spec.columns[i].nullable = false;
      spec.key_ids.push_back(spec.columns[i].id);
    }
    for (RowColumn& column : spec.columns) column.nullable = column.nullable && random() % 4 != 0;
    std::shuffle(spec.columns.begin(), spec.columns.end(), random);
    ASSERT_OK_AND_ASSIGN(const auto schema, test::MakeTable(spec));
    std::vector<std::vector<Value>> rows(random() % 300);
    for (std::vector<Value>& row : rows) {
      for (const RowColumn& column : spec.columns) {
        const bool is_null = column.nullable && random() % 5 == 0;
        row.push_back(is_null ? Value() : test::RandomCell(column.type, random));
      }
    }
    ASSERT_OK_AND_ASSIGN(const auto batch, test::MakeBatch(*schema, rows));
    ASSERT_NO_FATAL_FAILURE(ExpectRoundTrip(schema, *batch, static_cast<int64_t>(random() % 300)));
  }
}

}  // namespace
}  // namespace yarrow
