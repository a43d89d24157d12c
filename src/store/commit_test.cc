// Transactions: what conflicts and what does not, whatever became of the bytes meanwhile.
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <thread>

#include "random_seed.h"
#include "store/file_run.h"
#include "store/store_commits.h"
#include "store_fixture.h"

namespace yarrow {
namespace {

class CommitTest : public test::StoreFixture {
 protected:
  // `change` writes key "k" between the beginning of a transaction and its commit. The transaction must lose if it
  // writes "k" too, and nobody else's.
  void ExpectConflictAfter(const char* name, const std::function<void()>& change) {
    SCOPED_TRACE(name);
    Put("k", "before");
    const auto loser = store_->commits().BeginWrite();
    const auto winner = store_->commits().BeginWrite();
    change();
    const arrow::Status lost = PutIn(loser.get(), "k", "of the loser");
    EXPECT_TRUE(IsConflict(lost)) << lost.ToString();
    EXPECT_ERROR_HAS(lost, "\"k\" of partition 'p'");
    EXPECT_NE(Get("k"), "of the loser");
    EXPECT_OK(PutIn(winner.get(), "zz", "fine"));
    EXPECT_OK(PutIn(store_->commits().BeginWrite().get(), "k", "again"));  // a new transaction has seen the change
  }
  void TransferConcurrently(bool large, int rounds);
  void CommitRun(const std::vector<std::string>& keys) { ASSERT_OK(CommitRunIn(nullptr, keys)); }
  arrow::Status CommitRunIn(WriteTransactionToken* token, const std::vector<std::string>& keys) {
    const auto run = std::make_shared<FileRun>(store_, p_);
    for (const std::string& key : keys) ARROW_RETURN_NOT_OK(run->Put(key, "x"));
    ARROW_RETURN_NOT_OK(run->Finish());
    WriteSet writes;
    writes.AddRun(run);
    return store_->commits().Commit(writes, {.transaction = token}).status();
  }
};

TEST_F(CommitTest, FirstCommitterWins) {
  Put("k", "0");
  const auto first = store_->commits().BeginWrite();
  const auto second = store_->commits().BeginWrite();
  EXPECT_OK(PutIn(second.get(), "k", "2"));
  const arrow::Status lost = PutIn(first.get(), "k", "1");
  EXPECT_TRUE(IsConflict(lost));
  EXPECT_ERROR_HAS(lost, "write conflict");
  EXPECT_EQ(Get("k"), "2");
  EXPECT_EQ(Get("k", first->snapshot()), "0");
  EXPECT_FALSE(IsConflict(arrow::Status::OK()));
  EXPECT_FALSE(IsConflict(arrow::Status::Invalid("x")));
  EXPECT_TRUE(IsConflict(ConflictError("x")));
}

TEST_F(CommitTest, DisjointKeysDoNotConflict) {
  const auto first = store_->commits().BeginWrite();
  const auto second = store_->commits().BeginWrite();
  EXPECT_OK(PutIn(second.get(), "a", "2"));
  EXPECT_OK(PutIn(first.get(), "b", "1"));
  const auto third = store_->commits().BeginWrite();
  ASSERT_OK(store_->commits().CommitPut(q_, "c", "of another partition").status());
  EXPECT_OK(PutIn(third.get(), "c", "3"));
}

TEST_F(CommitTest, WritesBeforeTheTransactionDoNotConflict) {
  const auto other = store_->commits().BeginWrite();  // keeps the commit table filled
  Put("k", "1");
  EXPECT_OK(PutIn(store_->commits().BeginWrite().get(), "k", "2"));
}

TEST_F(CommitTest, EveryKindOfChangeConflicts) {
  ExpectConflictAfter("put", [&] { Put("k", "x"); });
  ExpectConflictAfter("delete", [&] { ASSERT_OK(store_->commits().CommitDelete(p_, "k").status()); });
  ExpectConflictAfter("batch", [&] {
    WriteSet writes;
    for (int i = 0; i < 100; ++i) writes.Put(p_, Key(i), "x");
    writes.Put(p_, "k", "x");
    ASSERT_OK(store_->commits().Commit(writes).status());
  });
  ExpectConflictAfter("range delete", [&] {
    WriteSet writes;
    writes.DeleteRange(p_, "j", "l");
    ASSERT_OK(store_->commits().Commit(writes).status());
  });
  ExpectConflictAfter("ingest", [&] { CommitRun({"j", "k", "l"}); });
  ExpectConflictAfter("ingest that ends with the key", [&] { CommitRun({"k"}); });
}

TEST_F(CommitTest, ChangesAreFoundWhereverTheyWent) {
  ExpectConflictAfter("memtable flush", [&] {
    Put("k", "x");
    ASSERT_OK(store_->FlushMemtables());
  });
  ExpectConflictAfter("compaction", [&] {
    Put("k", "x");
    ASSERT_OK(store_->CompactAll());
  });
  ExpectConflictAfter("delete and compaction", [&] {
    ASSERT_OK(store_->commits().CommitDelete(p_, "k").status());
    ASSERT_OK(store_->CompactAll());
  });
  ExpectConflictAfter("range delete and compaction", [&] {
    WriteSet writes;
    writes.DeleteRange(p_, "j", "l");
    ASSERT_OK(store_->commits().Commit(writes).status());
    ASSERT_OK(store_->CompactAll());
  });
  ExpectConflictAfter("other transaction", [&] { ASSERT_OK(PutIn(store_->commits().BeginWrite().get(), "k", "x")); });
}

TEST_F(CommitTest, LargeSetsConflictToo) {
  Open({.durability = Durability::kOs, .ingest_threshold_bytes = 1000});
  const auto large_set = [&](const std::string& value) {
    WriteSet writes;
    for (int i = 0; i < 100; ++i) writes.Put(p_, "k" + Key(i), value);
    writes.Put(p_, "k", value);
    return writes;
  };
  ExpectConflictAfter("large set",
                      [&] { ASSERT_OK(store_->commits().Commit(large_set(std::string(100, 'x'))).status()); });
  const auto loser = store_->commits().BeginWrite();
  Put("k" + Key(7), "changed");
  const auto lost = store_->commits().Commit(large_set(std::string(100, 'y')), {.transaction = loser.get()});
  EXPECT_TRUE(IsConflict(lost.status())) << lost.status().ToString();
  EXPECT_EQ(Get("k" + Key(7)), "changed");
  EXPECT_EQ(Get("k" + Key(8)), std::string(100, 'x'));
}

// A large write needs its keys, not all that lie between them.
TEST_F(CommitTest, ALargeTransactionConflictsByItsKeysOnly) {
  const auto large = store_->commits().BeginWrite();
  const auto loser = store_->commits().BeginWrite();
  const auto small = store_->commits().BeginWrite();
  Put("k", "by another");
  ASSERT_OK(PutIn(store_->commits().BeginWrite().get(), "m", "by a transaction"));
  CommitRun({"a", "z"});
  const arrow::Status lost = CommitRunIn(loser.get(), {"j", "m", "q"});
  EXPECT_TRUE(IsConflict(lost)) << lost.ToString();
  EXPECT_ERROR_HAS(lost, "\"m\" of partition 'p'");
  EXPECT_EQ(Get("j"), "(none)");
  EXPECT_OK(CommitRunIn(large.get(), {"j", "l", "q"}));
  EXPECT_EQ(Get("l"), "x");
  EXPECT_TRUE(IsConflict(PutIn(small.get(), "l", "late")));
  EXPECT_OK(PutIn(small.get(), "k2", "between them"));
}

TEST_F(CommitTest, MarksConflictWithTheOtherKindOnly) {
  const auto commit = [&](WriteTransactionToken* token, const char* key, const char* leaves, const char* avoids) {
    WriteSet writes;
    writes.Put(p_, key, "x");
    writes.LeaveMark(leaves);
    writes.AvoidMark(avoids);
    return store_->commits().Commit(writes, {.transaction = token}).status();
  };
  const auto first = store_->commits().BeginWrite(), second = store_->commits().BeginWrite();
  const auto other = store_->commits().BeginWrite(), elsewhere = store_->commits().BeginWrite();
  EXPECT_OK(commit(first.get(), "a", "child of 1", "no 1"));
  EXPECT_OK(commit(second.get(), "b", "child of 1", "no 1"));
  const arrow::Status lost = commit(other.get(), "c", "no 1", "child of 1");
  EXPECT_TRUE(IsConflict(lost)) << lost.ToString();
  EXPECT_EQ(FindConflictKey(lost)->partition_id, kNoPartition);
  EXPECT_OK(commit(elsewhere.get(), "c", "no 2", "child of 2"));
  EXPECT_OK(commit(store_->commits().BeginWrite().get(), "c", "no 1", "child of 1"));  // has seen the children
  EXPECT_EQ(Get("c"), "x");
}

// Of a set that goes in as files, too.
TEST_F(CommitTest, LargeSetsHaveMarks) {
  const auto child = store_->commits().BeginWrite();
  const auto large = store_->commits().BeginWrite();
  WriteSet writes;
  for (int i = 0; i < 20'000; ++i) writes.Put(p_, "k" + std::to_string(i), "x");
  writes.LeaveMark("no 1");
  writes.AvoidMark("child of 1");
  EXPECT_OK(store_->commits().Commit(writes, {.transaction = large.get()}).status());
  WriteSet row;
  row.Put(p_, "row", "x");
  row.AvoidMark("no 1");
  EXPECT_TRUE(IsConflict(store_->commits().Commit(row, {.transaction = child.get()}).status()));
  EXPECT_EQ(Get("row"), "(none)");
}

TEST_F(CommitTest, MarksThatAreAvoidedNeedATransaction) {
  WriteSet row;
  row.Put(p_, "row", "x");
  row.AvoidMark("no 1");
  EXPECT_TRUE(store_->commits().Commit(row).status().IsInvalid());
}

TEST_F(CommitTest, ATokenCommitsOnce) {
  const auto token = store_->commits().BeginWrite();
  ASSERT_OK(PutIn(token.get(), "a", "1"));
  EXPECT_ERROR_HAS(PutIn(token.get(), "b", "1"), "committed already");
  const auto loser = store_->commits().BeginWrite();
  Put("a", "2");
  EXPECT_TRUE(IsConflict(PutIn(loser.get(), "a", "3")));
  EXPECT_TRUE(IsConflict(PutIn(loser.get(), "a", "3")));  // and stays so
}

TEST_F(CommitTest, RangesInTransactionsAreJudgedByTheirGuards) {
  CommitGuard guard("definition of table t");
  const GuardUse use[] = {{.guard = &guard, .version = 0}};
  Put(Key(1), "x");
  WriteSet truncate;
  truncate.DeleteRange(p_, Key(0), Key(9));
  const auto unguarded = store_->commits().BeginWrite();
  EXPECT_ERROR_HAS(store_->commits().Commit(truncate, {.transaction = unguarded.get()}), "need a guard");
  const auto late = store_->commits().BeginWrite();
  ASSERT_OK(store_->commits().CommitPut(p_, Key(2), "y", {.guards = use}).status());
  const auto lost = store_->commits().Commit(truncate, {.transaction = late.get(), .guards = use});
  EXPECT_TRUE(IsConflict(lost.status())) << lost.status().ToString();
  EXPECT_EQ(Get(Key(1)), "x");
  const auto token = store_->commits().BeginWrite();
  EXPECT_OK(store_->commits().Commit(truncate, {.transaction = token.get(), .guards = use}).status());
  EXPECT_EQ(Get(Key(1)), "(none)");
}

TEST_F(CommitTest, TableHoldsOnlyWhatLiveTransactionsNeed) {
  for (int i = 0; i < 100; ++i) Put(Key(i), "x");
  EXPECT_EQ(Figure("commit.table_entries"), 0u);
  auto old_token = store_->commits().BeginWrite();
  for (int i = 0; i < 100; ++i) Put(Key(i), "y");
  EXPECT_EQ(Figure("commit.table_entries"), 100u);
  auto young_token = store_->commits().BeginWrite();
  for (int i = 50; i < 150; ++i) Put(Key(i), "z");
  WriteSet range;
  range.DeleteRange(p_, "x", "y");
  ASSERT_OK(store_->commits().Commit(range).status());
  EXPECT_EQ(Figure("commit.table_entries"), 151u);
  old_token.reset();
  EXPECT_TRUE(IsConflict(PutIn(young_token.get(), Key(60), "v")));
  EXPECT_OK(PutIn(young_token.get(), Key(10), "v"));
  EXPECT_EQ(Figure("commit.table_entries"), 0u);
  EXPECT_EQ(Figure("commit.live_transactions"), 0u);
}

TEST_F(CommitTest, ACommittingTransactionAloneRecordsNothing) {
  ASSERT_OK(PutIn(store_->commits().BeginWrite().get(), "k", "1"));
  EXPECT_EQ(Figure("commit.table_entries"), 0u);
}

// A transaction fails for keys that others committed, however many they are, on disk as in memory.
TEST_F(CommitTest, AnOldTransactionIsJudgedByAllThatWasCommittedSince) {
  Open({.durability = Durability::kOs, .commit_table_budget_bytes = 1 << 20});
  const auto old_token = store_->commits().BeginWrite();
  const auto other_old_token = store_->commits().BeginWrite();
  constexpr uint64_t kBatches = 40, kKeys = 10'000;
  for (uint64_t batch = 0; batch < kBatches; ++batch) {
    WriteSet writes;
    for (uint64_t i = 0; i < kKeys; ++i) writes.Put(p_, Key(batch * kKeys + i), "x");
    ASSERT_OK(store_->commits().Commit(writes).status());
  }
  EXPECT_EQ(Figure("commit.table_entries"), kBatches * kKeys);
  EXPECT_LT(Figure("commit.table_bytes"), 8u << 20);
  for (const uint64_t key : {uint64_t{0}, uint64_t{200'000}, kBatches * kKeys - 1}) {
    EXPECT_ERROR_HAS(PutIn(old_token.get(), Key(key), "y"), "write conflict on key");
  }
  WriteSet large;
  for (uint64_t i = 0; i < 20'000; ++i) large.Put(p_, "untouched " + Key(i), "y");
  WriteSet large_loser;
  for (uint64_t i = 0; i < 20'000; ++i) large_loser.Put(p_, "untouched " + Key(i), "z");
  large_loser.Put(p_, Key(777), "z");
  const auto lost = store_->commits().Commit(large_loser, {.transaction = other_old_token.get()});
  EXPECT_TRUE(IsConflict(lost.status()));
  EXPECT_ERROR_HAS(lost, Key(777));
  ASSERT_NE(FindConflictKey(lost.status()), nullptr);
  EXPECT_EQ(FindConflictKey(lost.status())->key, Key(777));
  EXPECT_OK(store_->commits().Commit(large, {.transaction = other_old_token.get()}).status());
  EXPECT_OK(PutIn(old_token.get(), "untouched", "y"));
  EXPECT_EQ(Figure("commit.table_entries"), 0u);
}

// Money moves between accounts, each move a transaction that retries on conflict; the sum stays.
void CommitTest::TransferConcurrently(bool large, int rounds) {
  constexpr int kAccounts = 10;
  constexpr int kStart = 1000;
  for (int i = 0; i < kAccounts; ++i) Put(Key(i), std::to_string(kStart));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string note(large && t % 2 == 0 ? 1000 : 1, 'n');  // one above the threshold makes the set a large one
      std::mt19937_64 random(test::RandomSeed() + static_cast<uint64_t>(t));
      for (int round = 0; round < rounds;) {
        const std::string from = Key(random() % kAccounts);
        const std::string to = Key(random() % kAccounts);
        if (from == to) continue;
        const auto token = store_->commits().BeginWrite();
        WriteSet writes;
        writes.Put(p_, from, std::to_string(std::stoi(Get(from, token->snapshot())) - 1));
        writes.Put(p_, to, std::to_string(std::stoi(Get(to, token->snapshot())) + 1));
        writes.Put(q_, Key(static_cast<uint64_t>(t)), note);
        std::this_thread::sleep_for(std::chrono::microseconds(50));  // so that transactions overlap
        const auto committed = store_->commits().Commit(writes, {.transaction = token.get()});
        ASSERT_TRUE(committed.ok() || IsConflict(committed.status())) << committed.status().ToString();
        round += committed.ok();
      }
    });
  }
  threads.emplace_back([&] {
    for (int round = 0; round < 20; ++round) {
      ScanCursor scan = store_->Scan({.partition = p_, .snapshot = store_->GetSnapshot()});
      int sum = 0;
      while (scan.Next()) sum += std::stoi(std::string(scan.value()));
      EXPECT_EQ(sum, kAccounts * kStart);
      if (round % 5 == 0) EXPECT_OK(store_->FlushMemtables());
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(Figure("commit.conflicts"), 0u);
  EXPECT_EQ(Figure("commit.in_flight"), 0u);
  EXPECT_EQ(Figure("commit.table_entries"), 0u);
}

TEST_F(CommitTest, ConcurrentTransfersKeepTheSum) {
  TransferConcurrently(/*large=*/false, test::Rounds(150));
}

TEST_F(CommitTest, ConcurrentLargeTransfersKeepTheSum) {
  Open({.durability = Durability::kOs, .ingest_threshold_bytes = 500, .commit_table_budget_bytes = 100});
  TransferConcurrently(/*large=*/true, test::Rounds(40));
}

}  // namespace
}  // namespace yarrow
