#include "store/read_triggered_compaction.h"

#include <string>
#include <utility>

#include "store/skipped_entries.h"
#include "store/store_commits.h"
#include "store_fixture.h"

namespace yarrow {
namespace {

class ReadTriggeredCompactionTest : public test::StoreFixture {
 protected:
  static constexpr uint64_t kRows = 20'000;

  void PutRows() {
    WriteSet writes;
    for (uint64_t i = 0; i < kRows; ++i) writes.Put(p_, Key(i), "value");
    ASSERT_OK(store_->commits().Commit(writes).status());
  }
  // One by one between the rows that stay, so that no range is known to be empty.
  void DeleteAllBut(uint64_t one_in) {
    WriteSet writes;
    for (uint64_t i = 0; i < kRows; ++i) {
      if (i % one_in != 0) writes.Delete(p_, Key(i));
    }
    ASSERT_OK(store_->commits().Commit(writes).status());
  }
  // Entries stepped over by a scan that gives so many rows.
  uint64_t Scan(uint64_t rows, bool reverse = false, const Snapshot& snapshot = {}) {
    const uint64_t before = SkippedEntries::OfThread();
    uint64_t count = 0;
    {
      ScanCursor cursor = store_->Scan({.partition = p_, .reverse = reverse, .snapshot = snapshot});
      while (cursor.Next()) ++count;
      EXPECT_OK(cursor.status());
    }
    EXPECT_EQ(count, rows);
    return SkippedEntries::OfThread() - before;
  }
  uint64_t Compactions() { return Figure("hot.read_triggered_compactions"); }
  // Scans until one steps over `most` entries at most. A compaction may come when RocksDB has just moved the file to
  // the last level as it is; then the second one is it.
  void ScanUntilCompacted(uint64_t rows, uint64_t most, bool reverse = false, const Snapshot& snapshot = {}) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    EXPECT_GE(Scan(rows, reverse, snapshot), kRows - rows);
    while (Scan(rows, reverse, snapshot) > most) ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    AwaitFigure("hot.read_triggered_compactions", 1);
  }
};

TEST_F(ReadTriggeredCompactionTest, DeletedRowsAmongOthersAreSteppedOverForAWhile) {
  for (const bool reverse : {false, true}) {
    PutRows();
    DeleteAllBut(4);
    ScanUntilCompacted(kRows / 4, 0, reverse);
  }
}

TEST_F(ReadTriggeredCompactionTest, ReplacedRowsToo) {
  PutRows();
  PutRows();
  PutRows();
  EXPECT_GE(Scan(kRows), kRows);
  ScanUntilCompacted(kRows, 0);
}

// No range is known to be empty at a snapshot that is older than what is known.
TEST_F(ReadTriggeredCompactionTest, ASnapshotOlderThanTheLastCommit) {
  PutRows();
  DeleteAllBut(10'000);
  const Snapshot snapshot = store_->GetSnapshot();
  Put(Key(500), "later");
  ScanUntilCompacted(2, 1, /*reverse=*/false, snapshot);
  EXPECT_LE(Scan(3), 1U);
}

TEST_F(ReadTriggeredCompactionTest, OthersAreLeftAlone) {
  PutRows();
  WriteSet writes;
  for (uint64_t i = 0; i < kRows; i += 10) writes.Delete(p_, Key(i));
  ASSERT_OK(store_->commits().Commit(writes).status());
  const uint64_t rows = kRows / 10 * 9;
  uint64_t skipped = 0;
  while (skipped < 4 * ReadTriggeredCompaction::kLeastSkipped) skipped += Scan(rows);
  EXPECT_EQ(Compactions(), 0U);
}

// While a snapshot sees the rows that were deleted, nothing is gained.
TEST_F(ReadTriggeredCompactionTest, InVainLessAndLess) {
  PutRows();
  const Snapshot before = store_->GetSnapshot();
  DeleteAllBut(4);
  uint64_t skipped = 0;
  while (skipped < 32 * ReadTriggeredCompaction::kLeastSkipped) skipped += Scan(kRows / 4);
  EXPECT_GE(Compactions(), 1U);
  EXPECT_LE(Compactions(), 6U);
  Scan(kRows, /*reverse=*/false, before);
}

TEST_F(ReadTriggeredCompactionTest, NotWhereCompactionIsTurnedOff) {
  Open({.durability = Durability::kOs, .disable_auto_compaction = true});
  PutRows();
  DeleteAllBut(4);
  uint64_t skipped = 0;
  while (skipped < 4 * ReadTriggeredCompaction::kLeastSkipped) skipped += Scan(kRows / 4);
  EXPECT_EQ(Compactions(), 0U);
}

// Beside writers, and closed in the middle of all.
TEST_F(ReadTriggeredCompactionTest, Concurrent) {
  PutRows();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (uint64_t i = 0; !stop; i = (i + 7) % kRows) Put(Key(i), "again");
  });
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (!stop) Scan(kRows);
    });
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  Scan(kRows);
  Open({.durability = Durability::kOs});
  Scan(kRows);
}

}  // namespace
}  // namespace yarrow
