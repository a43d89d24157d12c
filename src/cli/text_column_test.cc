#include "cli/text_column.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <optional>

#include "arrow_assert.h"

namespace yarrow::cli {
namespace {

using Cells = std::vector<std::optional<std::string>>;

std::shared_ptr<arrow::BinaryArray> Texts(const Cells& cells) {
  arrow::StringBuilder builder;
  for (const auto& cell : cells) EXPECT_OK(cell ? builder.Append(*cell) : builder.AppendNull());
  return std::static_pointer_cast<arrow::BinaryArray>(builder.Finish().ValueOrDie());
}

// The cells as Arrow writes them, or the row and the message of the error.
std::string Parsed(const Cells& cells, const std::string& type) {
  int64_t bad_row = 0;
  const auto column = ColumnType::Parse(type).ValueOrDie();
  const auto parsed = ParseTexts(*Texts(cells), column, {"", "NA"}, &bad_row);
  if (!parsed.ok()) return std::to_string(bad_row) + ": " + parsed.status().message();
  EXPECT_OK((*parsed)->ValidateFull());
  EXPECT_TRUE((*parsed)->type()->Equals(*column.ToArrow())) << (*parsed)->type()->ToString();
  std::string text;
  for (int64_t row = 0; row < (*parsed)->length(); ++row) {
    text += (row > 0 ? "|" : "") + (*parsed)->GetScalar(row).ValueOrDie()->ToString();
  }
  return text;
}

TEST(TextColumnTest, ReadsWhatTheTypeHolds) {
  EXPECT_EQ(Parsed({"1", " -2\t", std::nullopt, "NA", "007"}, "BIGINT"), "1|-2|null|null|7");
  EXPECT_EQ(Parsed({"255", ""}, "UTINYINT"), "255|null");
  EXPECT_EQ(Parsed({"1.5", "1e3", "-0", "inf"}, "DOUBLE"), "1.5|1000|-0|inf");
  EXPECT_EQ(Parsed({"true", "FALSE", "t", "F", ""}, "BOOLEAN"), "true|false|true|false|null");
  EXPECT_EQ(Parsed({"1.5", "-0.01", "12"}, "DECIMAL(10,2)"), "1.50|-0.01|12.00");
  EXPECT_EQ(Parsed({"", "NA", " x ", std::nullopt}, "VARCHAR"), "|NA| x |null");
  EXPECT_EQ(Parsed({"2013-01-31", "NA"}, "DATE"), "2013-01-31|null");
}

TEST(TextColumnTest, RefusesWhatItWouldChange) {
  EXPECT_EQ(Parsed({"1", "5.5"}, "BIGINT"), "1: cannot read '5.5' as BIGINT");
  EXPECT_EQ(Parsed({"0x10"}, "BIGINT"), "0: cannot read '0x10' as BIGINT");
  EXPECT_EQ(Parsed({"1_000"}, "INTEGER"), "0: cannot read '1_000' as INTEGER");
  EXPECT_EQ(Parsed({"1", "2", "300"}, "TINYINT"), "2: cannot read '300' as TINYINT: it is out of range");
  EXPECT_NE(Parsed({"1.555"}, "DECIMAL(10,2)").find("1.555"), std::string::npos);
  EXPECT_EQ(Parsed({"1.555"}, "DECIMAL(10,2)").substr(0, 3), "0: ");
  EXPECT_EQ(Parsed({"2013-01-01 10:00:00.1234567"}, "TIMESTAMP").substr(0, 3), "0: ");
  EXPECT_EQ(Parsed({"2013-01-01 10:00:00.5"}, "TIMESTAMP_S").substr(0, 3), "0: ");
  EXPECT_EQ(Parsed({"2013-01-01 10:00:00"}, "DATE").substr(0, 3), "0: ");
  EXPECT_EQ(Parsed({"01/02/2013"}, "DATE").substr(0, 3), "0: ");
  EXPECT_EQ(Parsed({"10:00:00.1234567"}, "TIME").substr(0, 3), "0: ");
  EXPECT_EQ(Parsed({"1e400"}, "DOUBLE").substr(0, 3), "0: ");
  EXPECT_EQ(Parsed({"1e39"}, "FLOAT").substr(0, 3), "0: ");
}

TEST(TextColumnTest, CodesOfManyDigitsAreNoDoubles) {
  EXPECT_EQ(Parsed({"9007199254740992", "-1000000000000000000000"}, "DOUBLE"), "9.007199254740992e+15|-1e+21");
  EXPECT_EQ(Parsed({"1", "9007199254740993"}, "DOUBLE"), "1: '9007199254740993' would lose digits as DOUBLE");
  EXPECT_EQ(Parsed({"12345678901234567890123"}, "DOUBLE"), "0: '12345678901234567890123' would lose digits as DOUBLE");
  EXPECT_EQ(Parsed({"16777217"}, "FLOAT"), "0: '16777217' would lose digits as FLOAT");
}

}  // namespace
}  // namespace yarrow::cli
