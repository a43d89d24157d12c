#include "cold/segment_writer.h"

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>

#include <cmath>
#include <limits>

#include "arrow_assert.h"
#include "batch/validate.h"
#include "cold/parquet_form.h"
#include "cold/segment_path.h"
#include "random_seed.h"
#include "segment_fixture.h"
#include "temp_dir.h"
#include "type/type_traits.h"

namespace yarrow::cold {
namespace {

using namespace yarrow::cold::test;
using yarrow::test::RandomSeed;
using yarrow::test::Rounds;
using yarrow::test::SameBatch;
using yarrow::test::TempDir;

TEST(SegmentWriterTest, RandomTablesRoundTripAndBatchSplitsDoNotMatter) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  for (int round = 0; round < Rounds(60); ++round) {
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const auto schema, RandomTable(random));
    ASSERT_OK_AND_ASSIGN(const auto rows, RandomRows(*schema, 1 + random() % 300, random));
    SegmentWriterOptions options;
    options.layout = random() % 2 == 0 ? SegmentLayout::kScan : SegmentLayout::kLookup;
    ASSERT_OK_AND_ASSIGN(const TestSegment whole, WriteSegment(dir.path(), schema, *rows, 1, {1 << 30}, options));
    std::vector<int64_t> sizes;
    for (int i = 0; i < 50; ++i) sizes.push_back(1 + static_cast<int64_t>(random() % 40));
    ASSERT_OK_AND_ASSIGN(const TestSegment cut, WriteSegment(dir.path(), schema, *rows, 2, sizes, options));
    EXPECT_EQ(ReadFile(whole.path), ReadFile(cut.path));
    EXPECT_EQ(EncodeManifestEntry({1, 0, whole.written.info}), EncodeManifestEntry({1, 0, cut.written.info}));
    EXPECT_EQ(whole.written.key_filter.stored(), cut.written.key_filter.stored());
    ASSERT_OK_AND_ASSIGN(const auto read, ReadAll(dir.path(), cut, schema));
    ASSERT_OK(batch::ValidateInFull(*read));
    EXPECT_TRUE(SameBatch(*rows, *read)) << rows->ToString() << read->ToString();
  }
}

TEST(SegmentWriterTest, EveryTypeKeepsItsExtremes) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, MakeTable(yarrow::test::AllTypesTable()));
  std::vector<std::vector<Value>> rows;
  for (size_t i = 0; i < 24; ++i) {
    std::vector<Value> row = {Value(static_cast<int64_t>(i))};
    for (size_t c = 1; c < schema->columns().size(); ++c) {
      const ColumnType& type = schema->columns()[c].type;
      const std::vector<Value> cells = yarrow::test::ExtremeCells(type);
      Value cell = i < cells.size() ? cells[i] : Value::Null();
      if (type == ColumnType::Timestamp(TimeUnit::kSecond) && !cell.is_null()) cell = Value(cell.get<int64_t>() / 1000);
      row.push_back(std::move(cell));
    }
    rows.push_back(std::move(row));
  }
  ASSERT_OK_AND_ASSIGN(const auto batch, MakeBatch(*schema, rows));
  ASSERT_OK_AND_ASSIGN(const TestSegment segment, WriteSegment(dir.path(), schema, *batch, 1));
  ASSERT_OK_AND_ASSIGN(const auto read, ReadAll(dir.path(), segment, schema));
  EXPECT_TRUE(SameBatch(*batch, *read));
  for (const ColumnStatistics& column : segment.written.info.columns) {
    const bool is_real = column.type.id == TypeId::kFloat || column.type.id == TypeId::kDouble;
    EXPECT_EQ(column.has_nan, is_real);
    EXPECT_TRUE(column.min.has_value() || column.type.is_variable() || !IsBatchTypeArrow(column.type))
        << column.type.ToString();
  }
}

// 250,000 rows: three row groups to scan, nine to look up; and the file's SHA-256 is that of a known good run, so that
// a change of the bytes does not go unnoticed.
TEST(SegmentWriterTest, RowGroupsAndBytesAreFixed) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 0, 250'000));
  ASSERT_OK_AND_ASSIGN(const TestSegment scan, WriteSegment(dir.path(), schema, *rows, 1, {8192}));
  ASSERT_OK_AND_ASSIGN(const TestSegment again, WriteSegment(dir.path(), schema, *rows, 2, {100'000, 1, 60'000}));
  SegmentWriterOptions options;
  options.layout = SegmentLayout::kLookup;
  ASSERT_OK_AND_ASSIGN(const TestSegment lookup, WriteSegment(dir.path(), schema, *rows, 3, {8192}, options));

  const SegmentInfo& info = scan.written.info;
  ASSERT_EQ(info.row_groups.size(), 3U);
  EXPECT_EQ(info.row_groups[1], (RowGroupInfo{PlainKey(122'880), 122'880, 122'880}));
  EXPECT_EQ(info.row_groups[2], (RowGroupInfo{PlainKey(245'760), 245'760, 4'240}));
  EXPECT_EQ(info.last_key, PlainKey(249'999));
  EXPECT_EQ(info.rows, 250'000U);
  EXPECT_EQ(lookup.written.info.row_groups.size(), 9U);
  EXPECT_EQ(info.bytes, std::filesystem::file_size(scan.path));
  EXPECT_EQ(info.sha256, Sha256Of(ReadFile(scan.path)));
  EXPECT_EQ(info.sha256, again.written.info.sha256);
  EXPECT_EQ(ToHex(info.sha256), "7440e9cfb1372bdf5472a61966c21ac76d4f22d07f63727108dbbc1287f4395e");
  EXPECT_EQ(ToHex(lookup.written.info.sha256), "5281bcad6f868280cfa5dc1dbe82caa66ae1a039c7d077ae583f22d4854c3fc1");
}

TEST(SegmentWriterTest, ParquetFormIsTheOneDescribed) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 0, 130'000));
  ASSERT_OK_AND_ASSIGN(const TestSegment segment, WriteSegment(dir.path(), schema, *rows, 1));
  const auto file = parquet::ParquetFileReader::OpenFile(segment.path.string());
  const auto metadata = file->metadata();
  EXPECT_EQ(metadata->created_by(), "yarrow version 1");
  const auto uses = [](const parquet::ColumnChunkMetaData& chunk, parquet::Encoding::type encoding) {
    return std::ranges::count(chunk.encodings(), encoding) > 0;
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(metadata->schema()->group_node()->field(i)->field_id(), i + 1);
    const auto chunk = metadata->RowGroup(0)->ColumnChunk(i);
    EXPECT_EQ(chunk->compression(), parquet::Compression::ZSTD);
    EXPECT_TRUE(chunk->is_stats_set());
    int pages = 0;
    const auto reader = file->RowGroup(0)->GetColumnPageReader(i);
    while (const auto page = reader->NextPage()) pages += page->type() == parquet::PageType::DATA_PAGE ? 1 : 0;
    EXPECT_EQ(pages, 6);
  }
  const auto group = metadata->RowGroup(0);
  EXPECT_TRUE(uses(*group->ColumnChunk(0), parquet::Encoding::DELTA_BINARY_PACKED));
  EXPECT_TRUE(uses(*group->ColumnChunk(1), parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY));
  EXPECT_TRUE(uses(*group->ColumnChunk(2), parquet::Encoding::RLE_DICTIONARY));
  EXPECT_TRUE(uses(*group->ColumnChunk(3), parquet::Encoding::DELTA_BINARY_PACKED));
  EXPECT_TRUE(uses(*group->ColumnChunk(4), parquet::Encoding::RLE_DICTIONARY));
  ASSERT_EQ(group->sorting_columns().size(), 1U);
  EXPECT_EQ(group->sorting_columns()[0].column_idx, 0);
}

// Readers would take text for sorted that is in the order of the numbers it stands for.
TEST(SegmentWriterTest, SortingColumnsEndBeforeTypesThatParquetLacks) {
  const auto sorted = [](const std::vector<uint32_t>& key) {
    const auto schema = MakeTable({{{1, "i", TypeId::kInt64, false, {}},
                                    {2, "h", TypeId::kHugeint, false, {}},
                                    {3, "t", TypeId::kUtf8, false, {}}},
                                   key})
                            .ValueOrDie();
    return SegmentWriterProperties(*schema, SegmentLayout::kScan, {false, false, false})->sorting_columns().size();
  };
  EXPECT_EQ(sorted({1, 3}), 2U);
  EXPECT_EQ(sorted({1, 2, 3}), 1U);
  EXPECT_EQ(sorted({2, 1}), 0U);
}

TEST(SegmentWriterTest, LongRowsEndARowGroupEarlyAtTheSameRow) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema,
                       MakeTable({{{1, "id", TypeId::kInt64, false, {}}, {2, "text", TypeId::kUtf8, true, {}}}, {1}}));
  std::vector<std::vector<Value>> values;
  for (int64_t i = 0; i < 50; ++i)
    values.push_back({Value(i), Value(std::string(1 << 20, static_cast<char>('a' + i % 7)))});
  ASSERT_OK_AND_ASSIGN(const auto rows, MakeBatch(*schema, values));
  ASSERT_OK_AND_ASSIGN(const TestSegment whole, WriteSegment(dir.path(), schema, *rows, 1));
  ASSERT_OK_AND_ASSIGN(const TestSegment cut, WriteSegment(dir.path(), schema, *rows, 2, {1, 7, 3}));
  EXPECT_EQ(whole.written.info.sha256, cut.written.info.sha256);
  ASSERT_EQ(whole.written.info.row_groups.size(), 2U);
  EXPECT_EQ(whole.written.info.row_groups[0].rows, 32U);
  ASSERT_OK_AND_ASSIGN(const auto read, ReadAll(dir.path(), cut, schema));
  EXPECT_TRUE(SameBatch(*rows, *read));
  const ColumnStatistics& text = whole.written.info.columns[1];  // Parquet keeps no bounds of this size
  EXPECT_FALSE(text.min.has_value());
}

TEST(SegmentWriterTest, StatisticsAreThoseOfTheRows) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, MakeTable({{{1, "id", TypeId::kInt64, false, {}},
                                                      {2, "real", TypeId::kDouble, true, {}},
                                                      {3, "text", TypeId::kUtf8, true, {}},
                                                      {4, "sum", ColumnType::Decimal(38, 2), true, {}},
                                                      {5, "second", ColumnType::Timestamp(TimeUnit::kSecond), true, {}},
                                                      {6, "none", TypeId::kUInt64, true, {}},
                                                      {7, "big", TypeId::kUInt64, true, {}}},
                                                     {1}}));
  const std::string low = std::string(70, 'b');
  const std::string high = std::string(70, 'c');
  const auto decimal = [](int64_t unscaled) { return Value(Decimal{unscaled, 2}); };
  ASSERT_OK_AND_ASSIGN(
      const auto rows,
      MakeBatch(
          *schema,
          {{Value(-5), Value(std::nan("")), Value(low), decimal(-700), Value(-60), Value::Null(), Value(UINT64_MAX)},
           {Value(2), Value(-1.5), Value(high), decimal(900), Value(60), Value::Null(), Value(uint64_t{1})},
           {Value(9), Value(7.0), Value::Null(), decimal(0), Value::Null(), Value::Null(), Value(uint64_t{2})}}));
  ASSERT_OK_AND_ASSIGN(const TestSegment segment, WriteSegment(dir.path(), schema, *rows, 1));
  const auto& columns = segment.written.info.columns;
  const auto expect = [&](size_t i, const Value& min, const Value& max, uint64_t nulls, bool exact) {
    ASSERT_TRUE(columns[i].min.has_value() && columns[i].max.has_value()) << i;
    EXPECT_TRUE(std::is_eq(CompareValues(*columns[i].min, min))) << i << " " << columns[i].min->ToString();
    EXPECT_TRUE(std::is_eq(CompareValues(*columns[i].max, max))) << i << " " << columns[i].max->ToString();
    EXPECT_EQ(columns[i].null_count, nulls) << i;
    EXPECT_EQ(columns[i].min_is_exact, exact) << i;
    EXPECT_EQ(columns[i].max_is_exact, exact) << i;
  };
  expect(0, Value(-5), Value(9), 0, true);
  expect(1, Value(-1.5), Value(7.0), 0, true);
  EXPECT_TRUE(columns[1].has_nan);
  expect(2, Value(std::string(64, 'b')), Value(std::string(63, 'c') + "d"), 1, false);
  expect(3, decimal(-700), decimal(900), 0, true);
  expect(4, Value(-60), Value(60), 1, true);
  EXPECT_FALSE(columns[5].min.has_value());
  EXPECT_EQ(columns[5].null_count, 3U);
  expect(6, Value(uint64_t{1}), Value(UINT64_MAX), 0, true);
}

TEST(SegmentWriterTest, WhatDoesNotBelongInASegmentIsRefused) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 10, 5));
  const ManifestKey key{7, std::nullopt, 1};
  const auto open = [&] { return SegmentWriter::Open(schema, kPrefix, dir.path(), key).ValueOrDie(); };
  const auto writer = open();
  ASSERT_OK(writer->Write(*rows));
  EXPECT_ERROR_HAS(writer->Write(*rows), "table app.t: key (10) follows key (14)");
  EXPECT_ERROR_HAS(open()->Write(*rows->SelectColumns({0}).ValueOrDie()), "table app.t has 5 columns, the batch 1");
  EXPECT_ERROR_HAS(open()->Write(*rows->SelectColumns({1, 0, 2, 3, 4}).ValueOrDie()), "column id is BIGINT");
  EXPECT_ERROR_HAS(open()->Finish(), "would have no rows");
  auto nulls = rows->SetColumn(0, rows->schema()->field(0), arrow::MakeArrayOfNull(arrow::int64(), 5).ValueOrDie());
  EXPECT_ERROR_HAS(open()->Write(**nulls), "column id: 5 NULLs in a column that is NOT NULL");
  EXPECT_ERROR_HAS(SegmentWriter::Open(schema, "shorter", dir.path(), key).ValueOrDie()->Write(*rows),
                   "do not fit its keys");
}

TEST(SegmentWriterTest, SecondsThatMillisecondsCannotHoldAreAnError) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(
      const auto schema,
      MakeTable({{{1, "id", TypeId::kInt64, false, {}}, {2, "at", ColumnType::Timestamp(TimeUnit::kSecond), true, {}}},
                 {1}}));
  ASSERT_OK_AND_ASSIGN(const auto rows,
                       MakeBatch(*schema, {{Value(3), Value(std::numeric_limits<int64_t>::max() - 1)}}));
  const auto written = WriteSegment(dir.path(), schema, *rows, 1);
  EXPECT_ERROR_HAS(written, "table app.t, column at, rows from key (3) on: Parquet cannot hold a value");
  EXPECT_TRUE(std::filesystem::is_empty(dir.File("cold/7")));
}

TEST(SegmentWriterTest, AnUnfinishedSegmentLeavesNoFileAndAnExistingOneIsKept) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 0, 130'000));
  {
    ASSERT_OK_AND_ASSIGN(const auto writer, SegmentWriter::Open(schema, kPrefix, dir.path(), {7, "ann", 1}));
    ASSERT_OK(writer->Write(*rows));
    EXPECT_GT(writer->bytes_written(), 0U);
    EXPECT_EQ(writer->rows(), 130'000U);
    EXPECT_FALSE(std::filesystem::is_empty(dir.File("cold/7/u-ann")));
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir.File("cold/7/u-ann")));
  ASSERT_OK(WriteSegment(dir.path(), schema, *rows->Slice(0, 10), 1).status());
  EXPECT_ERROR_HAS(WriteSegment(dir.path(), schema, *rows, 1), "exists already");
}

}  // namespace
}  // namespace yarrow::cold
