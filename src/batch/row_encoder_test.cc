// RowEncoder: which batches it takes, and what it says of those it does not.
#include "batch/row_encoder.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "row/constraint_violation.h"
#include "table_fixture.h"

namespace yarrow {
namespace {

using test::kPrefix;

class Encoder : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(schema_, test::MakeTable({{{1, "Carrier", TypeId::kUtf8, false, {}},
                                                    {2, "day", TypeId::kDate32, false, {}},
                                                    {3, "tiny", TypeId::kInt8, true, {}},
                                                    {4, "price", ColumnType::Decimal(5, 2), true, {}},
                                                    {5, "note", TypeId::kUtf8, false, Value("none")},
                                                    {6, "uid", TypeId::kUuid, true, {}},
                                                    {7, "clock", ColumnType::Time(TimeUnit::kMicro), true, {}},
                                                    {8, "left", TypeId::kInt32, true, Value(9)}},
                                                   {1, 2}}));
    encoder_ = std::make_unique<RowEncoder>(schema_, kPrefix);
  }

  using Columns = std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>;
  static std::shared_ptr<arrow::RecordBatch> Batch(const Columns& columns) {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (const auto& [name, array] : columns) {
      fields.push_back(arrow::field(name, array->type()));
      arrays.push_back(array);
    }
    return arrow::RecordBatch::Make(arrow::schema(fields), arrays.empty() ? 0 : arrays[0]->length(), arrays);
  }
  static std::shared_ptr<arrow::Array> Array(const ColumnType& type, const std::vector<Value>& values) {
    return test::MakeArray(type, values).ValueOrDie();
  }
  // Three rows of keys ('AA', 1970-01-02), ('UA', ..-03), ('WN', ..-04).
  static Columns Keys() {
    return {{"carrier", Array(TypeId::kUtf8, {"AA", "UA", "WN"})}, {"DAY", Array(TypeId::kDate32, {1, 2, 3})}};
  }
  static Columns With(const std::string& name, std::shared_ptr<arrow::Array> array) {
    Columns columns = Keys();
    columns.emplace_back(name, std::move(array));
    return columns;
  }

  arrow::Status Bind(const Columns& columns) {
    batch_ = Batch(columns);
    return encoder_->BindBatch(*batch_);
  }
  // The first row that fails, or OK.
  arrow::Status EncodeAll(const Columns& columns) {
    ARROW_RETURN_NOT_OK(Bind(columns));
    for (int64_t i = 0; i < batch_->num_rows(); ++i) ARROW_RETURN_NOT_OK(encoder_->EncodeRow(i, &key_, &row_));
    return arrow::Status::OK();
  }
  // What row i of the bound batch holds in a column.
  Value Cell(int64_t i, const std::string& name) {
    EXPECT_OK(encoder_->EncodeRow(i, &key_, &row_));
    const RowSchema::Version& version = schema_->current();
    const RowSchema::Place place = version.places[static_cast<size_t>(schema_->FindColumn(name))];
    return ReadField(version.layout, row_, static_cast<size_t>(place.index)).ValueOrDie();
  }

  std::shared_ptr<const RowSchema> schema_;
  std::unique_ptr<RowEncoder> encoder_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::string key_, row_;
};

TEST_F(Encoder, FindsColumnsByNameAndFillsInTheRest) {
  Columns columns = With("TINY", Array(TypeId::kInt8, {1, Value(), 3}));
  std::swap(columns[0], columns[2]);
  ASSERT_OK(Bind(columns));
  EXPECT_EQ(Cell(0, "tiny").get<int64_t>(), 1);
  EXPECT_EQ(Cell(0, "note").get<std::string>(), "none");
  EXPECT_EQ(Cell(0, "left").get<int64_t>(), 9);
  EXPECT_TRUE(Cell(1, "tiny").is_null());
  EXPECT_TRUE(Cell(1, "price").is_null());
  EXPECT_TRUE(Cell(1, "uid").is_null());
  ASSERT_OK(ValidateRow(schema_->current().layout, row_));
  EXPECT_EQ(schema_->DescribeKey(key_), "key ('UA', '1970-01-03')");
}

TEST_F(Encoder, RefusesColumnsThatDoNotMatch) {
  EXPECT_ERROR_HAS(Bind(With("fare", Array(TypeId::kInt8, {1, 2, 3}))),
                   "table app.t has no column fare; its columns are Carrier, day");
  EXPECT_ERROR_HAS(Bind(With("CARRIER", Array(TypeId::kUtf8, {"x", "y", "z"}))),
                   "table app.t, column Carrier: the batch has it twice, the second time as CARRIER");
  Columns no_day = Keys();
  no_day.pop_back();
  EXPECT_ERROR_HAS(Bind(no_day), "table app.t, column day: the batch lacks it, and it is NOT NULL without a default");
  arrow::BooleanBuilder bools;
  ASSERT_OK(bools.AppendValues(3, true));
  EXPECT_ERROR_HAS(Bind(With("day2", *bools.Finish())), "no column day2");
  EXPECT_ERROR_HAS(Bind(With("uid", Array(TypeId::kInt64, {1, 2, 3}))),
                   "table app.t, column uid: no cast from int64 to UUID");
  // After a failed bind there are no rows to encode.
  EXPECT_ERROR_HAS(encoder_->EncodeRow(0, &key_, &row_), "a bound batch of 0 rows");
}

TEST_F(Encoder, CastsOtherTypes) {
  ASSERT_OK(Bind(With("tiny", Array(TypeId::kInt64, {-128, 127, Value()}))));
  EXPECT_EQ(Cell(0, "tiny").get<int64_t>(), -128);
  EXPECT_TRUE(Cell(2, "tiny").is_null());
  ASSERT_OK(Bind(With("tiny", Array(TypeId::kUtf8, {"1", "-7", Value()}))));
  EXPECT_EQ(Cell(1, "tiny").get<int64_t>(), -7);
  ASSERT_OK(Bind(With("price", Array(TypeId::kInt32, {1, 999, -5}))));
  EXPECT_EQ(Cell(1, "price").get<Decimal>().unscaled, 99900);
  ASSERT_OK(Bind(With("price", Array(ColumnType::Decimal(20, 1), {Decimal{15, 1}, Value(), Decimal{-1, 1}}))));
  EXPECT_EQ(Cell(0, "price").get<Decimal>().unscaled, 150);
  const std::string uuid = "01234567-89ab-cdef-0123-456789abcdef";
  ASSERT_OK(Bind(With("uid", Array(TypeId::kUtf8, {uuid.c_str(), Value(), uuid.c_str()}))));
  EXPECT_EQ(Cell(0, "uid").ToString(TypeId::kUuid), uuid);
  EXPECT_TRUE(Cell(1, "uid").is_null());
}

TEST_F(Encoder, UnpacksDictionariesAndLargeText) {
  arrow::StringDictionaryBuilder dictionary;
  for (const char* text : {"x", "y", "x"}) ASSERT_OK(dictionary.Append(text));
  ASSERT_OK(Bind(With("note", *dictionary.Finish())));
  EXPECT_EQ(Cell(2, "note").get<std::string>(), "x");
  arrow::LargeStringBuilder large;
  ASSERT_OK(large.AppendValues(std::vector<std::string>{"large", "", "text"}));
  ASSERT_OK(Bind(With("note", *large.Finish())));
  EXPECT_EQ(Cell(2, "note").get<std::string>(), "text");
}

TEST_F(Encoder, NamesTheFirstValueThatDoesNotFit) {
  EXPECT_ERROR_HAS(Bind(With("tiny", Array(TypeId::kInt64, {1, 300, 400}))),
                   "table app.t, column tiny, key ('UA', '1970-01-03'): value 300 of type int64 does not fit TINYINT");
  EXPECT_ERROR_HAS(Bind(With("tiny", Array(TypeId::kDouble, {1.0, 2.0, 2.5}))),
                   "column tiny, key ('WN', '1970-01-04'): value 2.5");
  EXPECT_ERROR_HAS(Bind(With("tiny", Array(TypeId::kUtf8, {"1", "2", "many"}))),
                   "key ('WN', '1970-01-04'): value many");
  EXPECT_ERROR_HAS(Bind(With("price", Array(TypeId::kInt64, {1, 1000, 1}))),
                   "column price, key ('UA', '1970-01-03'): value 1000");
  EXPECT_ERROR_HAS(Bind(With("uid", Array(TypeId::kUtf8, {"x", "y", "z"}))),
                   "column uid, key ('AA', '1970-01-02'): value x");
  Columns columns = Keys();
  columns[1].second = Array(TypeId::kInt64, {1, int64_t{1} << 40, 2});
  EXPECT_FALSE(Bind(columns).ok());
}

// Arrays of the right type may hold what the type does not allow.
TEST_F(Encoder, ChecksCellsThatNeedNoCast) {
  const auto retyped = [](const std::shared_ptr<arrow::Array>& array, const ColumnType& type) {
    const auto data = array->data()->Copy();
    data->type = type.ToArrow();
    return arrow::MakeArray(data);
  };
  const auto price = retyped(Array(ColumnType::Decimal(9, 2), {Decimal{1, 2}, Value(), Decimal{-100000, 2}}),
                             ColumnType::Decimal(5, 2));
  EXPECT_ERROR_HAS(EncodeAll(With("price", price)),
                   "table app.t, column price, key ('WN', '1970-01-04'): value -1000.00 does not fit");
  const auto clock = retyped(Array(TypeId::kInt64, {1, -1, 2}), ColumnType::Time(TimeUnit::kMicro));
  EXPECT_ERROR_HAS(EncodeAll(With("clock", clock)), "table app.t, column clock, key ('UA', '1970-01-03'): value ");
  const auto note = retyped(Array(TypeId::kBinary, {"x", "\xFF", "z"}), TypeId::kUtf8);
  EXPECT_ERROR_HAS(EncodeAll(With("note", note)),
                   "table app.t, column note, key ('UA', '1970-01-03'): the text is not valid UTF-8");
}

TEST_F(Encoder, NullsWhereTheyAreNotAllowed) {
  EXPECT_ERROR_HAS(EncodeAll(With("note", Array(TypeId::kUtf8, {"x", "y", Value()}))),
                   "table app.t, column note, key ('WN', '1970-01-04'): NULL in a column that is NOT NULL");
  Columns columns = Keys();
  columns[0].second = Array(TypeId::kUtf8, {"x", Value(), "z"});
  EXPECT_ERROR_HAS(EncodeAll(columns), "table app.t, column Carrier, key (NULL, ");
}

TEST_F(Encoder, ValuesThatDoNotFit) {
  const std::vector<Value> good = {"UA", 3, 1, Decimal{1, 2}, "note", Uuid(), 5, Value()};
  ASSERT_OK(encoder_->EncodeValues(good, &key_, &row_));
  const auto fails = [&](size_t column, const Value& value, const std::string& message) {
    std::vector<Value> values = good;
    values[column] = value;
    EXPECT_ERROR_HAS(encoder_->EncodeValues(values, &key_, &row_), message);
  };
  std::vector<Value> null_note = good;
  null_note[4] = Value();
  fails(2, 128, "table app.t, column tiny, key ('UA', '1970-01-04'): ");
  fails(2, 128, "128");
  fails(4, Value(), "column note, key ('UA', '1970-01-04'): NULL in a column that is NOT NULL");
  const arrow::Status refused = encoder_->EncodeValues(null_note, &key_, &row_);
  ASSERT_NE(FindConstraintViolation(refused), nullptr) << refused.ToString();
  EXPECT_EQ(FindConstraintViolation(refused)->sql_text(), "NOT NULL constraint failed: t.note");
  fails(4, "\xFF", "column note, key ('UA', '1970-01-04'): ");
  fails(3, "text", "column price, key ('UA', '1970-01-04'): ");
  fails(0, Value(), "column Carrier, key (NULL, 3): NULL in a column that is NOT NULL");
  fails(1, "text", "column day, key (UA, text): ");
  EXPECT_ERROR_HAS(encoder_->EncodeValues(std::span(good).first(3), &key_, &row_),
                   "table app.t has 8 columns, 3 values were given");
  EXPECT_ERROR_HAS(encoder_->EncodeKey(std::span(good).first(1), &key_),
                   "the key of table app.t has 2 columns, 1 values were given");
}

// Arrow checks none of this when it imports a batch.
TEST_F(Encoder, RefusesDamagedBatches) {
  Columns columns = Keys();
  columns.emplace_back("tiny", Array(TypeId::kInt8, {1, 2}));
  EXPECT_ERROR_HAS(Bind(columns), "table app.t, column tiny: it has 2 values in a batch of 3 rows");
  for (const int32_t end : {1, 100}) {
    const std::vector<int32_t> ends = {0, 2, end, 3};
    const auto offsets = arrow::Buffer::FromVector(ends);
    const auto text = arrow::Buffer::FromString("abc");
    const auto damaged = arrow::MakeArray(arrow::ArrayData::Make(arrow::utf8(), 3, {nullptr, offsets, text}));
    EXPECT_ERROR_HAS(Bind(With("note", damaged)), "table app.t, column note: the offsets of its texts are damaged");
  }
}

}  // namespace
}  // namespace yarrow
