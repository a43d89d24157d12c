#include "cold/segment_lookup.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "arrow_assert.h"
#include "batch/row_encoder.h"
#include "cold/page_rows.h"
#include "cold/segment_schema.h"
#include "key/key_range.h"
#include "random_seed.h"
#include "segment_fixture.h"
#include "temp_dir.h"

namespace yarrow::cold {
namespace {

using namespace yarrow::cold::test;
using yarrow::test::RandomSeed;
using yarrow::test::Rounds;
using yarrow::test::SameBatch;
using yarrow::test::TempDir;

constexpr uint64_t kPlenty = 256 << 20;

class SegmentLookupTest : public testing::Test {
 protected:
  // 100,000 rows id = 0, 2, 4, ... in four row groups.
  void SetUp() override {
    schema_ = PlainTable().ValueOrDie();
    rows_ = PlainRows(*schema_, 0, 100'000, 2).ValueOrDie();
    SegmentWriterOptions options;
    options.layout = SegmentLayout::kLookup;
    const TestSegment written = WriteSegment(dir_.path(), schema_, *rows_, 1, {8192}, options).ValueOrDie();
    segment_ = Segment::Open(dir_.path(), written.key, written.written.info).ValueOrDie();
  }

  std::shared_ptr<const SegmentLookup> Lookup(PageCache* cache) {
    return SegmentLookup::Make(segment_, schema_, kPrefix, {0, 1, 2, 3, 4}, cache).ValueOrDie();
  }

  const TempDir dir_;
  std::shared_ptr<const RowSchema> schema_;
  std::shared_ptr<arrow::RecordBatch> rows_;
  std::shared_ptr<const Segment> segment_;
};

TEST_F(SegmentLookupTest, FindsEachKeyAndNoOther) {
  PageCache cache(kPlenty);
  const auto lookup = Lookup(&cache);
  for (int64_t id = 0; id < 200'000; id += 998) {
    ASSERT_OK_AND_ASSIGN(const auto position, lookup->Find(PlainKey(id)));
    EXPECT_EQ(position, static_cast<uint64_t>(id / 2));
    ASSERT_OK_AND_ASSIGN(const std::string key, lookup->ReadKey(*position));
    EXPECT_EQ(key, PlainKey(id));
    ASSERT_OK_AND_ASSIGN(const auto none, lookup->Find(PlainKey(id + 1)));
    EXPECT_EQ(none, std::nullopt);
  }
  for (const std::string& key : {std::string(), PlainKey(-1), PlainKey(200'000), PlainKey(4) + "x", kPrefix}) {
    ASSERT_OK_AND_ASSIGN(const auto none, lookup->Find(key));
    EXPECT_EQ(none, std::nullopt);
  }
}

TEST_F(SegmentLookupTest, ReadsRowsInTheOrderAskedFor) {
  PageCache cache(kPlenty);
  const auto lookup = Lookup(&cache);
  const std::vector<uint64_t> positions = {99'999, 5, 6, 7, 30'719, 30'720, 5, 70'000, 0};
  ASSERT_OK_AND_ASSIGN(const auto read, lookup->ReadRows(positions));
  ASSERT_EQ(read->num_rows(), static_cast<int64_t>(positions.size()));
  for (size_t i = 0; i < positions.size(); ++i) {
    EXPECT_TRUE(
        SameBatch(*read->Slice(static_cast<int64_t>(i), 1), *rows_->Slice(static_cast<int64_t>(positions[i]), 1)));
  }
  ASSERT_OK_AND_ASSIGN(const auto none, lookup->ReadRows({}));
  EXPECT_EQ(none->num_rows(), 0);
  ASSERT_OK_AND_ASSIGN(const std::vector<Value> row, lookup->ReadRow(11));
  EXPECT_EQ(row[0].get<int64_t>(), 22);
  EXPECT_TRUE(row[1].is_null());
  EXPECT_EQ(row[2].get<double>(), 2.75);
  EXPECT_EQ(row[4].get<std::string>(), "green");
  EXPECT_ERROR_HAS(lookup->ReadRow(100'000), "has 100000 rows, none at position 100000");
  EXPECT_ERROR_HAS(lookup->ReadKey(UINT64_MAX), "none at position");
}

TEST_F(SegmentLookupTest, ASecondVisitReadsNothing) {
  PageCache cache(kPlenty);
  const auto lookup = Lookup(&cache);
  ASSERT_OK(lookup->ReadRow(40'000).status());
  const CacheCounts first = cache.counts();
  EXPECT_EQ(first.misses, 1U);
  EXPECT_EQ(first.entries, 1U);
  std::filesystem::remove(segment_->path());  // still open, but make the point
  ASSERT_OK(lookup->ReadRow(40'001).status());
  ASSERT_OK(lookup->Find(PlainKey(80'004)).status());
  EXPECT_EQ(cache.counts().misses, 1U);
  EXPECT_EQ(cache.counts().hits, 2U);
  cache.Erase(7, 1);
  EXPECT_EQ(cache.counts().bytes, 0U);
  EXPECT_EQ(cache.counts().entries, 0U);
}

TEST_F(SegmentLookupTest, TheCacheStaysWithinItsBudget) {
  constexpr uint64_t kBudget = 900'000;  // about one row group
  PageCache cache(kBudget);
  const auto lookup = Lookup(&cache);
  for (uint64_t position = 0; position < 100'000; position += 9973) {
    ASSERT_OK_AND_ASSIGN(const auto row, lookup->ReadRows({&position, 1}));
    EXPECT_TRUE(SameBatch(*row, *rows_->Slice(static_cast<int64_t>(position), 1)));
    EXPECT_LE(cache.counts().bytes, kBudget);
  }
  EXPECT_GT(cache.counts().entries, 0U);
  cache.SetBudget(0);
  EXPECT_EQ(cache.counts().entries, 0U);
  ASSERT_OK(lookup->ReadRow(1).status());  // works without any cache
}

TEST_F(SegmentLookupTest, TheLeastRecentlyUsedGoesFirst) {
  const auto page = [](int64_t rows) {
    auto made = std::make_shared<DecodedPage>();
    made->columns = {RepeatValue(Value(1), TypeId::kInt64, rows).ValueOrDie(), nullptr};
    return made;
  };
  PageCache cache(30'000);
  for (const uint32_t number : {0, 1, 2}) cache.Replace({1, 1, number}, page(1000));
  EXPECT_NE(cache.Find({1, 1, 0}, {0}), nullptr);
  cache.Replace({1, 1, 3}, page(1000));
  EXPECT_EQ(cache.Find({1, 1, 1}, {0}), nullptr);
  EXPECT_NE(cache.Find({1, 1, 0}, {0}), nullptr);
  cache.Replace({1, 1, 4}, page(10'000));  // larger than all
  EXPECT_EQ(cache.Find({1, 1, 4}, {0}), nullptr);
  EXPECT_NE(cache.Find({1, 1, 0}, {0}), nullptr);
  EXPECT_EQ(cache.counts().misses, 2U);
  EXPECT_NE(cache.Find({1, 1, 0}, {0, 1}), nullptr);
  EXPECT_EQ(cache.counts().misses, 3U) << "a column is missing";
  cache.Replace({1, 1, 0}, page(10));
  EXPECT_EQ(cache.Find({1, 1, 0}, {})->columns[0]->length(), 10);
  EXPECT_EQ(cache.counts().entries, 3U);
}

TEST_F(SegmentLookupTest, ParallelLookupsAgree) {
  PageCache cache(1'500'000);
  const auto lookup = Lookup(&cache);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Random random(t);
      for (int i = 0; i < 25; ++i) {
        const auto id = static_cast<int64_t>(random() % 100'000) * 2;
        const auto position = lookup->Find(PlainKey(id));
        const auto row = lookup->ReadRow(static_cast<uint64_t>(id / 2));
        if (!position.ok() || *position != static_cast<uint64_t>(id / 2)) ++wrong;
        if (!row.ok() || row->front().get<int64_t>() != id) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(SegmentLookupPropertyTest, KeysOfAnyTypesAreFound) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  for (int round = 0; round < Rounds(30); ++round) {
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const auto schema, RandomTable(random));
    ASSERT_OK_AND_ASSIGN(const auto rows, RandomRows(*schema, 1 + random() % 100, random));
    ASSERT_OK_AND_ASSIGN(const TestSegment written, WriteSegment(dir.path(), schema, *rows, 1));
    ASSERT_OK_AND_ASSIGN(const auto segment, Segment::Open(dir.path(), written.key, written.written.info));
    PageCache cache(kPlenty);
    std::vector<int> columns;
    for (size_t i = 0; i < schema->columns().size(); ++i) columns.push_back(static_cast<int>(i));
    ASSERT_OK_AND_ASSIGN(const auto lookup, SegmentLookup::Make(segment, schema, kPrefix, columns, &cache));
    const std::vector<std::string> keys = KeysOf(*schema, *rows);
    for (size_t i = 0; i < keys.size(); ++i) {
      ASSERT_OK_AND_ASSIGN(const auto position, lookup->Find(keys[i]));
      EXPECT_EQ(position, i);
      EXPECT_TRUE(written.written.key_filter.MayContain(KeyFilter::Hash(keys[i])));
      ASSERT_OK_AND_ASSIGN(const auto none, lookup->Find(KeySuccessor(keys[i])));
      EXPECT_EQ(none, std::nullopt);
    }
    ASSERT_OK_AND_ASSIGN(const auto group, PageRows::Make(lookup, 0));
    RowEncoder encoder(schema, kPrefix);
    ASSERT_OK(encoder.BindBatch(*rows));
    std::string key, row, expected;
    for (size_t n = 0; n < 2 * keys.size(); ++n) {  // in order, then anyhow
      const size_t i = n < keys.size() ? n : random() % keys.size();
      if (random() % 3 == 0) continue;
      const std::string absent = KeySuccessor(keys[i]);
      for (const std::string& asked : {keys[i], keys[i], absent, absent}) {
        ASSERT_OK_AND_ASSIGN(const auto position, group->Find(asked));
        EXPECT_EQ(position, asked == absent ? std::nullopt : std::optional<uint64_t>(i));
      }
      ASSERT_OK(group->Read(i, &key, &row));
      EXPECT_EQ(key, keys[i]);
      ASSERT_OK(encoder.EncodeRow(static_cast<int64_t>(i), &key, &expected));
      EXPECT_EQ(row, expected);
    }
    std::vector<uint64_t> positions(20);
    for (uint64_t& position : positions) position = random() % keys.size();
    ASSERT_OK_AND_ASSIGN(const auto read, lookup->ReadRows(positions));
    for (size_t i = 0; i < positions.size(); ++i) {
      EXPECT_TRUE(
          SameBatch(*read->Slice(static_cast<int64_t>(i), 1), *rows->Slice(static_cast<int64_t>(positions[i]), 1)));
    }
  }
}

}  // namespace
}  // namespace yarrow::cold
