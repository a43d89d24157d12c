// What is kept of segments in memory: within its budget, and enough to leave files alone.
#include <atomic>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

#include "cold/file_system.h"
#include "database/open_database.h"
#include "random_seed.h"
#include "tiers_fixture.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::List;

// Counts the files that are opened to be read. Thread-safe.
class CountingFileSystem : public cold::FileSystem {
 public:
  arrow::Result<std::unique_ptr<cold::WritableFile>> Create(const fs::path& path) override {
    return system_.Create(path);
  }
  arrow::Status Rename(const fs::path& from, const fs::path& to) override { return system_.Rename(from, to); }
  arrow::Status Remove(const fs::path& path) override { return system_.Remove(path); }
  arrow::Status SyncFolder(const fs::path& folder) override { return system_.SyncFolder(folder); }
  arrow::Status CreateFolder(const fs::path& folder) override { return system_.CreateFolder(folder); }
  arrow::Result<bool> Exists(const fs::path& path) override { return system_.Exists(path); }
  arrow::Result<std::vector<std::string>> List(const fs::path& folder) override { return system_.List(folder); }
  arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const fs::path& path) override {
    ++opened;
    return system_.Open(path);
  }

  std::atomic<int> opened{0};

 private:
  cold::FileSystem& system_ = cold::OsFileSystem();
};

class SegmentCachesTest : public test::TiersTest {
 protected:
  static constexpr int kSegments = 8;
  static constexpr int64_t kRows = 8000;
  static constexpr uint64_t kFilterBytes = 1400;  // of a segment, rounded up

  // Rows with even ids; each segment has keys from everywhere.
  std::shared_ptr<Table> MakeScattered() {
    tier().files = &files_;
    auto items = Create(test::ItemsSpec("items"));
    for (int64_t first = 0; first < kSegments; ++first) {
      for (int64_t id = first * 2; id < kRows * 2; id += kSegments * 2) EXPECT_OK(items->Put(List(Item(id, "cold"))));
      EXPECT_OK(items->Flush().status());
    }
    EXPECT_EQ(Files().size(), size_t{kSegments});
    return items;
  }
  ColdTier& tier() { return *ImplOf(*db_)->cold_tier(); }
  void Set(const std::string& name, uint64_t value) { ASSERT_OK(db_->SetSetting(name, std::to_string(value))); }
  uint64_t Figure(const std::string& name) {
    ScanOptions options{.columns = {{"value"}}};
    options.filter = test::cp::equal(test::Field("name"), test::Lit(name));
    return std::stoull(test::ReadTexts(*OpenTable("system.stats"), options).ValueOrDie().at(0));
  }

  // Inserts keys that no segment has. How many of them made a file be opened, none of which stays open: a filter lets
  // about one absent key in a hundred pass.
  int InsertsThatOpenFiles(Table& items, int keys) {
    int opening = 0;
    for (int64_t id = 1; id < keys * 2; id += 2) {
      const int before = files_.opened;
      EXPECT_OK(items.Insert(List(Item(id * 7 % (kRows * 2), "new"))));
      opening += files_.opened != before;
    }
    return opening;
  }
  // Of segments, by this process.
  size_t OpenFiles() const {
    const std::string folder = fs::canonical(dir_.File("db") / "cold").string();
    size_t open = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      open += fs::read_symlink(entry, gone).string().starts_with(folder);
    }
    return open;
  }

  CountingFileSystem files_;
};

TEST_F(SegmentCachesTest, InsertingAbsentKeysOpensNoFile) {
  const auto items = MakeScattered();
  Set("open_segments", 0);
  EXPECT_LT(InsertsThatOpenFiles(*items, 500), 100);
  const uint64_t misses = Figure("key_filters.misses");
  EXPECT_EQ(misses, uint64_t{kSegments});  // each was read once
  EXPECT_EQ(Figure("key_filters.entries"), uint64_t{kSegments});
  EXPECT_GT(Figure("key_filters.hits"), 1000U);
  EXPECT_ERROR_HAS(items->Insert(List(Item(4, "there"))), "key (4)");
}

TEST_F(SegmentCachesTest, NorDoesItWithABudgetTooSmallForAllFilters) {
  const auto items = MakeScattered();
  Set("open_segments", 0);
  for (const uint64_t budget : {2 * kFilterBytes, uint64_t{0}}) {
    Set("key_filter_cache_bytes", budget);
    const int before = files_.opened;
    EXPECT_LT(InsertsThatOpenFiles(*items, 200), 40);
    EXPECT_GT(files_.opened, before);  // what is counted here is what opens files
    EXPECT_LE(Figure("key_filters.used_bytes"), budget);
    EXPECT_EQ(Figure("key_filters.entries"), budget / kFilterBytes);
    for (int64_t id = 1; id < 400; id += 2) ASSERT_TRUE(Delete(*items, id * 7 % (kRows * 2)).ValueOrDie());
  }
}

TEST_F(SegmentCachesTest, OpenFilesStayWithinTheirLimit) {
  const auto items = MakeScattered();
  Set("open_segments", 3);
  for (int64_t id = 0; id < 400; id += 2) {
    ASSERT_EQ(test::TextOf(items->Get({{Value(id)}})).find(std::to_string(id) + "|1|cold"), 0U);
    ASSERT_LE(OpenFiles(), 3U);
  }
  EXPECT_EQ(Figure("open_segments.entries"), 3U);
  const uint64_t bytes = Figure("open_segments.used_bytes");
  EXPECT_GT(bytes, 1000U);
  Set("open_segment_bytes", bytes / 3 + 100);
  EXPECT_EQ(Figure("open_segments.entries"), 1U);
  EXPECT_EQ(OpenFiles(), 1U);
}

TEST_F(SegmentCachesTest, WhatIsInUseIsNeitherClosedNorOpenedTwice) {
  const auto items = MakeScattered();
  ASSERT_OK_AND_ASSIGN(const auto scan, items->Scan({.columns = {{"name"}}, .threads = 1}));
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_OK(scan->ReadNext(&batch));
  EXPECT_EQ(OpenFiles(), size_t{kSegments});
  const int opened = files_.opened;
  Set("open_segments", 0);
  EXPECT_EQ(OpenFiles(), size_t{kSegments});
  int64_t rows = batch->num_rows();
  Set("open_segments", 500);
  ASSERT_OK_AND_ASSIGN(const auto again, items->Scan({.columns = {{"name"}}, .threads = 1}));
  std::shared_ptr<arrow::RecordBatch> first;
  ASSERT_OK(again->ReadNext(&first));
  EXPECT_EQ(files_.opened, opened);
  while (batch != nullptr) {
    ASSERT_OK(scan->ReadNext(&batch));
    if (batch != nullptr) rows += batch->num_rows();
  }
  EXPECT_EQ(rows, kRows);
}

TEST_F(SegmentCachesTest, MergedSegmentsLeaveTheCaches) {
  const auto items = MakeScattered();
  for (int64_t id = 0; id < 40; id += 2) ASSERT_TRUE(items->Get({{Value(id)}}).ok());
  EXPECT_EQ(OpenFiles(), size_t{kSegments});
  ASSERT_OK(items->Compact({.full = true}).status());
  EXPECT_EQ(Files().size(), size_t{kSegments} + 1);  // kept for the time of retention
  EXPECT_EQ(Figure("key_filters.entries"), 0U);
  EXPECT_EQ(Figure("open_segments.entries"), 0U);
  EXPECT_EQ(OpenFiles(), 0U);
  ASSERT_TRUE(items->Get({{Value(int64_t{6})}}).ok());
  EXPECT_EQ(OpenFiles(), 1U);
}

TEST_F(SegmentCachesTest, ConcurrentReadersAndWritersShareTooSmallCaches) {
  const auto items = MakeScattered();
  Set("key_filter_cache_bytes", kFilterBytes);
  Set("open_segments", 2);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  for (uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(seed + t);
      const auto own = db_->OpenSession().ValueOrDie()->OpenTable("items").ValueOrDie();
      for (int64_t i = 0; i < 150; ++i) {
        const auto id = static_cast<int64_t>(random() % kRows) * 2;
        wrong += test::TextOf(own->Get({{Value(id)}})).find(std::to_string(id) + "|") != 0;
        const auto odd = static_cast<int64_t>(t) * 300 + i * 2 + 1;
        wrong += !own->Insert(List(Item(odd, "new"))).ok();
        if (i % 50 == 0) wrong += !test::ReadTexts(*own, {.columns = {{"id"}}, .threads = 2}).ok();
      }
    });
  }
  std::thread tuner([&] {
    for (uint64_t i = 0; !stop; ++i) {
      Set("key_filter_cache_bytes", i % 3 * kFilterBytes);
      Set("open_segments", i % 4);
      if (i % 8 == 0) EXPECT_OK(items->Flush().status());
      if (i % 16 == 0) EXPECT_OK(items->Compact({}).status());
    }
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  tuner.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(test::ReadTexts(*items, {.columns = {{"id"}}}).ValueOrDie().size(), static_cast<size_t>(kRows + 450));
}

// They read much once: what others read often stays, and glibc does not get two arenas full of blocks.
TEST_F(SegmentCachesTest, JobsLeaveTheBlockCacheAlone) {
  auto spec = test::ItemsSpec("items");
  spec.columns.push_back(test::Column("at", ColumnType::Timestamp(TimeUnit::kMicro)));
  spec.policy = {.ttl_column = "at", .ttl = 24 * 60 * 60};
  const auto items = Create(spec);
  std::vector<Value> row = Item(0, std::string(100, 'x'));
  row.emplace_back(NowMicros());
  const auto transaction = session_->Begin().ValueOrDie();
  for (int64_t id = 0; id < 20'000; ++id) {
    row[0] = id;
    ASSERT_OK(transaction->Put(*items, List(row)));
  }
  ASSERT_OK(transaction->Commit());
  ASSERT_OK(db_->store()->FlushMemtables());
  const uint64_t before = Figure("cache.used_bytes");
  EXPECT_EQ(items->Expire().ValueOrDie(), 0);
  EXPECT_TRUE(db_->Check().ValueOrDie().problems.empty());
  EXPECT_EQ(items->Flush().ValueOrDie().rows, 20'000);
  EXPECT_LT(Figure("cache.used_bytes"), before + 100'000);
}

}  // namespace
}  // namespace yarrow
