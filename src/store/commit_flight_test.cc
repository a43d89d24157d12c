// Commits in flight: who waits for whom, what listeners hear, and what a failed write leaves.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "random_seed.h"
#include "store/store_commits.h"
#include "store_fixture.h"

namespace yarrow {
namespace {

using Pending = std::future<arrow::Status>;

class FlightTest : public test::StoreFixture {
 protected:
  // Commits in a thread of its own.
  Pending Start(std::function<arrow::Status()> commit) { return std::async(std::launch::async, std::move(commit)); }
  Pending StartPut(std::string key, std::string value, CommitOptions options = {}) {
    return Start([=, this] { return store_->commits().CommitPut(p_, key, value, options).status(); });
  }
  Pending StartDeleteRange(std::string lower, std::string upper) {
    return Start([=, this] {
      WriteSet writes;
      writes.DeleteRange(p_, lower, upper);
      return store_->commits().Commit(writes).status();
    });
  }
  // A put of `key` that is announced and hangs in its write until gate_ opens.
  Pending HoldPut(const std::string& key, CommitOptions options = {}) {
    gate_.Close();
    Pending put = StartPut(key, "held", options);
    gate_.AwaitArrival();
    return put;
  }
};

TEST_F(FlightTest, ATransactionWaitsForItsKeyAndLosesToTheWinner) {
  const auto token = store_->commits().BeginWrite();
  Pending held = HoldPut("k");
  Pending late = StartPut("k", "late", {.transaction = token.get()});
  AwaitFigure("commit.waits", 1);
  EXPECT_EQ(Figure("commit.in_flight"), 1u);
  gate_.Open();
  EXPECT_OK(held.get());
  EXPECT_TRUE(IsConflict(late.get()));
  EXPECT_EQ(Get("k"), "held");
}

// What a move of rows does: it sees the last state of its range, and nobody writes there meanwhile.
TEST_F(FlightTest, AClosedCommitIsAloneInItsRange) {
  const std::vector<WriteRange> closed = {{p_.id(), "k", "m"}};
  Pending held = HoldPut("k1");
  std::atomic<bool> building = false;
  Pending late, elsewhere;
  Pending move = Start([&] {
    return store_->commits()
        .CommitClosed(closed,
                      [&](WriteSet* writes) {
                        building = true;
                        EXPECT_EQ(Get("k1"), "held");
                        late = StartPut("k2", "late");
                        elsewhere = StartPut("a", "elsewhere");
                        AwaitFigure("commit.waits", 2);
                        EXPECT_OK(elsewhere.get());
                        EXPECT_EQ(Get("k2"), "(none)");
                        writes->DeleteRange(p_, "k", "m");
                        writes->Put(p_, "k3", "moved");
                        return arrow::Status::OK();
                      })
        .status();
  });
  AwaitFigure("commit.waits", 1);
  EXPECT_FALSE(building);
  gate_.Open();
  EXPECT_OK(held.get());
  EXPECT_OK(move.get());
  EXPECT_OK(late.get());
  EXPECT_EQ(Get("k1"), "(none)");
  EXPECT_EQ(Get("k2"), "late");
  EXPECT_EQ(Get("k3"), "moved");
  EXPECT_EQ(Figure("commit.in_flight"), 0u);
}

TEST_F(FlightTest, AClosedCommitThatFailsWritesNothingAndLetsGo) {
  const std::vector<WriteRange> closed = {{p_.id(), "k", "m"}};
  const auto commit = [&](const StoreCommits::BuildWrites& build) {
    return store_->commits().CommitClosed(closed, build).status();
  };
  EXPECT_TRUE(commit([&](WriteSet* writes) {
                writes->Put(p_, "k", "x");
                return arrow::Status::Cancelled("no");
              }).IsCancelled());
  for (const char* outside : {"j", "m"}) {
    EXPECT_ERROR_HAS(commit([&](WriteSet* writes) {
                       writes->Put(p_, "k", "x");
                       writes->Put(p_, outside, "x");
                       return arrow::Status::OK();
                     }),
                     "outside of its ranges");
  }
  EXPECT_ERROR_HAS(commit([&](WriteSet* writes) {
                     writes->DeleteRange(p_, "k", "n");
                     return arrow::Status::OK();
                   }),
                   "outside of its ranges");
  EXPECT_EQ(Get("k"), "(none)");
  Put("k", "free");
  EXPECT_EQ(Get("k"), "free");
}

TEST_F(FlightTest, RowsThatOnlyMoveConflictWithNobody) {
  Put("k", "1");
  CommitGuard rows("rows"), places("places");
  const auto move = [&](bool moves_only) {
    const std::vector<WriteRange> closed = {{p_.id(), "k", "m"}};
    const std::vector<GuardUse> guards = {{&rows, rows.version()}, {&places, places.version(), true}};
    return store_->commits()
        .CommitClosed(closed,
                      [&](WriteSet* writes) {
                        writes->DeleteRange(p_, "k", "m");
                        return arrow::Status::OK();
                      },
                      {.guards = guards, .moves_only = moves_only})
        .status();
  };
  const auto survivor = store_->commits().BeginWrite();
  const uint64_t before = rows.last_commit_sequence();
  ASSERT_OK(move(true));
  EXPECT_EQ(Get("k"), "(none)");
  EXPECT_EQ(rows.last_commit_sequence(), before);
  EXPECT_EQ(places.version(), 1u);  // who has planned with the old places hears of it
  EXPECT_OK(PutIn(survivor.get(), "k", "2"));
  const auto loser = store_->commits().BeginWrite();
  ASSERT_OK(move(false));
  EXPECT_TRUE(IsConflict(PutIn(loser.get(), "k", "3")));
}

TEST_F(FlightTest, AFailedWriteResolvesAndMakesNoConflict) {
  const auto token = store_->commits().BeginWrite();
  Pending held = HoldPut("k");
  Pending late = StartPut("k", "late", {.transaction = token.get()});
  AwaitFigure("commit.waits", 1);
  gate_.Fail();
  const arrow::Status failed = held.get();
  EXPECT_TRUE(failed.IsIOError()) << failed.ToString();
  EXPECT_ERROR_HAS(failed, "the disk is on fire");
  EXPECT_ERROR_HAS(failed, dir_.File("db").string());
  const arrow::Status status = late.get();  // it was judged, found fine, and met the broken disk itself
  EXPECT_TRUE(status.IsIOError()) << status.ToString();
  EXPECT_FALSE(IsConflict(status));
  EXPECT_EQ(Figure("commit.in_flight"), 0u);
  EXPECT_EQ(Figure("commit.table_entries"), 0u);
  EXPECT_EQ(Get("k"), "(none)");
}

TEST_F(FlightTest, BlindWritesOfOneKeyDoNotWaitForEachOther) {
  Pending held = HoldPut("k");
  Pending other = StartPut("k", "other");
  AwaitFigure("commit.in_flight", 2);
  gate_.Open();
  EXPECT_OK(held.get());
  EXPECT_OK(other.get());
  EXPECT_EQ(Figure("commit.waits"), 0u);
}

TEST_F(FlightTest, ABlindWriteWaitsForATransactionOnItsKey) {
  // Else it could slip between the judgement and the write of the transaction, which would undo it unseen.
  const auto token = store_->commits().BeginWrite();
  Pending held = HoldPut("k", {.transaction = token.get()});
  Pending blind = StartPut("k", "blind");
  AwaitFigure("commit.waits", 1);
  Pending elsewhere = StartPut("other", "x");
  AwaitFigure("commit.in_flight", 2);
  gate_.Open();
  EXPECT_OK(held.get());
  EXPECT_OK(blind.get());
  EXPECT_OK(elsewhere.get());
  EXPECT_EQ(Get("k"), "blind");
}

TEST_F(FlightTest, ARangeWaitsForPointsInItAndHoldsNewOnesBack) {
  Put("m", "old");
  Pending held = HoldPut("k");
  Pending range = StartDeleteRange("j", "n");
  AwaitFigure("commit.waits", 1);
  Pending inside = StartPut("l", "after the range");
  AwaitFigure("commit.waits", 2);
  Pending outside = StartPut("z", "free");
  AwaitFigure("commit.in_flight", 2);  // the held one and the one outside
  gate_.Open();
  for (Pending* pending : {&held, &range, &inside, &outside}) EXPECT_OK(pending->get());
  EXPECT_EQ(Get("k"), "(none)");
  EXPECT_EQ(Get("m"), "(none)");
  EXPECT_EQ(Get("l"), "after the range");
  EXPECT_EQ(Get("z"), "free");
}

TEST_F(FlightTest, PointsWaitForARangeInFlight) {
  gate_.Close();
  Pending range = StartDeleteRange("j", "n");
  gate_.AwaitArrival();
  Pending inside = StartPut("k", "x");
  Pending overlapping = StartDeleteRange("m", "n");
  AwaitFigure("commit.waits", 2);
  Pending at_its_end = StartPut("n", "x");
  AwaitFigure("commit.in_flight", 2);
  gate_.Open();
  for (Pending* pending : {&range, &inside, &overlapping, &at_its_end}) EXPECT_OK(pending->get());
  EXPECT_EQ(Get("k"), "x");
}

TEST_F(FlightTest, GuardsRefuseWritesPlannedOnAnotherDefinition) {
  CommitGuard guard("definition of table app.users", 7);
  const GuardUse write[] = {{.guard = &guard, .version = 7}};
  const GuardUse alter[] = {{.guard = &guard, .version = 7, .exclusive = true}};
  ASSERT_OK(store_->commits().CommitPut(p_, "row", "1", {.guards = write}).status());
  EXPECT_EQ(guard.last_commit_sequence(), store_->LatestSequence());
  ASSERT_OK(store_->commits().CommitPut(p_, "definition", "2", {.guards = alter}).status());
  EXPECT_EQ(guard.version(), 8u);
  for (const auto& stale : {std::span(write), std::span(alter)}) {
    const auto refused = store_->commits().CommitPut(p_, "row", "3", {.guards = stale});
    EXPECT_TRUE(IsConflict(refused.status()));
    EXPECT_ERROR_HAS(refused, "definition of table app.users changed");
  }
  EXPECT_EQ(Get("row"), "1");
}

TEST_F(FlightTest, AFailedChangeOfADefinitionRaisesNoVersion) {
  CommitGuard guard("definition of t");
  const GuardUse alter[] = {{.guard = &guard, .version = 0, .exclusive = true}};
  const auto token = store_->commits().BeginWrite();
  Put("definition", "other");
  EXPECT_TRUE(IsConflict(
      store_->commits().CommitPut(p_, "definition", "x", {.transaction = token.get(), .guards = alter}).status()));
  EXPECT_EQ(guard.version(), 0u);
  EXPECT_OK(store_->commits().Commit(WriteSet(), {.guards = alter}).status());  // a change without bytes counts
  EXPECT_EQ(guard.version(), 1u);
}

TEST_F(FlightTest, AChangeOfADefinitionWaitsForWritesAndHoldsNewOnesBack) {
  CommitGuard guard("definition of t");
  const GuardUse write[] = {{.guard = &guard, .version = 0}};
  const GuardUse alter[] = {{.guard = &guard, .version = 0, .exclusive = true}};
  Pending held = HoldPut("row", {.guards = write});
  Pending change = StartPut("definition", "new", {.guards = alter});
  AwaitFigure("commit.waits", 1);
  Pending late = StartPut("row", "late", {.guards = write});
  AwaitFigure("commit.waits", 2);
  gate_.Open();
  EXPECT_OK(held.get());
  EXPECT_OK(change.get());
  EXPECT_TRUE(IsConflict(late.get()));
  EXPECT_EQ(Get("row"), "held");
  EXPECT_EQ(guard.version(), 1u);
}

// Remembers the keys changed since it was added, and those in flight; what flush and warm chunks will do.
class ChangedKeys : public CommitListener {
 public:
  void OnAnnounce(const CommitView& commit) noexcept override {
    std::lock_guard lock(mutex_);
    ++announced;
    pending_.insert(&commit);
  }
  void OnResolve(const CommitView& commit, const CommitOutcome& outcome) noexcept override {
    std::lock_guard lock(mutex_);
    ++resolved;
    strangers += pending_.erase(&commit) == 0;
    if (!outcome.committed) return;
    for (const WriteOp& op : commit.ops()) points_.emplace(outcome.last_sequence, op.key());
    for (const WriteRange& range : commit.ranges()) ranges_.emplace(outcome.last_sequence, range);
  }

  // Whether `key` may differ between the states at two sequences. To be asked after taking the snapshot of `to`.
  std::function<bool(const std::string&)> ChangedBetween(uint64_t from, uint64_t to) {
    std::lock_guard lock(mutex_);
    std::set<std::string> keys;
    std::vector<WriteRange> ranges;
    for (auto it = points_.upper_bound(from); it != points_.end() && it->first <= to; ++it) keys.insert(it->second);
    for (auto it = ranges_.upper_bound(from); it != ranges_.end() && it->first <= to; ++it)
      ranges.push_back(it->second);
    for (const CommitView* commit : pending_) {
      for (const WriteOp& op : commit->ops()) keys.insert(std::string(op.key()));
      for (const WriteRange& range : commit->ranges()) ranges.push_back(range);
    }
    return [=](const std::string& key) {
      return keys.contains(key) || std::any_of(ranges.begin(), ranges.end(), [&](const WriteRange& range) {
               return range.lower <= key && key < range.upper;
             });
    };
  }

  int announced = 0;
  int resolved = 0;
  int strangers = 0;  // resolved without having been announced

 private:
  std::mutex mutex_;
  std::set<const CommitView*> pending_;
  std::multimap<uint64_t, std::string> points_;
  std::multimap<uint64_t, WriteRange> ranges_;
};

TEST_F(FlightTest, AListenerHearsOfCommitsAlreadyInFlight) {
  Pending held = HoldPut("k");
  ChangedKeys listener;
  store_->commits().AddListener(&listener);
  EXPECT_EQ(listener.announced, 1);
  EXPECT_TRUE(listener.ChangedBetween(0, store_->LatestSequence())("k"));
  gate_.Open();
  EXPECT_OK(held.get());
  EXPECT_EQ(listener.resolved, 1);
  EXPECT_EQ(listener.strangers, 0);
  store_->commits().RemoveListener(&listener);
  Put("later", "x");
  EXPECT_EQ(listener.announced, 1);
}

TEST_F(FlightTest, AListenerIsToldOfFailure) {
  ChangedKeys listener;
  store_->commits().AddListener(&listener);
  Pending held = HoldPut("k");
  gate_.Fail();
  EXPECT_FALSE(held.get().ok());
  EXPECT_EQ(listener.resolved, 1);
  EXPECT_FALSE(listener.ChangedBetween(0, UINT64_MAX)("k"));
  store_->commits().RemoveListener(&listener);
}

// Whatever writers do, every key whose value differs between snapshots B and S is among those the listener names.
TEST_F(FlightTest, AListenerNeverMissesAChange) {
  ChangedKeys listener;
  store_->commits().AddListener(&listener);
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (uint64_t t = 0; t < 3; ++t) {
    writers.emplace_back([&, t] {
      std::mt19937_64 random(test::RandomSeed() + t);
      while (!stop) {
        WriteSet writes;
        std::this_thread::sleep_for(std::chrono::microseconds(50));
        const uint64_t dice = random() % 100;
        if (dice == 0) {
          const uint64_t lower = random() % 200;
          writes.DeleteRange(p_, Key(lower), Key(lower + 10));
        }
        for (uint64_t i = 0; i < 1 + random() % 3; ++i) {
          const std::string key = Key(random() % 200);
          dice % 4 == 1 ? writes.Delete(p_, key) : writes.Put(p_, key, std::to_string(random()));
        }
        const auto token = dice % 2 == 0 && dice != 0 ? store_->commits().BeginWrite() : nullptr;
        const auto committed = store_->commits().Commit(writes, {.transaction = token.get()});
        ASSERT_TRUE(committed.ok() || IsConflict(committed.status())) << committed.status().ToString();
      }
    });
  }
  const auto read_all = [&](const Snapshot& snapshot) {
    std::map<std::string, std::string> entries;
    ScanCursor scan = store_->Scan({.partition = p_, .snapshot = snapshot});
    while (scan.Next()) entries.emplace(scan.key(), scan.value());
    return entries;
  };
  uint64_t differences = 0;
  for (int round = 0; round < test::Rounds(60) || differences < 200; ++round) {
    const Snapshot before = store_->GetSnapshot();
    const auto old_entries = read_all(before);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const Snapshot after = store_->GetSnapshot();
    const auto changed = listener.ChangedBetween(before.sequence(), after.sequence());
    const auto new_entries = read_all(after);
    for (uint64_t i = 0; i < 210; ++i) {
      const auto a = old_entries.find(Key(i));
      const auto b = new_entries.find(Key(i));
      const bool differs =
          (a == old_entries.end()) != (b == new_entries.end()) || (a != old_entries.end() && a->second != b->second);
      differences += differs;
      EXPECT_TRUE(!differs || changed(Key(i))) << Key(i);
    }
    if (round % 10 == 0) EXPECT_OK(store_->FlushMemtables());
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  store_->commits().RemoveListener(&listener);
  EXPECT_EQ(listener.announced, listener.resolved);
  EXPECT_EQ(listener.strangers, 0);
}

TEST_F(FlightTest, EachDurabilitySyncsWhenItShould) {
  Put("a", "1");  // kOs
  EXPECT_EQ(gate_.syncs(), 0);
  ASSERT_OK(store_->commits().CommitPut(p_, "a", "2", {.sync = true}).status());
  EXPECT_EQ(gate_.syncs(), 1);
  CommitGuard guard("definition of t");
  const GuardUse alter[] = {{.guard = &guard, .version = 0, .exclusive = true}};
  ASSERT_OK(store_->commits().CommitPut(p_, "a", "3", {.guards = alter}).status());
  EXPECT_EQ(gate_.syncs(), 2);
  Open({.durability = Durability::kSync});
  const int before = gate_.syncs();
  Put("a", "4");
  EXPECT_EQ(gate_.syncs(), before + 1);
}

TEST_F(FlightTest, GroupedWritesAreSyncedSoonAndAFailedSyncIsReported) {
  Open({.durability = Durability::kGrouped, .group_commit_interval_ms = 1});
  const int before = gate_.syncs();
  Put("a", "1");
  while (gate_.syncs() == before) std::this_thread::yield();
  gate_.FailSyncs();
  arrow::Status status;
  while (status.ok()) status = store_->commits().CommitPut(p_, "b", "2").status();
  EXPECT_ERROR_HAS(status, "the disk forgets");
}

}  // namespace
}  // namespace yarrow
