#include "cli/import_file.h"

#include <arrow/api.h>
#include <arrow/compute/initialize.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "arrow_assert.h"
#include "cli/column_survey.h"
#include "temp_dir.h"

namespace yarrow::cli {
namespace {

class ImportFileTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_OK(arrow::compute::Initialize()); }

  std::filesystem::path WriteCsv(std::string_view content, const std::string& name = "a.csv") {
    const auto path = folder_.File(name);
    auto out = arrow::io::FileOutputStream::Open(path.string()).ValueOrDie();
    EXPECT_OK(out->Write(content));
    EXPECT_OK(out->Close());
    return path;
  }

  std::filesystem::path WriteParquet(const std::shared_ptr<arrow::Table>& table,
                                     const std::string& name = "a.parquet") {
    const auto path = folder_.File(name);
    auto out = arrow::io::FileOutputStream::Open(path.string()).ValueOrDie();
    EXPECT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 3));
    EXPECT_OK(out->Close());
    return path;
  }

  arrow::Result<std::shared_ptr<arrow::Table>> Read(const std::filesystem::path& path,
                                                    const std::vector<ImportColumn>& columns) {
    bytes_ = 0;
    ARROW_ASSIGN_OR_RAISE(const auto file, OpenImportFile(path, dialect_, columns, &bytes_));
    arrow::RecordBatchVector batches;
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(auto batch, file->Next());
      if (batch == nullptr) return arrow::Table::FromRecordBatches(batches);
      ARROW_RETURN_NOT_OK(batch->ValidateFull());
      batches.push_back(std::move(batch));
    }
  }

  static arrow::Status NoProgress(int64_t) { return arrow::Status::OK(); }

  test::TempDir folder_;
  CsvDialect dialect_;
  ByteCount bytes_ = 0;
};

std::shared_ptr<arrow::Array> Int64s(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  EXPECT_OK(builder.AppendValues(values));
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Strings(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  EXPECT_OK(builder.AppendValues(values));
  return builder.Finish().ValueOrDie();
}

TEST_F(ImportFileTest, CsvByNameInTheTablesOrder) {
  const auto path = WriteCsv("b,ignored,a\nx,1,7\ny,2,8\n");
  ASSERT_OK_AND_ASSIGN(const auto table, Read(path, {{"a", TypeId::kInt32}, {"b", TypeId::kUtf8}}));
  EXPECT_EQ(table->schema()->ToString(), "a: int32\nb: string");
  EXPECT_EQ(table->num_rows(), 2);
}

TEST_F(ImportFileTest, CsvErrorsNameLineColumnAndValue) {
  const auto path = WriteCsv("k,v\n1,\"two\nlines\"\n\n2,b\nx,c\n");
  EXPECT_ERROR_HAS(Read(path, {{"k", TypeId::kInt64}}), "a.csv: line 6: column k: cannot read 'x' as BIGINT");
  const auto nulls = WriteCsv("k,v\n1,a\nNA,b\n");
  EXPECT_ERROR_HAS(Read(nulls, {{"k", TypeId::kInt64, /*in_key=*/true, /*nullable=*/false}}),
                   "a.csv: line 3: column k: NULL in the primary key");
  EXPECT_ERROR_HAS(Read(nulls, {{"k", TypeId::kInt64, false, false}}), "line 3: column k: NULL in a NOT NULL column");
  EXPECT_ERROR_HAS(Read(nulls, {{"w", TypeId::kInt64}}), "a.csv: there is no column w");
}

TEST_F(ImportFileTest, ParquetIsCastWithoutLoss) {
  const auto schema = arrow::schema({arrow::field("n", arrow::int64()), arrow::field("t", arrow::utf8())});
  const auto path =
      WriteParquet(arrow::Table::Make(schema, {Int64s({1, 2, 3, 4, 300}), Strings({"1", "2", "3", "x", "5"})}));
  ASSERT_OK_AND_ASSIGN(const auto same, Read(path, {{"n", TypeId::kInt64}, {"t", TypeId::kUtf8}}));
  EXPECT_EQ(same->num_rows(), 5);
  EXPECT_NEAR(static_cast<double>(bytes_), static_cast<double>(std::filesystem::file_size(path)), 5);
  ASSERT_OK_AND_ASSIGN(const auto narrow, Read(path, {{"n", TypeId::kInt16}}));
  EXPECT_EQ(narrow->schema()->ToString(), "n: int16");
  EXPECT_ERROR_HAS(Read(path, {{"n", TypeId::kInt8}}), "a.parquet: row 5: column n: ");
  EXPECT_ERROR_HAS(Read(path, {{"t", TypeId::kInt64}}), "a.parquet: row 4: column t: cannot read 'x' as BIGINT");
}

TEST_F(ImportFileTest, NamesOfOtherFormatsAreRefused) {
  for (const char* name : {"a.csv", "a.CSV", "a.txt", "a", "a.tsv.gz", "json", "a.json.csv", "a.parquet"}) {
    EXPECT_OK(CheckFormat(name));
  }
  for (const char* name : {"a.json", "a.JSON", "dir/a.jsonl.gz", "a.ndjson", "a.arrow", "a.xlsx"}) {
    EXPECT_ERROR_HAS(CheckFormat(name), std::string("cannot import '") + name + "'");
  }
}

TEST_F(ImportFileTest, ABrokenParquetFileIsAnError) {
  WriteCsv("no parquet", "b.parquet");
  EXPECT_ERROR_HAS(Read(folder_.File("b.parquet"), {{"n", TypeId::kInt64}}), "b.parquet");
  EXPECT_ERROR_HAS(ParquetColumns(folder_.File("none.parquet")), "none.parquet");
}

TEST_F(ImportFileTest, SurveyInfersOverAllCells) {
  std::string content = "id,late\n";
  for (int i = 0; i < 400'000; ++i) content += std::to_string(i) + ",1\n";
  content += "400000,1.5\n";
  const auto path = WriteCsv(content);
  ColumnSurvey survey(dialect_, {});
  ASSERT_OK(survey.Add(path, true, &bytes_, NoProgress));
  EXPECT_EQ(survey.TypeOf("id").ValueOrDie().ToString(), "BIGINT");
  EXPECT_EQ(survey.TypeOf("late").ValueOrDie().ToString(), "DOUBLE");
  EXPECT_EQ(bytes_, static_cast<int64_t>(content.size()));
}

TEST_F(ImportFileTest, SurveyOfSeveralFiles) {
  const auto first = WriteCsv("a,b\n1,2\n");
  const auto second = WriteCsv("b,a\nx,1\n", "b.csv");
  ColumnSurvey survey(dialect_, {});
  ASSERT_OK(survey.Add(first, true, &bytes_, NoProgress));
  ASSERT_OK(survey.Add(second, true, &bytes_, NoProgress));
  EXPECT_EQ(survey.TypeOf("a").ValueOrDie().ToString(), "BIGINT");
  EXPECT_EQ(survey.TypeOf("b").ValueOrDie().ToString(), "VARCHAR");
  EXPECT_ERROR_HAS(survey.Add(WriteCsv("a\n1\n", "c.csv"), true, &bytes_, NoProgress), "c.csv: there is no column b");
  EXPECT_ERROR_HAS(survey.Add(WriteCsv("a,b,c\n1,2,3\n", "c.csv"), true, &bytes_, NoProgress),
                   "c.csv: column c is not in ");
}

TEST_F(ImportFileTest, ParquetTypesAreTakenAsTheyAre) {
  const auto path = WriteParquet(arrow::Table::Make(arrow::schema({arrow::field("a", arrow::int64())}), {Int64s({1})}));
  const auto other = WriteParquet(
      arrow::Table::Make(arrow::schema({arrow::field("a", arrow::utf8())}), {Strings({"1"})}), "b.parquet");
  ColumnSurvey survey(dialect_, {});
  ASSERT_OK(survey.Add(path, true, &bytes_, NoProgress));
  ASSERT_OK(survey.Add(WriteCsv("a\n1.5\n"), true, &bytes_, NoProgress));
  EXPECT_EQ(survey.TypeOf("a").ValueOrDie().ToString(), "BIGINT");
  ASSERT_OK(survey.Add(other, true, &bytes_, NoProgress));
  EXPECT_ERROR_HAS(survey.TypeOf("a"), "of another type in another file; choose one: --type a=BIGINT");
  ColumnSurvey told(dialect_, {{"a", TypeId::kUtf8}});
  ASSERT_OK(told.Add(path, true, &bytes_, NoProgress));
  ASSERT_OK(told.Add(other, true, &bytes_, NoProgress));
  EXPECT_EQ(told.TypeOf("a").ValueOrDie().ToString(), "VARCHAR");
}

}  // namespace
}  // namespace yarrow::cli
