#include "cli/csv_line.h"

#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include <vector>

#include "arrow_assert.h"
#include "temp_dir.h"

namespace yarrow::cli {
namespace {

class CsvLineTest : public testing::Test {
 protected:
  std::string Write(const std::string& text, const std::string& name = "a.csv") {
    const std::string path = folder_.File(name);
    auto out = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    EXPECT_OK(out->Write(text));
    EXPECT_OK(out->Close());
    return path;
  }
  std::vector<int64_t> Lines(const std::string& text, const CsvShape& shape, int64_t rows) {
    const std::string path = Write(text);
    std::vector<int64_t> lines;
    for (int64_t row = 0; row < rows; ++row) lines.push_back(LineOfRow(path, shape, row).ValueOrDie());
    return lines;
  }

  test::TempDir folder_;
};

TEST_F(CsvLineTest, CountsLinesNotRows) {
  using Result = std::vector<int64_t>;
  EXPECT_EQ(Lines("a,b\n1,2\n3,4\n", {true, 2}, 2), (Result{2, 3}));
  EXPECT_EQ(Lines("1,2\n3,4", {false, 2}, 2), (Result{1, 2}));
  EXPECT_EQ(Lines("a,b\r\n1,\"x\r\ny\n\"\"z\"\r\n3,4\r\n", {true, 2}, 2), (Result{2, 5}));
  EXPECT_EQ(Lines("a,b\r1,2\r3,4\r", {true, 2}, 2), (Result{2, 3}));
  EXPECT_EQ(Lines("\"a\n1\",b\n\n1,2\n\n\n3,4\n", {true, 2}, 2), (Result{4, 7}));
  EXPECT_EQ(Lines("a\n\n1\n\n2\n", {true, 1}, 4), (Result{2, 3, 4, 5}));
}

TEST_F(CsvLineTest, ReadsCompressedFilesToTheirEnd) {
  const std::string path = Write("", "a.csv.gz");
  const auto codec = arrow::util::Codec::Create(arrow::Compression::GZIP).ValueOrDie();
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  auto out = arrow::io::CompressedOutputStream::Make(codec.get(), file).ValueOrDie();
  std::string text = "a\n";
  for (int i = 0; i < 400000; ++i) text += std::to_string(i) + "\n";
  ASSERT_OK(out->Write(text));
  ASSERT_OK(out->Close());
  EXPECT_EQ(LineOfRow(path, {true, 1}, 399999).ValueOrDie(), 400001);
}

}  // namespace
}  // namespace yarrow::cli
