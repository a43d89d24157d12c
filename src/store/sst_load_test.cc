// Bulk loads and large write sets: SST files ingested in one atomic step.
#include "store/sst_load.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "store/store_fixture_test.h"

namespace yarrow {
namespace {

class LoadTest : public test::StoreFixture {
 protected:
  std::unique_ptr<SstLoad> NewLoad(Partition partition, int begin, int end, const std::string& value) {
    auto load = SstLoad::Open(store_, partition).ValueOrDie();
    for (int i = begin; i < end; ++i) EXPECT_OK(load->Append(Key(i), value));
    return load;
  }
  uint64_t Count(Partition partition, const Snapshot& snapshot = {}) {
    ScanCursor scan = store_->Scan({.partition = partition, .snapshot = snapshot});
    while (scan.Next()) {
    }
    EXPECT_OK(scan.status());
    return scan.rows_visited();
  }
  bool TemporaryIsEmpty() { return std::filesystem::is_empty(dir_.File("db") / "tmp"); }
};

TEST_F(LoadTest, RowsAppearAtCommitAndReplaceOlderOnes) {
  Put(Key(5), "old");
  Snapshot before = store_->GetSnapshot();
  auto load = NewLoad(p_, 0, 1000, "new");
  EXPECT_EQ(load->rows(), 1000u);
  EXPECT_EQ(Count(p_), 1u);
  ASSERT_OK_AND_ASSIGN(CommitResult result, load->Commit());
  EXPECT_GT(result.first_sequence, before.sequence());
  EXPECT_LE(result.first_sequence, result.last_sequence);
  EXPECT_LE(result.last_sequence, store_->LatestSequence());
  EXPECT_GT(load->file_bytes(), 0u);
  EXPECT_EQ(Count(p_), 1000u);
  EXPECT_EQ(Get(Key(5)), "new");
  EXPECT_EQ(Get(Key(5), before), "old");
  EXPECT_EQ(Count(p_, before), 1u);
  Put(Key(6), "newer");
  EXPECT_EQ(Get(Key(6)), "newer");
  load.reset();
  EXPECT_TRUE(TemporaryIsEmpty());
  before = {};
  Open({.durability = Durability::kOs});
  EXPECT_EQ(Count(p_), 1000u);
}

TEST_F(LoadTest, UnorderedKeysAreRefusedByName) {
  auto load = NewLoad(p_, 0, 10, "x");
  EXPECT_ERROR_HAS(load->Append(Key(9), "again"), "\"00000009\" follows \"00000009\"");
  EXPECT_ERROR_HAS(load->Append(Key(3), "back"), "strictly ascending");
  EXPECT_ERROR_HAS(SstLoad::Open(store_, Partition()), "names no partition");
}

TEST_F(LoadTest, AnAbandonedLoadLeavesNothing) {
  auto load = NewLoad(p_, 0, 1000, "x");
  EXPECT_FALSE(TemporaryIsEmpty());
  load.reset();
  EXPECT_TRUE(TemporaryIsEmpty());
  EXPECT_EQ(Count(p_), 0u);
}

TEST_F(LoadTest, RollsFiles) {
  auto load = SstLoad::Open(store_, p_).ValueOrDie();
  const std::string value(1 << 20, 'v');
  for (int i = 0; i < 150; ++i) ASSERT_OK(load->Append(Key(i), value));
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_.File("db") / "tmp"))
    files += entry.is_regular_file();
  EXPECT_EQ(files, 3u);
  ASSERT_OK(load->Commit().status());
  EXPECT_EQ(Count(p_), 150u);
}

TEST_F(LoadTest, SeveralLoadsAreOneCommit) {
  auto low = NewLoad(p_, 0, 100, "x");
  auto high = NewLoad(p_, 500, 600, "x");
  auto other = NewLoad(q_, 0, 50, "x");
  auto empty = SstLoad::Open(store_, q_).ValueOrDie();
  SstLoad* const loads[] = {low.get(), high.get(), other.get(), empty.get()};
  ASSERT_OK(SstLoad::Commit(loads).status());
  EXPECT_EQ(Count(p_), 200u);
  EXPECT_EQ(Count(q_), 50u);
  ASSERT_OK(SstLoad::Open(store_, p_).ValueOrDie()->Commit().status());  // an empty load is no error
}

TEST_F(LoadTest, ALoadIsJudgedByTheGuardsOfItsTransaction) {
  CommitGuard guard("definition of table t");
  const GuardUse use[] = {{.guard = &guard, .version = 0}};
  const auto token = store_->BeginWrite();
  ASSERT_OK(store_->CommitPut(p_, Key(50), "written meanwhile", {.guards = use}).status());
  auto load = NewLoad(p_, 0, 100, "loaded");
  const auto lost = load->Commit({.transaction = token.get(), .guards = use});
  EXPECT_TRUE(IsConflict(lost.status())) << lost.status().ToString();
  EXPECT_EQ(Get(Key(50)), "written meanwhile");
  load.reset();
  EXPECT_TRUE(TemporaryIsEmpty());
  const auto second = store_->BeginWrite();
  EXPECT_OK(NewLoad(p_, 0, 100, "loaded")->Commit({.transaction = second.get(), .guards = use}).status());
  EXPECT_EQ(Get(Key(50)), "loaded");
}

TEST_F(LoadTest, LargeSetsCommitAsOneIngestOverPartitions) {
  Open({.durability = Durability::kOs, .ingest_threshold_bytes = 10000});
  Put(Key(7), "to be deleted");
  ASSERT_OK(store_->FlushMemtables());
  const uint64_t memtable_before = Figure("hot.memtable_bytes");
  WriteSet writes;
  for (int i = 999; i >= 0; --i) {  // in any order
    writes.Put(p_, Key(i), "first");
    writes.Put(q_, Key(i), "of q");
  }
  writes.Seal();
  for (int i = 0; i < 1000; i += 2) writes.Put(p_, Key(i), "second");
  writes.Delete(p_, Key(7));
  Snapshot before = store_->GetSnapshot();
  auto token = store_->BeginWrite();
  ASSERT_OK(store_->Commit(writes, {.transaction = token.get()}).status());
  EXPECT_EQ(Figure("hot.memtable_bytes"), memtable_before);  // nothing went through the memtable
  EXPECT_TRUE(TemporaryIsEmpty());
  EXPECT_EQ(Count(p_), 999u);
  EXPECT_EQ(Count(q_), 1000u);
  EXPECT_EQ(Get(Key(8)), "second");
  EXPECT_EQ(Get(Key(9)), "first");
  EXPECT_EQ(Get(Key(7)), "(none)");
  EXPECT_EQ(Get(Key(7), before), "to be deleted");
  EXPECT_EQ(GetFrom(q_, Key(7)), "of q");
  before = {};
  token.reset();
  Open({.durability = Durability::kOs});
  EXPECT_EQ(Count(p_), 999u);
}

// A snapshot must give the same answer during an ingest and after it.
TEST_F(LoadTest, SnapshotsStandStillWhileFilesAreIngested) {
  std::atomic<bool> stop = false;
  std::thread loader([&] {
    for (int i = 0; i < 30; ++i) EXPECT_OK(NewLoad(p_, i * 10, i * 10 + 10, "x")->Commit().status());
    stop = true;
  });
  while (!stop) {
    const Snapshot snapshot = store_->GetSnapshot();
    const uint64_t first = Count(p_, snapshot);
    EXPECT_EQ(first % 10, 0u);
    std::this_thread::yield();
    EXPECT_EQ(Count(p_, snapshot), first);
  }
  loader.join();
  EXPECT_EQ(Count(p_), 300u);
}

}  // namespace
}  // namespace yarrow
