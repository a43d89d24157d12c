#include "tier/moved_rows.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "arrow_assert.h"
#include "store/store_commits.h"
#include "store/system_partition.h"
#include "temp_dir.h"

namespace yarrow {
namespace {

class MovedRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, Store::Open(dir_.File("db"), {}));
    ASSERT_OK_AND_ASSIGN(rows_, OpenSystemPartition(*store_, "rows"));
    moved_.emplace(store_, rows_);
  }
  // Rows under a letter that a commit deletes, as one does that moves them.
  MovedRows::Move Move(const std::string& letter, uint64_t rows) {
    const KeyRange range{letter, letter + "z"};
    WriteSet writes;
    for (uint64_t i = 0; i < rows; ++i) writes.Put(rows_, letter + std::to_string(i), "row");
    EXPECT_OK(store_->commits().Commit(writes, {}).status());
    EXPECT_OK(store_->FlushMemtables());
    WriteSet deletion;
    deletion.DeleteRange(rows_, range.lower, range.upper);
    EXPECT_OK(store_->commits().Commit(deletion, {}).status());
    return {range, store_->LatestSequence(), rows};
  }
  uint64_t Stored(const std::string& letter) const { return store_->ApproximateEntries(rows_, letter, letter + "z"); }
  uint64_t Waiting() const { return moved_->CountIn({"a", "z"}); }

  test::TempDir dir_;
  std::shared_ptr<Store> store_;
  Partition rows_;
  std::optional<MovedRows> moved_;
};

TEST_F(MovedRowsTest, RangesAreDroppedWhenNoSnapshotIsOlderThanTheirMove) {
  std::vector<MovedRows::Move> moves{Move("a", 1000), Move("c", 2000)};
  Snapshot between = store_->GetSnapshot();
  moved_->Add(std::move(moves));
  moved_->Add({Move("e", 4000)});
  EXPECT_EQ(moved_->CountIn({"a", "d"}), 3000U);
  EXPECT_EQ(moved_->CountIn({"c", "z"}), 6000U);
  EXPECT_GT(Stored("a"), 0U);
  EXPECT_TRUE(moved_->HasDue());

  moved_->DropDue();
  EXPECT_FALSE(moved_->HasDue());
  EXPECT_EQ(Waiting(), 4000U);
  EXPECT_EQ(Stored("a"), 0U);
  EXPECT_EQ(Stored("c"), 0U);
  EXPECT_GE(Stored("e"), 4000U);

  between = {};
  EXPECT_TRUE(moved_->HasDue());
  moved_->DropDue();
  EXPECT_EQ(Waiting(), 0U);
  EXPECT_EQ(Stored("e"), 0U);
}

TEST_F(MovedRowsTest, WhatIsLeftWaitsOn) {
  moved_->Add({Move("a", 1000)});
  moved_->DropDue([] { return false; });
  EXPECT_EQ(Waiting(), 1000U);
  EXPECT_GE(Stored("a"), 1000U);
  EXPECT_TRUE(moved_->HasDue());
  moved_->DropDue([] { return true; });
  EXPECT_EQ(Waiting(), 0U);
}

// However long a snapshot is held, one range is not compacted many times, nor are neighbours one by one; and its time
// comes while it moves again and again.
TEST_F(MovedRowsTest, MovesOfOneRangeAreDroppedTogether) {
  moved_->Add({Move("a", 1000)});
  Snapshot held = store_->GetSnapshot();
  for (int i = 0; i < 5; ++i) moved_->Add({Move("a", 1000), Move("c", 1000), Move("e", 1000)});
  EXPECT_EQ(Waiting(), 16000U);
  EXPECT_TRUE(moved_->HasDue());
  moved_->DropDue();
  EXPECT_EQ(Waiting(), 15000U);
  EXPECT_FALSE(moved_->HasDue());

  held = {};
  EXPECT_TRUE(moved_->HasDue());
  int64_t questions = 0;
  const auto start = std::chrono::steady_clock::now();
  moved_->DropDue([&] { return ++questions > 0; });
  const auto waits = (std::chrono::steady_clock::now() - start) / MovedRows::kBetweenQuestions;
  EXPECT_LE(questions, 1 + waits) << "one before each compaction, the others while it waited";
  EXPECT_EQ(Waiting(), 0U);
  EXPECT_EQ(Stored("a"), 0U);
}

// RocksDB has brought deletion and rows together in its last level while a snapshot kept the rows.
TEST_F(MovedRowsTest, RowsOfTheLastLevelAreDropped) {
  MovedRows::Move move = [&] {
    const Snapshot held = [&] {
      WriteSet writes;
      for (int i = 0; i < 1000; ++i) writes.Put(rows_, "a" + std::to_string(i), "row");
      EXPECT_OK(store_->commits().Commit(writes, {}).status());
      return store_->GetSnapshot();
    }();
    WriteSet deletion;
    deletion.DeleteRange(rows_, "a", "az");
    EXPECT_OK(store_->commits().Commit(deletion, {}).status());
    EXPECT_OK(store_->CompactRange(rows_, "a", "az"));
    return MovedRows::Move{{"a", "az"}, store_->LatestSequence(), 1000};
  }();
  moved_->Add({std::move(move)});
  moved_->DropDue();
  EXPECT_EQ(Waiting(), 0U);
  EXPECT_EQ(Stored("a"), 0U);
}

TEST_F(MovedRowsTest, ConcurrentDropsLeaveNothing) {
  std::vector<MovedRows::Move> moves;
  for (char letter = 'a'; letter <= 'h'; ++letter) moves.push_back(Move(std::string(1, letter), 500));
  moved_->Add(std::move(moves));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      moved_->DropDue();
      EXPECT_EQ(Waiting(), 0U);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->ApproximateEntries(rows_, {}, {}), 0U);
}

}  // namespace
}  // namespace yarrow
