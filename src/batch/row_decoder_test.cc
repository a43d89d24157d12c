// RowDecoder through a sink of Values: that a sink is all a new target needs, and what a decoder does with rows of
// older versions and with damaged ones.
#include "batch/row_decoder.h"

#include <gtest/gtest.h>

#include <bit>

#include "arrow_assert.h"
#include "batch/batch_builder.h"
#include "batch/row_encoder.h"
#include "batch/validate.h"
#include "random_seed.h"
#include "table_fixture.h"
#include "type/field_value.h"

namespace yarrow {
namespace {

using test::kPrefix;

// Rows of Values: the smallest sink that there is.
class ValueSink {
 public:
  struct Column {
    ColumnType type;
    std::vector<Value> cells;
  };

  explicit ValueSink(const std::vector<ColumnType>& types) {
    for (const ColumnType& type : types) columns_.push_back({type, {}});
  }

  Column* columns() { return columns_.data(); }
  int64_t row() const { return row_; }
  bool has_room() const { return columns_.empty() || columns_[0].cells.size() > static_cast<size_t>(row_); }
  arrow::Status MakeRoom() {
    for (Column& column : columns_) column.cells.resize(static_cast<size_t>(row_) + 1);
    return arrow::Status::OK();
  }
  bool SetNull(uint32_t column) {
    columns_[column].cells[static_cast<size_t>(row_)] = Value();
    return true;
  }
  void CommitRow() { ++row_; }
  void DropRow() {}
  const arrow::Status& status() const { return status_; }

  struct BoolWriter {
    using Cell = batch::CellBool;
    static bool Write(ValueSink&, Column& column, int64_t row, Cell cell) { return Put(column, row, Value(cell)); }
  };
  struct TextWriter {
    using Cell = batch::CellText;
    static bool Write(ValueSink&, Column& column, int64_t row, Cell cell) { return Put(column, row, Value(cell)); }
  };
  struct UuidWriter {
    using Cell = batch::CellUuid;
    static bool Write(ValueSink&, Column& column, int64_t row, Cell cell) {
      return Put(column, row, LoadFixedValue(column.type, reinterpret_cast<const char*>(cell.bytes.data())));
    }
  };
  struct DecimalWriter {
    using Cell = batch::CellDecimal;
    static bool Write(ValueSink&, Column& column, int64_t row, Cell cell) {
      return Put(column, row, Value(Decimal{cell, column.type.scale}));
    }
  };
  template <class CellT>
  struct NumberWriter {
    using Cell = CellT;
    static bool Write(ValueSink&, Column& column, int64_t row, Cell cell) {
      if constexpr (sizeof(Cell) == 4) {
        if (column.type.id == TypeId::kFloat) return Put(column, row, Value(std::bit_cast<float>(cell)));
      }
      if constexpr (sizeof(Cell) == 8) {
        if (column.type.id == TypeId::kDouble) return Put(column, row, Value(std::bit_cast<double>(cell)));
      }
      const bool is_unsigned = (column.type.id >= TypeId::kUInt8 && column.type.id <= TypeId::kUInt64) ||
                               column.type.id == TypeId::kTimeTz || column.type.id == TypeId::kEnum;
      return Put(column, row, is_unsigned ? Value(cell) : Value(static_cast<std::make_signed_t<Cell>>(cell)));
    }
  };

  template <class Visit>
  static auto VisitWriter(const ColumnType& type, Visit&& visit) {
    if (type.is_variable()) return visit(TextWriter());
    if (type.id == TypeId::kBool) return visit(BoolWriter());
    if (type.id == TypeId::kDecimal128) return visit(DecimalWriter());
    if (type.fixed_width() == 16) return visit(UuidWriter());
    if (type.fixed_width() == 1) return visit(NumberWriter<batch::Cell8>());
    if (type.fixed_width() == 2) return visit(NumberWriter<batch::Cell16>());
    if (type.fixed_width() == 4) return visit(NumberWriter<batch::Cell32>());
    return visit(NumberWriter<batch::Cell64>());
  }

 private:
  static bool Put(Column& column, int64_t row, Value value) {
    column.cells[static_cast<size_t>(row)] = std::move(value);
    return true;
  }

  std::vector<Column> columns_;
  int64_t row_ = 0;
  arrow::Status status_;
};

using Decoder = batch::RowDecoder<ValueSink>;

ValueSink SinkFor(const RowSchema& schema, const std::vector<int>& columns) {
  std::vector<ColumnType> types;
  for (const int c : columns) types.push_back(schema.columns()[static_cast<size_t>(c)].type);
  return ValueSink(types);
}

bool SameCell(const Value& a, const Value& b) {
  return a.is_null() == b.is_null() && (a.is_null() || CompareValues(a, b) == std::weak_ordering::equivalent);
}

TEST(RowDecoder, AnySinkGetsEveryProjection) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  test::TableSpec spec = test::AllTypesTable();
  ASSERT_OK_AND_ASSIGN(const auto schema, test::MakeTable(spec));
  RowEncoder encoder(schema, kPrefix);
  for (int round = 0; round < test::Rounds(50); ++round) {
    // In any order, with repetitions; sometimes none.
    std::vector<int> columns(random() % 30);
    for (int& column : columns) column = static_cast<int>(random() % spec.columns.size());
    ValueSink sink = SinkFor(*schema, columns);
    Decoder decoder(schema, columns);
    std::vector<std::vector<Value>> rows(10);
    for (std::vector<Value>& row : rows) {
      for (const RowColumn& column : spec.columns) {
        row.push_back(column.nullable && random() % 3 == 0 ? Value() : test::RandomCell(column.type, random));
      }
      std::string key, bytes;
      ASSERT_OK(encoder.EncodeValues(row, &key, &bytes));
      ASSERT_OK(decoder.Decode(key, bytes, sink));
    }
    EXPECT_EQ(sink.row(), 10);
    EXPECT_EQ(decoder.rows_decoded(), 10u);
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t c = 0; c < columns.size(); ++c) {
        const Value& want = rows[i][static_cast<size_t>(columns[c])];
        EXPECT_TRUE(SameCell(sink.columns()[c].cells[i], want))
            << sink.columns()[c].cells[i].ToString() << " instead of " << want.ToString();
      }
    }
  }
}

// ---- schema versions

RowSchema::Options EvolvedTable() {
  RowSchema::Options options;
  options.table_name = "app.t";
  options.key_prefix_size = kPrefix.size();
  options.key_column_ids = {1};
  const ColumnType i32 = TypeId::kInt32;
  const ColumnType text = TypeId::kUtf8;
  // Version 1: a, dropped, t. Version 2: dropped goes, d and e come. Version 3: n and u come.
  options.columns = {{1, "id", TypeId::kInt64, false, {}},
                     {5, "d", i32, false, Value(7)},
                     {2, "a", i32, true, {}},
                     {4, "t", text, true, {}},
                     {6, "e", text, true, Value("new\0text")},
                     {7, "n", ColumnType::Decimal(6, 2), true, {}},
                     {8, "u", text, true, {}}};
  options.versions = {{1, {2, 3, 4}, {i32, text, text}},
                      {2, {2, 4, 5, 6}, {i32, text, i32, text}},
                      {3, {2, 4, 5, 6, 7, 8}, {i32, text, i32, text, ColumnType::Decimal(6, 2), text}}};
  return options;
}

// The table as it was when `version` was its newest: what old rows were written with.
std::string RowOfVersion(const RowSchema& schema, uint32_t version, const std::vector<Value>& fields) {
  RowWriter writer(&schema.FindVersion(version)->layout);
  for (size_t i = 0; i < fields.size(); ++i) EXPECT_OK(writer.Set(i, fields[i]));
  std::string row;
  EXPECT_OK(writer.Finish(false, &row));
  return row;
}

std::string KeyOf(int64_t id) {
  std::string key = kPrefix;
  EXPECT_OK(EncodeKeyPart(Value(id), {TypeId::kInt64, false}, &key));
  return key;
}

TEST(RowDecoder, OlderVersionsAnswerWithDefaults) {
  ASSERT_OK_AND_ASSIGN(const auto schema, RowSchema::Make(EvolvedTable()));
  const std::string v1 = RowOfVersion(*schema, 1, {1, "gone", "one"});
  const std::string v2 = RowOfVersion(*schema, 2, {Value(), Value(), 22, "ee"});
  const std::string v3 = RowOfVersion(*schema, 3, {3, "three", 33, Value(), Decimal{150, 2}, "uu"});
  const std::vector<std::vector<Value>> want = {{int64_t{1}, 7, 1, "one", "new\0text", Value(), Value()},
                                                {int64_t{2}, 22, Value(), Value(), "ee", Value(), Value()},
                                                {int64_t{3}, 33, 3, "three", Value(), Decimal{150, 2}, "uu"}};

  for (const std::vector<int>& columns : {std::vector<int>{0, 1, 2, 3, 4, 5, 6}, {6, 4, 1, 1, 0}, {5}, {3, 3}, {}}) {
    ValueSink sink = SinkFor(*schema, columns);
    Decoder decoder(schema, columns);
    ASSERT_OK_AND_ASSIGN(auto builder, BatchBuilder::Make(schema, columns, ProjectedSchema(*schema, columns)));
    // Back and forth between the versions.
    for (const int i : {0, 1, 2, 0, 2, 1, 1, 0}) {
      const std::string& row = i == 0 ? v1 : i == 1 ? v2 : v3;
      ASSERT_OK(decoder.Decode(KeyOf(i + 1), row, sink));
      ASSERT_OK(builder->Append(KeyOf(i + 1), row));
      const auto at = static_cast<size_t>(sink.row() - 1);
      for (size_t c = 0; c < columns.size(); ++c) {
        EXPECT_TRUE(
            SameCell(sink.columns()[c].cells[at], want[static_cast<size_t>(i)][static_cast<size_t>(columns[c])]));
      }
    }
    ASSERT_OK_AND_ASSIGN(const auto batch, builder->Finish());
    ASSERT_OK(batch::ValidateInFull(*batch));
    ASSERT_EQ(batch->num_rows(), 8);
    for (size_t c = 0; c < columns.size(); ++c) {
      ASSERT_OK_AND_ASSIGN(const auto array, test::MakeArray(sink.columns()[c].type, sink.columns()[c].cells));
      EXPECT_TRUE(batch->column(static_cast<int>(c))->Equals(array));
    }
  }
}

TEST(RowDecoder, UnknownVersionIsNamed) {
  ASSERT_OK_AND_ASSIGN(const auto schema, RowSchema::Make(EvolvedTable()));
  std::string row = RowOfVersion(*schema, 3, {3, "three", 33, "e", Decimal{150, 2}, "uu"});
  row[2] = 9;
  ValueSink sink = SinkFor(*schema, {0, 1});
  Decoder decoder(schema, {0, 1});
  const arrow::Status status = decoder.Decode(KeyOf(5), row, sink);
  EXPECT_ERROR_HAS(status, "table app.t, key (5): the row has schema version 9");
  EXPECT_EQ(sink.row(), 0);
}

TEST(RowDecoder, CountsBytesOfTheCellsItWrites) {
  const std::vector<RowColumn> columns = {
      {1, "name", TypeId::kUtf8, false, {}}, {2, "id", TypeId::kInt64, false, {}},
      {3, "a", TypeId::kInt32, true, {}},    {4, "b", TypeId::kUtf8, true, {}},
      {5, "c", TypeId::kBinary, true, {}},   {6, "d", ColumnType::Decimal(5, 1), true, {}}};
  ASSERT_OK_AND_ASSIGN(const auto schema, test::MakeTable({columns, {1, 2}}));
  RowEncoder encoder(schema, kPrefix);
  std::string key, row;
  const std::vector<Value> values = {std::string("x\0y", 3), 1, Value(), "hello", Value(), Decimal{5, 1}};
  ASSERT_OK(encoder.EncodeValues(values, &key, &row));
  // Text in a key: 3 bytes, an escape, 2 of terminator.
  const std::vector<std::pair<std::vector<int>, uint64_t>> cases = {
      {{}, 0}, {{1}, 8}, {{0}, 6}, {{2}, 4}, {{3}, 5}, {{4}, 0}, {{5}, 16}, {{3, 3}, 10}, {{0, 1, 2, 3, 4, 5}, 39}};
  for (const auto& [projection, bytes] : cases) {
    ValueSink sink = SinkFor(*schema, projection);
    Decoder decoder(schema, projection);
    for (uint64_t i = 1; i <= 3; ++i) {
      ASSERT_OK(decoder.Decode(key, row, sink));
      EXPECT_EQ(decoder.bytes_decoded(), i * bytes);
      EXPECT_EQ(decoder.rows_decoded(), i);
    }
    // A row that fails counts for nothing.
    EXPECT_FALSE(decoder.Decode(key, row.substr(0, row.size() - 1), sink).ok());
    EXPECT_EQ(decoder.bytes_decoded(), 3 * bytes);
    EXPECT_EQ(decoder.rows_decoded(), 3u);
  }
}

// ---- damage

class Damage : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(schema_, test::MakeTable({{{1, "name", TypeId::kUtf8, false, {}},
                                                    {2, "id", TypeId::kInt64, false, {}},
                                                    {3, "flag", TypeId::kBool, true, {}},
                                                    {4, "text", TypeId::kUtf8, true, {}},
                                                    {5, "price", ColumnType::Decimal(5, 2), true, {}},
                                                    {6, "clock", ColumnType::Time(TimeUnit::kMicro), true, {}},
                                                    {7, "must", TypeId::kInt32, false, {}}},
                                                   {1, 2}}));
    ASSERT_OK_AND_ASSIGN(builder_, BatchBuilder::Make(schema_, {0, 1, 2, 3, 4, 5, 6}, schema_->arrow_schema()));
    RowEncoder encoder(schema_, kPrefix);
    ASSERT_OK(encoder.EncodeValues(values_, &key_, &row_));
    layout_ = &schema_->current().layout;
  }

  arrow::Status Append(std::string_view key, std::string_view row) {
    return builder_->Append(test::ExactBytes(key).view(), test::ExactBytes(row).view());
  }
  // The row with the bytes of one field replaced; fields: flag, text, price, clock, must.
  std::string With(size_t field, std::string_view bytes) const {
    std::string row = row_;
    const size_t at = layout_->is_variable(field) ? layout_->min_size(0) : layout_->fixed_offset(field);
    return row.replace(at, bytes.size(), bytes);
  }
  // After whatever failed, the builder holds good rows only.
  void ExpectOnlyGoodRows(int64_t rows) {
    ASSERT_OK(Append(key_, row_));
    ASSERT_OK_AND_ASSIGN(const auto batch, builder_->Finish());
    ASSERT_OK(batch::ValidateInFull(*batch));
    ASSERT_EQ(batch->num_rows(), rows + 1);
    ASSERT_OK_AND_ASSIGN(const auto want, test::MakeBatch(*schema_, {values_}));
    for (int64_t i = 0; i < batch->num_rows(); ++i) EXPECT_TRUE(test::SameBatch(*batch->Slice(i, 1), *want));
  }

  std::shared_ptr<const RowSchema> schema_;
  std::unique_ptr<BatchBuilder> builder_;
  const RowLayout* layout_ = nullptr;
  std::vector<Value> values_ = {"Ada", 12, true, "Hello", Decimal{12345, 2}, int64_t{5}, 77};
  std::string key_, row_;
};

TEST_F(Damage, TruncatedRowsAndKeys) {
  for (size_t size = 0; size < row_.size(); ++size) {
    const arrow::Status status = Append(key_, row_.substr(0, size));
    EXPECT_ERROR_HAS(status, "table app.t, column name, key ('Ada', 12): damaged row: ");
  }
  EXPECT_ERROR_HAS(Append(key_, row_ + "x"), "key ('Ada', 12)");
  for (size_t size = 0; size < key_.size(); ++size) {
    EXPECT_ERROR_HAS(Append(key_.substr(0, size), row_), "table app.t, column name, key 0x");
  }
  EXPECT_ERROR_HAS(Append(key_ + "x", row_), "column name, key 0x");
  EXPECT_EQ(builder_->rows(), 0);
  ExpectOnlyGoodRows(0);
}

TEST_F(Damage, NamesTheColumn) {
  const std::string high(16, '\x7F');
  const std::string where = "table app.t, column ";
  for (int round = 0; round < 2; ++round) {
    EXPECT_ERROR_HAS(Append(key_, With(0, "\x02")), where + "flag, key ('Ada', 12): damaged row");
    EXPECT_ERROR_HAS(Append(key_, With(1, "\xFF\xFF")), where + "text, key ('Ada', 12): damaged row");
    EXPECT_ERROR_HAS(Append(key_, With(2, high)), where + "price, key ('Ada', 12): damaged row");
    EXPECT_ERROR_HAS(Append(key_, With(3, high.substr(0, 8))), where + "clock, key ('Ada', 12): damaged row");
    std::string null_in_must = With(4, std::string(4, '\0'));
    null_in_must[kRowHeaderSize] = static_cast<char>(1 << 4);
    EXPECT_ERROR_HAS(Append(key_, null_in_must),
                     where + "must, key ('Ada', 12): damaged row: NULL in a column that is NOT NULL");
    // NULLs before the damage must not show either.
    null_in_must[kRowHeaderSize] = static_cast<char>(0x1F);
    EXPECT_FALSE(Append(key_, null_in_must).ok());
    EXPECT_EQ(builder_->rows(), round);
    ASSERT_OK(Append(key_, row_));
  }
  ExpectOnlyGoodRows(2);
}

// Any bytes: a good batch or an error, and never a read out of bounds.
TEST_F(Damage, RandomBytes) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < test::Rounds(200); ++round) {
    int64_t taken = 0;
    for (int i = 0; i < 50; ++i) {
      std::string key = key_;
      std::string row = row_;
      std::string& victim = random() % 4 == 0 ? key : row;
      if (random() % 8 == 0) victim.resize(random() % 64, static_cast<char>(random()));
      for (size_t flips = 1 + random() % 4; flips > 0 && !victim.empty(); --flips) {
        victim[random() % victim.size()] = static_cast<char>(random());
      }
      const arrow::Status status = Append(key, row);
      taken += status.ok() ? 1 : 0;
      if (!status.ok()) {
        EXPECT_NE(status.message().find("table app.t"), std::string::npos) << status.ToString();
        EXPECT_NE(status.message().find("key "), std::string::npos) << status.ToString();
      }
    }
    EXPECT_EQ(builder_->rows(), taken);
    ASSERT_OK_AND_ASSIGN(const auto batch, builder_->Finish());
    ASSERT_OK(batch::ValidateInFull(*batch));
    ASSERT_EQ(batch->num_rows(), taken);
  }
}

}  // namespace
}  // namespace yarrow
