#include "cli/row_writer.h"

#include <arrow/api.h>
#include <arrow/extension_type.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "arrow_assert.h"
#include "yarrow/value.h"

namespace yarrow::cli {
namespace {

struct Column {
  std::string name;
  ColumnType type;
  std::vector<Value> cells;
};

// UUIDs are built as the bytes they are stored as.
std::shared_ptr<arrow::Array> MakeArray(const Column& column) {
  const bool is_uuid = column.type.id == TypeId::kUuid;
  auto builder = arrow::MakeBuilder(is_uuid ? arrow::fixed_size_binary(16) : column.type.ToArrow()).ValueOrDie();
  for (const Value& cell : column.cells) {
    if (cell.is_null()) {
      EXPECT_OK(builder->AppendNull());
      continue;
    }
    auto scalar = cell.ToScalar(column.type).ValueOrDie();
    if (is_uuid) scalar = static_cast<const arrow::ExtensionScalar&>(*scalar).value;
    EXPECT_OK(builder->AppendScalar(*scalar));
  }
  const auto array = builder->Finish().ValueOrDie();
  return is_uuid ? arrow::ExtensionType::WrapArray(column.type.ToArrow(), array) : array;
}

std::shared_ptr<arrow::RecordBatch> MakeBatch(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  int64_t rows = 0;
  for (const Column& column : columns) {
    fields.push_back(arrow::field(column.name, column.type.ToArrow()));
    arrays.push_back(MakeArray(column));
    rows = arrays.back()->length();
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

std::string Write(OutputFormat format, const std::shared_ptr<arrow::RecordBatch>& batch, int64_t rows_a_batch = 1000) {
  auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto writer = MakeRowWriter(format, *batch->schema(), out.get()).ValueOrDie();
  for (int64_t row = 0; row < batch->num_rows(); row += rows_a_batch) {
    EXPECT_OK(writer->Write(*batch->Slice(row, rows_a_batch)));
  }
  EXPECT_OK(writer->Finish());
  return out->Finish().ValueOrDie()->ToString();
}

Value Parsed(std::string_view text, const ColumnType& type) {
  return Value::Parse(text, type).ValueOrDie();
}

std::vector<Column> AllTypes() {
  const ColumnType decimal = ColumnType::Decimal(38, 2);
  const ColumnType time = ColumnType::Time(TimeUnit::kMicro);
  const ColumnType local = ColumnType::Timestamp(TimeUnit::kMicro);
  const ColumnType instant = ColumnType::Timestamp(TimeUnit::kNano, "UTC");
  constexpr const char* kUuid = "00112233-4455-6677-8899-aabbccddeeff";
  return {
      {"flag", TypeId::kBool, {true, Value()}},
      {"i8", TypeId::kInt8, {int64_t{-128}, Value()}},
      {"i64", TypeId::kInt64, {std::numeric_limits<int64_t>::min(), Value()}},
      {"u64", TypeId::kUInt64, {std::numeric_limits<uint64_t>::max(), Value()}},
      {"f", TypeId::kFloat, {0.1F, Value()}},
      {"d", TypeId::kDouble, {0.1, Value()}},
      {"price", decimal, {Parsed("-123456789012345678901234567890123456.78", decimal), Value()}},
      {"text", TypeId::kUtf8, {"a \"b\", c\nd\tü", Value()}},
      {"bytes", TypeId::kBinary, {std::string("a\0\xff", 3), Value()}},
      {"day", TypeId::kDate32, {Parsed("1969-12-31", TypeId::kDate32), Value()}},
      {"time", time, {Parsed("23:59:59.5", time), Value()}},
      {"local", local, {Parsed("2013-01-01 10:00:00", local), Value()}},
      {"instant", instant, {Parsed("2013-01-01 10:00:00.000000001Z", instant), Value()}},
      {"id", TypeId::kUuid, {Parsed(kUuid, TypeId::kUuid), Value()}},
  };
}

TEST(RowWriterTest, JsonLinesOfAllTypes) {
  std::istringstream lines(Write(OutputFormat::kJsonLines, MakeBatch(AllTypes())));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(line, R"({"flag":true,"i8":-128,"i64":-9223372036854775808,"u64":18446744073709551615,"f":0.1,"d":0.1,)"
                  R"("price":-123456789012345678901234567890123456.78,"text":"a \"b\", c\nd\tü","bytes":"a\\x00\\xff",)"
                  R"("day":"1969-12-31","time":"23:59:59.5","local":"2013-01-01 10:00:00",)"
                  R"("instant":"2013-01-01 10:00:00.000000001Z","id":"00112233-4455-6677-8899-aabbccddeeff"})");
  EXPECT_EQ(nlohmann::json::parse(line).size(), AllTypes().size());
  ASSERT_TRUE(std::getline(lines, line));
  const auto nulls = nlohmann::json::parse(line);
  for (const auto& [name, value] : nulls.items()) EXPECT_TRUE(value.is_null()) << name;
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(RowWriterTest, JsonHasNoSpecialNumbers) {
  const double inf = std::numeric_limits<double>::infinity();
  const auto batch = MakeBatch({{"d", TypeId::kDouble, {std::nan(""), -std::nan(""), inf, -inf, -0.0, 1e300, 227.0}}});
  EXPECT_EQ(
      Write(OutputFormat::kJsonLines, batch),
      "{\"d\":\"nan\"}\n{\"d\":\"nan\"}\n{\"d\":\"inf\"}\n{\"d\":\"-inf\"}\n{\"d\":-0}\n{\"d\":1e+300}\n{\"d\":227}\n");
}

TEST(RowWriterTest, CsvOfAllTypes) {
  EXPECT_EQ(Write(OutputFormat::kCsv, MakeBatch(AllTypes())),
            "flag,i8,i64,u64,f,d,price,text,bytes,day,time,local,instant,id\n"
            "true,-128,-9223372036854775808,18446744073709551615,0.1,0.1,-123456789012345678901234567890123456.78,"
            "\"a \"\"b\"\", c\nd\tü\",a\\x00\\xff,1969-12-31,23:59:59.5,2013-01-01 10:00:00,"
            "2013-01-01 10:00:00.000000001Z,00112233-4455-6677-8899-aabbccddeeff\n"
            ",,,,,,,,,,,,,\n");
}

TEST(RowWriterTest, CsvTellsTextFromNull) {
  const auto batch = MakeBatch({{"a,b", TypeId::kUtf8, {"", Value(), "NA", "NULL", "plain", "cr\r"}},
                                {"c", TypeId::kInt64, {1, 2, 3, 4, 5, 6}}});
  EXPECT_EQ(Write(OutputFormat::kCsv, batch), "\"a,b\",c\n\"\",1\n,2\n\"NA\",3\n\"NULL\",4\nplain,5\n\"cr\r\",6\n");
}

TEST(RowWriterTest, TableIsAligned) {
  const auto batch = MakeBatch({{"name", TypeId::kUtf8, {"ü", Value(), "日本", "a\nb"}},
                                {"n", TypeId::kInt64, {1, -200, Value(), 4}},
                                {"last", TypeId::kUtf8, {"x", "y", "z", "w"}}});
  EXPECT_EQ(Write(OutputFormat::kTable, batch),
            " name |    n | last\n"
            "------+------+------\n"
            " ü    |    1 | x\n"
            " NULL | -200 | y\n"
            " 日本 | NULL | z\n"
            " a\\nb |    4 | w\n"
            "(4 rows)\n");
}

TEST(RowWriterTest, TableWithoutRows) {
  const auto batch = MakeBatch({{"name", TypeId::kUtf8, {}}, {"n", TypeId::kInt64, {}}});
  EXPECT_EQ(Write(OutputFormat::kTable, batch), " name | n\n------+---\n(0 rows)\n");
  EXPECT_EQ(Write(OutputFormat::kCsv, batch), "name,n\n");
  EXPECT_EQ(Write(OutputFormat::kJsonLines, batch), "");
}

TEST(RowWriterTest, LaterLongCellsStayWhole) {
  std::vector<Value> cells(1500, Value("x"));
  cells.back() = "a very long cell";
  const std::string text = Write(OutputFormat::kTable, MakeBatch({{"t", TypeId::kUtf8, cells}}), 700);
  EXPECT_TRUE(text.starts_with(" t\n---\n x\n"));
  EXPECT_TRUE(text.ends_with(" x\n a very long cell\n(1,500 rows)\n"));
}

TEST(RowWriterTest, WritesSlices) {
  const auto batch = MakeBatch(AllTypes());
  EXPECT_EQ(Write(OutputFormat::kCsv, batch, 1), Write(OutputFormat::kCsv, batch));
  EXPECT_EQ(Write(OutputFormat::kJsonLines, batch, 1), Write(OutputFormat::kJsonLines, batch));
}

TEST(RowWriterTest, DisplayWidths) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("日本語"), 6);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1);  // with a combining accent
}

}  // namespace
}  // namespace yarrow::cli
