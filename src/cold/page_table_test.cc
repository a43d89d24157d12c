#include "cold/page_table.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>

#include "arrow_assert.h"
#include "cold/page_cache.h"
#include "cold/parquet_form.h"
#include "cold/record_bytes.h"
#include "cold/segment_lookup.h"
#include "cold/verify_segment.h"
#include "segment_fixture.h"
#include "temp_dir.h"

namespace yarrow::cold {
namespace {

using namespace yarrow::cold::test;
using yarrow::test::SameBatch;
using yarrow::test::TempDir;

class PageTableTest : public testing::Test {
 protected:
  void SetUp() override {
    schema_ = PlainTable().ValueOrDie();
    rows_ = PlainRows(*schema_, 0, 70'000).ValueOrDie();
    SegmentWriterOptions options;
    options.layout = SegmentLayout::kLookup;
    written_ = WriteSegment(dir_.path(), schema_, *rows_, 1, {8192}, options).ValueOrDie();
  }
  std::shared_ptr<const Segment> Open() {
    return Segment::Open(dir_.path(), written_->key, written_->written.info).ValueOrDie();
  }
  // Gives a text of the footer another one of the same size, and the manifest the new hash.
  void ReplaceInFooter(const std::string& from, const std::string& to) {
    std::string file = ReadFile(written_->path);
    const size_t footer = file.size() - written_->written.info.footer_bytes;
    const size_t at = file.find(from, footer);
    ASSERT_NE(at, std::string::npos);
    file.replace(at, to.size(), to);
    WriteFile(written_->path, file);
    written_->written.info.footer_hash = Hash64(std::string_view(file).substr(footer));
    written_->written.info.sha256 = Sha256Of(file);
  }
  // Some rows of the segment, one by one and as ranges of pages.
  void ExpectAllRows(const Segment& segment) {
    for (size_t page = 0; page < segment.pages().size(); ++page) {
      const SegmentPage& here = segment.pages()[page];
      ASSERT_OK_AND_ASSIGN(const auto arrays, segment.ReadColumns({page, page + 1}, {4, 0, 1, 2, 3}));
      for (int i = 0; i < 5; ++i) {
        const auto expected = rows_->column(i == 0 ? 4 : i - 1);
        EXPECT_TRUE(arrays[static_cast<size_t>(i)]->Equals(
            expected->Slice(static_cast<int64_t>(here.first_row), static_cast<int64_t>(here.rows))))
            << page << " " << i;
      }
    }
  }

  const TempDir dir_;
  std::shared_ptr<const RowSchema> schema_;
  std::shared_ptr<arrow::RecordBatch> rows_;
  std::optional<TestSegment> written_;
};

TEST_F(PageTableTest, PagesOfAllColumnsEndAtTheSameRows) {
  const auto segment = Open();
  ASSERT_EQ(segment->pages().size(), 8U + 8U + 3U);  // of 30,720, 30,720 and 8,560 rows
  EXPECT_EQ(segment->PagesOf(1), (PageRange{8, 16}));
  EXPECT_EQ(segment->pages()[7].rows, 2048U);
  EXPECT_EQ(segment->pages()[9].first_row, 30'720U + 4096U);
  EXPECT_EQ(segment->pages()[9].first_key, PlainKey(30'720 + 4096));
  EXPECT_EQ(segment->pages()[18].rows, 8560U - 8192U);
  for (const int64_t id : {0, 1, 4095, 4096, 30'719, 30'720, 69'999}) {
    const auto page = segment->FindPage(PlainKey(id));
    ASSERT_TRUE(page.has_value());
    EXPECT_EQ(page, segment->PageAt(static_cast<uint64_t>(id)));
    EXPECT_LE(segment->pages()[*page].first_row, static_cast<uint64_t>(id));
  }
  EXPECT_EQ(segment->FindPage(PlainKey(-1)), std::nullopt);
  EXPECT_EQ(segment->FindPage(PlainKey(70'000)), std::nullopt);
  ExpectAllRows(*segment);
}

// What other readers go by says the same.
TEST_F(PageTableTest, ItAgreesWithThePageIndexOfParquet) {
  const auto segment = Open();
  const auto file = parquet::ParquetFileReader::OpenFile(written_->path.string());
  const auto index = file->GetPageIndexReader();
  ASSERT_NE(index, nullptr);
  for (int group = 0; group < 3; ++group) {
    const PageRange pages = segment->PagesOf(static_cast<size_t>(group));
    for (int column = 0; column < 5; ++column) {
      const auto offsets = index->RowGroup(group)->GetOffsetIndex(column)->page_locations();
      ASSERT_EQ(offsets.size(), pages.end - pages.begin);
      const uint64_t first = segment->pages()[pages.begin].first_row;
      for (size_t i = 0; i < offsets.size(); ++i) {
        EXPECT_EQ(static_cast<uint64_t>(offsets[i].first_row_index),
                  segment->pages()[pages.begin + i].first_row - first);
      }
      EXPECT_NE(index->RowGroup(group)->GetColumnIndex(column), nullptr);
    }
  }
}

TEST_F(PageTableTest, AFewRowsCostAFewPages) {
  const auto segment = Open();
  uint64_t one = 0, all = 0;
  ASSERT_OK(segment->ReadColumns({9, 10}, {0, 1, 2, 3, 4}, &one).status());
  ASSERT_OK(segment->ReadColumns({8, 16}, {0, 1, 2, 3, 4}, &all).status());
  EXPECT_LT(6 * one, all);
}

// A column whose first row group suits a dictionary and whose second does not.
TEST_F(PageTableTest, ADictionaryThatGrowsEndsNoPageEarly) {
  ASSERT_OK_AND_ASSIGN(
      const auto schema,
      yarrow::test::MakeTable({{{1, "id", TypeId::kInt64, false, {}}, {2, "text", TypeId::kUtf8, true, {}}}, {1}}));
  arrow::Int64Builder ids;
  arrow::StringBuilder texts;
  for (int64_t id = 0; id < 61'440; ++id) {
    ASSERT_OK(ids.Append(id));
    ASSERT_OK(texts.Append(id < 30'720 ? "x" : std::to_string(id) + std::string(60, 'y')));
  }
  const auto rows = arrow::RecordBatch::Make(schema->arrow_schema(), 61'440, {*ids.Finish(), *texts.Finish()});
  SegmentWriterOptions options;
  options.layout = SegmentLayout::kLookup;
  ASSERT_OK_AND_ASSIGN(const auto written, WriteSegment(dir_.path(), schema, *rows, 2, {8192}, options));
  ASSERT_OK_AND_ASSIGN(const auto segment, Segment::Open(dir_.path(), written.key, written.written.info));
  ASSERT_EQ(segment->pages().size(), 16U);
  ASSERT_OK_AND_ASSIGN(const auto arrays, segment->ReadColumns({13, 15}, {1}));
  EXPECT_TRUE(arrays[0]->Equals(rows->column(1)->Slice(30'720 + 5 * 4096, 2 * 4096)));
  ASSERT_OK(VerifySegment(*segment, schema, kPrefix, &written.written.key_filter));
}

TEST_F(PageTableTest, AnOlderFileHasAPageARowGroup) {
  ReplaceInFooter(PageTable::kRowsKey, "yarrow.Page_rows");
  const auto segment = Open();
  ASSERT_EQ(segment->pages().size(), 3U);
  EXPECT_EQ(segment->pages()[1].first_key, PlainKey(30'720));
  ExpectAllRows(*segment);
  PageCache cache(64 << 20);
  ASSERT_OK_AND_ASSIGN(const auto lookup, SegmentLookup::Make(segment, schema_, kPrefix, {0, 1, 2, 3, 4}, &cache));
  ASSERT_OK_AND_ASSIGN(const auto position, lookup->Find(PlainKey(45'000)));
  EXPECT_EQ(position, 45'000U);
  ASSERT_OK(VerifySegment(*segment, schema_, kPrefix, &written_->written.key_filter));
}

TEST_F(PageTableTest, ADamagedPageIsAnErrorOfWhoReadsIt) {
  std::string file = ReadFile(written_->path);
  file[file.size() / 2] = static_cast<char>(file[file.size() / 2] ^ 1);
  WriteFile(written_->path, file);
  const auto segment = Open();
  int damaged = 0;
  for (size_t page = 0; page < segment->pages().size(); ++page) {
    for (int column = 0; column < 5; ++column) {
      const arrow::Status status = segment->ReadColumns({page, page + 1}, {column}).status();
      if (status.ok()) continue;
      ++damaged;
      EXPECT_ERROR_HAS(status, "their checksum is wrong");
      EXPECT_ERROR_HAS(status, written_->path.string());
    }
  }
  EXPECT_GE(damaged, 1);
  EXPECT_LE(damaged, 8) << "a dictionary page at most";
}

// The hash of the whole file is right then, as a writer with a fault would have it.
TEST_F(PageTableTest, WrongEntriesAreFound) {
  const std::string hashes = Open()->pages().empty() ? "" : [&] {
    const auto file = parquet::ParquetFileReader::OpenFile(written_->path.string());
    return file->metadata()->key_value_metadata()->Get(PageTable::kHashesKey).ValueOrDie();
  }();
  const std::string original = ReadFile(written_->path);
  const SegmentInfo info = written_->written.info;
  const auto verify = [&] { return VerifySegment(*Open(), schema_, kPrefix, &written_->written.key_filter); };
  const auto restore = [&] {
    WriteFile(written_->path, original);
    written_->written.info = info;
  };
  ReplaceInFooter(hashes.substr(0, 24), hashes.substr(0, 23) + (hashes[23] == '0' ? "1" : "0"));
  EXPECT_ERROR_HAS(verify(), "their checksum is wrong");
  EXPECT_ERROR_HAS(Open()->ReadColumns({0, 1}, {0}), "their checksum is wrong");
  restore();
  ReplaceInFooter(hashes.substr(0, 24), "ffffffff" + hashes.substr(8, 16));
  EXPECT_ERROR_HAS(Open()->ReadColumns({0, 1}, {0}), "their checksum is wrong");
  EXPECT_ERROR_HAS(verify(), "their checksum is wrong");
  restore();
  ReplaceInFooter(hashes.substr(0, 25), std::string(25, 'g'));
  EXPECT_ERROR_HAS(Open()->ReadColumns({0, 1}, {0}), "their checksum is wrong");
  restore();
  ReplaceInFooter(hashes, " " + hashes.substr(1));
  EXPECT_ERROR_HAS(Segment::Open(dir_.path(), written_->key, written_->written.info), "does not tell of the pages");
  restore();
  ReplaceInFooter(PageTable::kKeysKey, "yarrow.page_keyz");
  EXPECT_FALSE(Segment::Open(dir_.path(), written_->key, written_->written.info).ok());
  restore();
  EXPECT_OK(verify());
}

}  // namespace
}  // namespace yarrow::cold
