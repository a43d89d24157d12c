// Reading CSV: rows and lines, inference of types, conversion.
#include <arrow/api.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include <random>

#include "arrow_assert.h"
#include "cli/csv_rows.h"
#include "cli/csv_text_reader.h"
#include "cli/text_conversion.h"
#include "cli/type_inference.h"
#include "random_seed.h"
#include "temp_dir.h"
#include "yarrow/value.h"

namespace yarrow::cli {
namespace {

void WriteFile(const std::filesystem::path& path, std::string_view content) {
  auto out = arrow::io::FileOutputStream::Open(path.string()).ValueOrDie();
  EXPECT_OK(out->Write(content));
  EXPECT_OK(out->Close());
}

// --- inference ------------------------------------------------------------------------------------------------------

std::string Infer(const std::vector<std::string_view>& cells) {
  const CsvDialect dialect;
  TypeInference inference(dialect);
  for (const auto cell : cells) inference.Add(cell);
  TypeInference backwards(dialect);
  for (size_t i = cells.size(); i-- > 0;) backwards.Add(cells[i]);
  EXPECT_EQ(inference.type(), backwards.type()) << "the order of the cells matters";
  return inference.type().ToString();
}

TEST(TypeInferenceTest, OneKind) {
  EXPECT_EQ(Infer({"true", "FALSE"}), "BOOLEAN");
  EXPECT_EQ(Infer({"1", "-5", "9223372036854775807"}), "BIGINT");
  EXPECT_EQ(Infer({"007", " 42\t"}), "BIGINT");
  EXPECT_EQ(Infer({"1.5", "-.5", "1e3", "2E-5"}), "DOUBLE");
  EXPECT_EQ(Infer({"2013-01-01", "1969-12-31"}), "DATE");
  EXPECT_EQ(Infer({"10:00:00", "23:59:59.25"}), "TIME");
  EXPECT_EQ(Infer({"2013-01-01 10:00:00", "2013-01-01T10:00"}), "TIMESTAMP");
  EXPECT_EQ(Infer({"2013-01-01T10:00:00Z", "2013-01-01 10:00:00+02"}), "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(Infer({"2013-01-01 10:00:00.123456789"}), "TIMESTAMP_NS");
  EXPECT_EQ(Infer({"UA", "DL"}), "VARCHAR");
}

TEST(TypeInferenceTest, Mixtures) {
  EXPECT_EQ(Infer({"1", "2.5"}), "DOUBLE");
  EXPECT_EQ(Infer({"1", "nan", "inf"}), "DOUBLE");
  EXPECT_EQ(Infer({"nan", "inf"}), "VARCHAR");
  EXPECT_EQ(Infer({"1", "-infinity"}), "DOUBLE");
  EXPECT_EQ(Infer({"2013-01-01", "Infinity", "-infinity"}), "DATE");
  EXPECT_EQ(Infer({"2013-01-01 10:00:00", "infinity"}), "TIMESTAMP");
  EXPECT_EQ(Infer({"2013-01-01 10:00:00Z", "infinity"}), "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(Infer({"2013-01-01", "inf"}), "VARCHAR");
  EXPECT_EQ(Infer({"10:00:00", "infinity"}), "VARCHAR");
  EXPECT_EQ(Infer({"infinity", "-infinity"}), "VARCHAR");
  EXPECT_EQ(Infer({"2013-01-01", "2013-01-01 10:00:00"}), "TIMESTAMP");
  EXPECT_EQ(Infer({"2013-01-01 10:00:00", "2013-01-01 10:00:00Z"}), "VARCHAR");
  EXPECT_EQ(Infer({"1", "true"}), "VARCHAR");
  EXPECT_EQ(Infer({"1", "2013-01-01"}), "VARCHAR");
  EXPECT_EQ(Infer({"1", "x"}), "VARCHAR");
}

TEST(TypeInferenceTest, NoDigitIsLost) {
  EXPECT_EQ(Infer({"9223372036854775808"}), "VARCHAR");
  EXPECT_EQ(Infer({"12345678901234567890123", "1.5"}), "VARCHAR");
  EXPECT_EQ(Infer({"9007199254740993", "1.5"}), "VARCHAR");
  EXPECT_EQ(Infer({"9007199254740992", "1.5"}), "DOUBLE");
  EXPECT_EQ(Infer({"1e999"}), "VARCHAR");
}

TEST(TypeInferenceTest, NotQuite) {
  for (const auto cell : {"2013-02-30", "10:00", "24:00:00", "1,5", "0x10", "1.2.3", "-", "+", "1e", "--1", "1 2",
                          "2013-01-01x", "2013-1-1", "yes", "t", "2013-", "12:34:56:78"}) {
    EXPECT_EQ(Infer({cell}), "VARCHAR") << cell;
  }
}

TEST(TypeInferenceTest, NullSpellingsSayNothing) {
  EXPECT_EQ(Infer({}), "VARCHAR");
  EXPECT_EQ(Infer({"", "NA"}), "VARCHAR");
  EXPECT_EQ(Infer({"", "NA", "5", "NULL"}), "BIGINT");
  EXPECT_EQ(Infer({"5", "na"}), "VARCHAR");
}

// --- conversion -----------------------------------------------------------------------------------------------------

arrow::Result<std::shared_ptr<arrow::Array>> Convert(const std::vector<std::optional<std::string>>& cells,
                                                     const ColumnType& type, int64_t* bad_row) {
  arrow::BinaryBuilder builder;
  for (const auto& cell : cells) {
    ARROW_RETURN_NOT_OK(cell ? builder.Append(*cell) : builder.AppendNull());
  }
  ARROW_ASSIGN_OR_RAISE(const auto texts, builder.Finish());
  return ConvertTexts(static_cast<const arrow::BinaryArray&>(*texts), type, CsvDialect(), bad_row);
}

TEST(TextConversionTest, EveryType) {
  const std::vector<std::pair<ColumnType, std::string>> samples = {
      {TypeId::kBool, "true"},
      {TypeId::kInt8, "-128"},
      {TypeId::kInt16, "-32768"},
      {TypeId::kInt32, "-2147483648"},
      {TypeId::kInt64, "-9223372036854775808"},
      {TypeId::kUInt8, "255"},
      {TypeId::kUInt16, "65535"},
      {TypeId::kUInt32, "4294967295"},
      {TypeId::kUInt64, "18446744073709551615"},
      {TypeId::kFloat, "0.1"},
      {TypeId::kDouble, "0.1"},
      {ColumnType::Decimal(38, 4), "-1234567890123456789012345678901234.5678"},
      {TypeId::kUtf8, " text "},
      {TypeId::kBinary, "a\\xff"},
      {TypeId::kDate32, "1969-12-31"},
      {ColumnType::Time(TimeUnit::kNano), "23:59:59.123456789"},
      {ColumnType::Timestamp(TimeUnit::kSecond), "2013-01-01 10:00:00"},
      {ColumnType::Timestamp(TimeUnit::kNano, "UTC"), "2013-01-01 10:00:00.000000001Z"},
      {TypeId::kUuid, "00112233-4455-6677-8899-aabbccddeeff"},
  };
  for (const auto& [type, text] : samples) {
    SCOPED_TRACE(type.ToString());
    int64_t bad_row = -1;
    ASSERT_OK_AND_ASSIGN(const auto array, Convert({text, std::nullopt, text}, type, &bad_row));
    ASSERT_OK(array->ValidateFull());
    EXPECT_TRUE(array->type()->Equals(*type.ToArrow()));
    EXPECT_TRUE(array->IsNull(1));
    for (const int64_t row : {0, 2}) {
      ASSERT_OK_AND_ASSIGN(const auto scalar, array->GetScalar(row));
      ASSERT_OK_AND_ASSIGN(const Value value, Value::FromScalar(*scalar, type));
      EXPECT_EQ(value.ToString(type), text);
    }
  }
}

TEST(TextConversionTest, SaysWhichCellIsWrong) {
  int64_t bad_row = -1;
  EXPECT_ERROR_HAS(Convert({"1", std::nullopt, "300"}, TypeId::kUInt8, &bad_row), "cannot read '300' as UTINYINT");
  EXPECT_EQ(bad_row, 2);
  EXPECT_ERROR_HAS(Convert({"1.5"}, TypeId::kInt64, &bad_row), "cannot read '1.5' as BIGINT");
  EXPECT_EQ(bad_row, 0);
  EXPECT_ERROR_HAS(Convert({"a", "\xff"}, TypeId::kUtf8, &bad_row), "not valid UTF-8");
  EXPECT_EQ(bad_row, 1);
  EXPECT_ERROR_HAS(Convert({"2013-01-01", "2013-13-01"}, TypeId::kDate32, &bad_row), "'2013-13-01' as DATE");
  EXPECT_EQ(bad_row, 1);
}

TEST(TextConversionTest, QuotedNullsAreNullsButInText) {
  int64_t bad_row = -1;
  ASSERT_OK_AND_ASSIGN(const auto numbers, Convert({"1", "", "NA"}, TypeId::kInt64, &bad_row));
  EXPECT_EQ(numbers->null_count(), 2);
  ASSERT_OK_AND_ASSIGN(const auto texts, Convert({"1", "", "NA"}, TypeId::kUtf8, &bad_row));
  EXPECT_EQ(texts->null_count(), 0);
}

TEST(TextConversionTest, BlanksAroundNumbersDoNotMatter) {
  int64_t bad_row = -1;
  ASSERT_OK_AND_ASSIGN(const auto numbers, Convert({" 1", "2\t"}, TypeId::kInt64, &bad_row));
  EXPECT_EQ(numbers->ToString(), "[\n  1,\n  2\n]");
}

// --- files ----------------------------------------------------------------------------------------------------------

class CsvFileTest : public testing::Test {
 protected:
  std::filesystem::path Write(std::string_view content, const std::string& name = "a.csv") {
    const auto path = folder_.File(name);
    WriteFile(path, content);
    return path;
  }

  // All cells; "~" stands for NULL.
  arrow::Result<std::vector<std::vector<std::string>>> ReadAll(const std::filesystem::path& path) {
    std::vector<std::vector<std::string>> rows;
    ARROW_ASSIGN_OR_RAISE(auto reader, CsvTextReader::Open(path, dialect_, &bytes_));
    names_ = reader->column_names();
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) return rows;
      EXPECT_EQ(reader->first_row(), static_cast<int64_t>(rows.size()));
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        rows.emplace_back();
        for (const auto& column : batch->columns()) {
          const auto& cells = static_cast<const arrow::BinaryArray&>(*column);
          rows.back().push_back(cells.IsNull(row) ? "~" : cells.GetString(row));
        }
      }
    }
  }

  test::TempDir folder_;
  CsvDialect dialect_;
  ByteCount bytes_ = 0;
  std::vector<std::string> names_;
};

using Rows = std::vector<std::vector<std::string>>;

TEST_F(CsvFileTest, ReadsCellsAsTheyAre) {
  ASSERT_OK_AND_ASSIGN(const auto rows, ReadAll(Write("\xef\xbb\xbf"
                                                      "a,b\n1,\"x, \"\"y\"\"\nz\"\n\n,NA\n\"\",\"NA\"\r\nlast,  ")));
  EXPECT_EQ(names_, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(rows, (Rows{{"1", "x, \"y\"\nz"}, {"~", "~"}, {"", "NA"}, {"last", "  "}}));
}

TEST_F(CsvFileTest, ReadsWithoutHeader) {
  dialect_.has_header = false;
  const auto path = Write("1;2\n3;4\n");
  dialect_.delimiter = ';';
  ASSERT_OK_AND_ASSIGN(const auto rows, ReadAll(path));
  EXPECT_EQ(names_, (std::vector<std::string>{"column1", "column2"}));
  EXPECT_EQ(rows, (Rows{{"1", "2"}, {"3", "4"}}));
  dialect_.column_names = {"x", "y"};
  ASSERT_OK(ReadAll(path).status());
  EXPECT_EQ(names_, (std::vector<std::string>{"x", "y"}));
}

TEST_F(CsvFileTest, ReadsOnlyAHeader) {
  ASSERT_OK_AND_ASSIGN(const auto rows, ReadAll(Write("a,b\n")));
  EXPECT_EQ(rows.size(), 0);
  EXPECT_EQ(names_.size(), 2);
}

TEST_F(CsvFileTest, ReadsCompressedFiles) {
  const auto path = folder_.File("a.csv.gz");
  auto file = arrow::io::FileOutputStream::Open(path.string()).ValueOrDie();
  auto codec = arrow::util::Codec::Create(arrow::Compression::GZIP).ValueOrDie();
  auto out = arrow::io::CompressedOutputStream::Make(codec.get(), file).ValueOrDie();
  ASSERT_OK(out->Write(std::string_view("a\n1\n2\n")));
  ASSERT_OK(out->Close());
  ASSERT_OK_AND_ASSIGN(const auto rows, ReadAll(path));
  EXPECT_EQ(rows, (Rows{{"1"}, {"2"}}));
  EXPECT_EQ(bytes_, static_cast<int64_t>(std::filesystem::file_size(path)));
}

TEST_F(CsvFileTest, ReadsRowsLongerThanABlock) {
  std::string content = "a,b\n";
  Rows expected;
  const std::string huge(5 << 20, 'x');
  for (int i = 0; i < 300'000; ++i) {
    expected.push_back({std::to_string(i), i == 299'990 ? huge : "short"});
    content += expected.back()[0] + "," + expected.back()[1] + "\n";
  }
  ASSERT_OK_AND_ASSIGN(const auto rows, ReadAll(Write(content)));
  EXPECT_TRUE(rows == expected);
}

TEST_F(CsvFileTest, ErrorsNameFileAndLine) {
  EXPECT_ERROR_HAS(ReadAll(Write("a,b\n1,2\n\n1\n")), "a.csv: line 4: 1 field instead of 2 as in the header");
  EXPECT_ERROR_HAS(ReadAll(Write("a,b\n\"1\n2\",2\n1,2,3\n")), "a.csv: line 4: 3 fields instead of 2");
  EXPECT_ERROR_HAS(ReadAll(Write("a,b\n1,2\n1,\"2\n3,4\n")), "line 3: the row has a quoted field that is never closed");
  EXPECT_ERROR_HAS(ReadAll(Write("")), "a.csv: the file is empty");
  EXPECT_ERROR_HAS(ReadAll(Write("a,b,a\n1,2,3\n")), "two columns are named a");
  EXPECT_ERROR_HAS(ReadAll(Write("a,,c\n1,2,3\n")), "column 2 has no name in the header");
  EXPECT_ERROR_HAS(ReadAll(folder_.File("none.csv")), "none.csv");
}

TEST_F(CsvFileTest, AnOpenQuoteInABigFileIsFound) {
  std::string content = "a,b\n1,\"2\n";
  while (content.size() < (20 << 20)) content += "1,some more text\n";
  EXPECT_ERROR_HAS(ReadAll(Write(content)), "line 2: the row has a quoted field that is never closed");
}

// Rows of random cells with quotes, newlines and blank lines: Arrow and the scanner have to agree on where they start.
TEST_F(CsvFileTest, LinesOfRandomRows) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  const std::string_view pieces[] = {"x",    "\"q\"", "\"a\nb\"", "\"a\r\nb\"", "\"\"\"\"",
                                     "\"\"", "",      "y\"z",     "\"u\"v",     "\"a,b\""};
  const std::string_view ends[] = {"\n", "\r\n", "\r", "\n\n", "\n\r\n"};
  for (int round = 0; round < test::Rounds(200); ++round) {
    std::string content = "a,b\n";
    std::vector<int64_t> lines;
    const auto count_lines = [&content] {
      int64_t count = 1;
      for (size_t i = 0; i < content.size(); ++i) {
        count += content[i] == '\n' || (content[i] == '\r' && content[i + 1] != '\n') ? 1 : 0;
      }
      return count;
    };
    const size_t count = random() % 20;
    for (size_t i = 0; i < count; ++i) {
      lines.push_back(count_lines());
      content += std::string(pieces[random() % std::size(pieces)]) + "," +
                 std::string(pieces[random() % std::size(pieces)]) + std::string(ends[random() % std::size(ends)]);
    }
    SCOPED_TRACE(content);
    const auto path = Write(content);
    ASSERT_OK_AND_ASSIGN(const auto rows, ReadAll(path));
    ASSERT_EQ(rows.size(), lines.size());
    for (size_t row = 0; row < lines.size(); ++row) {
      ASSERT_OK_AND_ASSIGN(const int64_t line, LineOfRow(path, dialect_, static_cast<int64_t>(row)));
      ASSERT_EQ(line, lines[row]) << "row " << row;
    }
    ASSERT_OK(CheckRows(path, dialect_, 2));
  }
}

}  // namespace
}  // namespace yarrow::cli
