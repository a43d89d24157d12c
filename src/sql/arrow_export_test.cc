#include "sql/arrow_export.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

using duckdb::LogicalType;

// Of one column of texts, with these lengths.
duckdb::unique_ptr<duckdb::DataChunk> Texts(const std::vector<int>& lengths) {
  auto chunk = duckdb::make_uniq<duckdb::DataChunk>();
  chunk->Initialize(duckdb::Allocator::DefaultAllocator(), {LogicalType::INTEGER, LogicalType::VARCHAR});
  for (size_t i = 0; i < lengths.size(); ++i) {
    chunk->SetValue(0, i, duckdb::Value::INTEGER(static_cast<int32_t>(i)));
    chunk->SetValue(
        1, i, lengths[i] < 0 ? duckdb::Value() : duckdb::Value(std::string(static_cast<size_t>(lengths[i]), 'x')));
  }
  chunk->SetCardinality(lengths.size());
  return chunk;
}

std::vector<duckdb::idx_t> Pieces(duckdb::DataChunk& chunk, uint64_t most_text) {
  std::vector<duckdb::idx_t> pieces;
  for (duckdb::idx_t first = 0; first < chunk.size(); first += pieces.back()) {
    pieces.push_back(RowsOfArray(chunk, {"id", "text"}, first, most_text));
  }
  return pieces;
}

using Sizes = std::vector<duckdb::idx_t>;

TEST(ArrowExportTest, AChunkIsSplitWhereItsTextsAreTooLong) {
  EXPECT_EQ(Pieces(*Texts({3, 3, 3}), 9), Sizes({3}));
  EXPECT_EQ(Pieces(*Texts({3, 3, 3, 4}), 9), Sizes({3, 1}));
  EXPECT_EQ(Pieces(*Texts({20, -1, 5, 5, 30, 0, 1}), 10), Sizes({1, 3, 1, 2}));
  EXPECT_EQ(Pieces(*Texts({}), 10), Sizes());
}

TEST(ArrowExportTest, AVectorOfOneTextCountsItForEachRow) {
  const auto chunk = Texts({3, 3, 3, 3});
  chunk->data[1].Reference(duckdb::Value("xxxxx"));
  EXPECT_EQ(Pieces(*chunk, 10), Sizes({2, 2}));
}

class ArrowSettingsTest : public test::SqlFixture {};

TEST_F(ArrowSettingsTest, PiecesHaveTheirRows) {
  const auto chunk = Texts({1, 2, -1, 4});
  duckdb::ClientProperties layout = ArrowLayout(connection_->context.get());
  ArrowSchema schema;
  duckdb::ArrowConverter::ToArrowSchema(&schema, chunk->GetTypes(), {"id", "text"}, layout);
  ArrowArray array = ToArrowArray(*chunk, 1, 3, layout);
  ASSERT_OK_AND_ASSIGN(const auto batch, arrow::ImportRecordBatch(&array, &schema));
  ASSERT_OK(batch->ValidateFull());
  EXPECT_EQ(batch->column(0)->ToString(), "[\n  1,\n  2,\n  3\n]");
  EXPECT_EQ(batch->column(1)->ToString(), "[\n  \"xx\",\n  null,\n  \"xxxx\"\n]");
}

TEST_F(ArrowSettingsTest, AreNotAboutWhatIsStored) {
  Run("SET arrow_large_buffer_size = true");
  Run("SET arrow_output_version = '1.5'");
  Run("SET produce_arrow_string_view = true");
  Run("SET arrow_lossless_conversion = true");
  Run("SET arrow_output_list_view = true");
  EXPECT_EQ(
      Run("CREATE TABLE t AS SELECT 1.5::DECIMAL(4,1) AS d, 'a text of more than twelve' AS t, '\\x00'::BLOB AS b, "
          "'00112233-4455-6677-8899-aabbccddeeff'::UUID AS u, 5::HUGEINT AS h, true AS f, TIME '01:02:03' AS m"),
      "1");
  EXPECT_EQ(Run("FROM t"), "1.5|a text of more than twelve|\\x00|00112233-4455-6677-8899-aabbccddeeff|5|true|01:02:03");
}

TEST_F(ArrowSettingsTest, TextsBeyondOneArrayAreStored) {
  Run("CREATE TABLE t (id INTEGER PRIMARY KEY, text VARCHAR)");
  EXPECT_EQ(Run("INSERT INTO t SELECT i, repeat('x', 1100000) || i FROM range(200) r(i)"), "200");
  EXPECT_EQ(Run("SELECT count(*) FROM t WHERE text = repeat('x', 1100000) || id"), "200");
}

}  // namespace
}  // namespace yarrow::sql
