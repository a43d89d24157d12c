// Bulk loads and large write sets: SST files ingested in one atomic step.
#include "store/file_run.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <utility>

#include "store/store_commits.h"
#include "store_fixture.h"

namespace yarrow {
namespace {

class FileRunTest : public test::StoreFixture {
 protected:
  std::shared_ptr<const FileRun> NewRun(Partition partition, uint64_t begin, uint64_t end, std::string_view value) {
    auto run = std::make_shared<FileRun>(store_, partition, /*file_bytes=*/500);
    for (uint64_t i = begin; i < end; ++i) EXPECT_OK(run->Put(Key(i), value));
    EXPECT_OK(run->Finish());
    return run;
  }
  arrow::Result<CommitResult> Commit(std::shared_ptr<const FileRun> run) {
    WriteSet writes;
    writes.AddRun(std::move(run));
    return store_->commits().Commit(writes);
  }
  uint64_t Count(Partition partition, const Snapshot& snapshot = {}) {
    ScanCursor scan = store_->Scan({.partition = partition, .snapshot = snapshot});
    uint64_t count = 0;
    while (scan.Next()) ++count;
    EXPECT_OK(scan.status());
    return count;
  }
  bool TemporaryIsEmpty() { return std::filesystem::is_empty(dir_.File("db") / "tmp"); }
};

TEST_F(FileRunTest, RowsAppearAtCommitAndReplaceOlderOnes) {
  Put(Key(5), "old");
  Snapshot before = store_->GetSnapshot();
  auto run = NewRun(p_, 0, 1000, "new");
  EXPECT_EQ(run->files().rows(), 1000u);
  EXPECT_EQ(Count(p_), 1u);
  ASSERT_OK_AND_ASSIGN(CommitResult result, Commit(run));
  EXPECT_GT(result.first_sequence, before.sequence());
  EXPECT_LE(result.first_sequence, result.last_sequence);
  EXPECT_LE(result.last_sequence, store_->LatestSequence());
  EXPECT_GT(run->files().file_bytes(), 0u);
  EXPECT_EQ(Count(p_), 1000u);
  EXPECT_EQ(Get(Key(5)), "new");
  EXPECT_EQ(Get(Key(5), before), "old");
  EXPECT_EQ(Count(p_, before), 1u);
  Put(Key(6), "newer");
  EXPECT_EQ(Get(Key(6)), "newer");
  run.reset();
  EXPECT_TRUE(TemporaryIsEmpty());
  before = {};
  Open({.durability = Durability::kOs});
  EXPECT_EQ(Count(p_), 1000u);
}

TEST_F(FileRunTest, UnorderedKeysAreRefusedByName) {
  FileRun run(store_, p_);
  for (uint64_t i = 0; i < 10; ++i) ASSERT_OK(run.Put(Key(i), "x"));
  EXPECT_ERROR_HAS(run.Put(Key(9), "again"), "\"00000009\" follows \"00000009\"");
  EXPECT_ERROR_HAS(run.Put(Key(3), "back"), "strictly ascending");
}

TEST_F(FileRunTest, RollsFiles) {
  auto run = std::make_shared<FileRun>(store_, p_);
  const std::string value(1 << 20, 'v');
  for (uint64_t i = 0; i < 150; ++i) ASSERT_OK(run->Put(Key(i), value));
  ASSERT_OK(run->Finish());
  EXPECT_EQ(run->files().paths().size(), 3u);
  ASSERT_OK(Commit(run).status());
  EXPECT_EQ(Count(p_), 150u);
}

TEST_F(FileRunTest, AnEmptyOneIsNoError) {
  ASSERT_OK(Commit(NewRun(p_, 0, 0, "")).status());
  EXPECT_EQ(Count(p_), 0u);
}

TEST_F(FileRunTest, AloneItsFilesAreMovedIn) {
  const uint64_t memtable_before = Figure("hot.memtable_bytes");
  {
    WriteSet writes;
    writes.AddRun(NewRun(p_, 0, 300, "v"));
    EXPECT_EQ(writes.op_count(), 300u);
    EXPECT_FALSE(writes.empty());
    ASSERT_OK(store_->commits().Commit(writes).status());
  }
  EXPECT_TRUE(TemporaryIsEmpty());
  EXPECT_EQ(Figure("hot.memtable_bytes"), memtable_before);
  Open({.durability = Durability::kOs});
  EXPECT_EQ(Count(p_), 300u);
}

TEST_F(FileRunTest, NotCommittedItLeavesNothing) {
  {
    WriteSet writes;
    writes.AddRun(NewRun(p_, 0, 300, "v"));
    EXPECT_FALSE(TemporaryIsEmpty());
  }
  EXPECT_TRUE(TemporaryIsEmpty());
  EXPECT_EQ(Count(p_), 0u);
}

TEST_F(FileRunTest, WhatIsWrittenLaterWins) {
  Put(Key(5), "stored");
  Put(Key(900), "in the range");
  const Snapshot before = store_->GetSnapshot();
  WriteSet writes;
  writes.DeleteRange(p_, Key(0), Key(1000));
  writes.Put(p_, Key(1), "before the run");
  writes.Put(p_, Key(500), "beside the run");
  writes.AddRun(NewRun(p_, 0, 100, "run"));
  writes.Put(p_, Key(2), "after the run");
  writes.Delete(p_, Key(3));
  writes.AddRun(NewRun(p_, 50, 60, "second run"));
  writes.AddRun(NewRun(q_, 0, 10, "of q"));
  ASSERT_OK(store_->commits().Commit(writes).status());
  EXPECT_EQ(Count(q_), 10u);
  EXPECT_EQ(Get(Key(1)), "run");
  EXPECT_EQ(Get(Key(2)), "after the run");
  EXPECT_EQ(Get(Key(3)), "(none)");
  EXPECT_EQ(Get(Key(5)), "run");
  EXPECT_EQ(Get(Key(55)), "second run");
  EXPECT_EQ(Get(Key(500)), "beside the run");
  EXPECT_EQ(Get(Key(900)), "(none)");
  EXPECT_EQ(Get(Key(900), before), "in the range");
  EXPECT_EQ(Get(Key(5), before), "stored");
  EXPECT_EQ(Count(p_), 100u);  // 100 of the run, one deleted, one beside it
}

TEST_F(FileRunTest, SavepointsForgetRunsToo) {
  WriteSet writes;
  writes.Put(p_, "a", "1");
  const auto savepoint = writes.MakeSavepoint();
  writes.AddRun(NewRun(p_, 0, 10, "v"));
  writes.RollbackTo(savepoint);
  EXPECT_EQ(writes.op_count(), 1u);
  EXPECT_TRUE(TemporaryIsEmpty());
  ASSERT_OK(store_->commits().Commit(writes).status());
  EXPECT_EQ(Count(p_), 1u);
}

TEST_F(FileRunTest, ItIsJudgedLikeALoad) {
  CommitGuard guard("definition of table t");
  const GuardUse use[] = {{.guard = &guard, .version = 0}};
  const auto token = store_->commits().BeginWrite();
  ASSERT_OK(store_->commits().CommitPut(p_, Key(50), "written meanwhile", {.guards = use}).status());
  WriteSet writes;
  writes.AddRun(NewRun(p_, 0, 100, "run"));
  const auto lost = store_->commits().Commit(writes, {.transaction = token.get(), .guards = use});
  EXPECT_TRUE(IsConflict(lost.status())) << lost.status().ToString();
  EXPECT_EQ(Count(p_), 1u);
  // And keys in memory beside it as ever.
  const auto second = store_->commits().BeginWrite();
  Put("z", "written meanwhile");
  writes.Put(p_, "z", "mine");
  EXPECT_TRUE(IsConflict(store_->commits().Commit(writes, {.transaction = second.get(), .guards = use}).status()));
}

TEST_F(FileRunTest, LargeSetsCommitAsOneIngestOverPartitions) {
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
  auto token = store_->commits().BeginWrite();
  ASSERT_OK(store_->commits().Commit(writes, {.transaction = token.get()}).status());
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
TEST_F(FileRunTest, SnapshotsStandStillWhileFilesAreIngested) {
  std::atomic<bool> stop = false;
  std::thread loader([&] {
    for (uint64_t i = 0; i < 30; ++i) EXPECT_OK(Commit(NewRun(p_, i * 10, i * 10 + 10, "x")).status());
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
