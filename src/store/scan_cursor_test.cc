// Scans over bytes: exactly the entries asked for, in either direction, with and without an overlay.
#include <gtest/gtest.h>
#include <rocksdb/perf_context.h>

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "random_seed.h"
#include "store/file_run.h"
#include "store/store_commits.h"
#include "store_fixture.h"

namespace yarrow {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

class ScanTest : public test::StoreFixture {
 protected:
  Entries ReadAll(ScanCursor* scan) {
    Entries entries;
    while (scan->Next()) entries.emplace_back(scan->key(), scan->value());
    EXPECT_OK(scan->status());
    EXPECT_FALSE(scan->Next());  // the end stays the end
    return entries;
  }
  Entries Scan(ScanSpec spec, WriteSet::View writes = {}) {
    ScanCursor scan = store_->commits().Scan(std::move(spec), std::move(writes));
    return ReadAll(&scan);
  }
  // A statement in files, a few rows in each.
  void AddFileRun(uint64_t first, uint64_t count, WriteSet* writes, std::map<std::string, std::string>* expected) {
    const auto run = std::make_shared<FileRun>(store_, p_, /*file_bytes=*/30);
    for (uint64_t i = first; i < first + count; ++i) {
      const std::string value = "run" + std::to_string(writes->op_count());
      ASSERT_OK(run->Put(Key(i), value));
      (*expected)[Key(i)] = value;
    }
    ASSERT_OK(run->Finish());
    writes->AddRun(run);
  }
  void Fill(int count) {
    for (int i = 0; i < count; ++i) Put(Key(static_cast<uint64_t>(i)), std::to_string(i));
  }
};

TEST_F(ScanTest, BoundsOfTheFirstRangeAreNoneOfTheNext) {
  Fill(10);
  for (const bool reverse : {false, true}) {
    ScanCursor scan = store_->Scan({.partition = p_, .reverse = reverse});
    const auto count = [&](std::string_view lower, std::string_view upper) {
      scan.ResetRange(lower, upper);
      int rows = 0;
      while (scan.Next()) ++rows;
      EXPECT_OK(scan.status());
      return rows;
    };
    EXPECT_EQ(count(Key(2), Key(4)), 2);
    EXPECT_EQ(count("", ""), 10);
    EXPECT_EQ(count(Key(7), ""), 3);
    EXPECT_EQ(count("", Key(7)), 7);
  }
}

TEST_F(ScanTest, BoundsAndDirections) {
  Fill(10);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Scan({.partition = p_}).size(), 10u);
    const Entries range = Scan({.partition = p_, .lower = Key(3), .upper = Key(6)});
    EXPECT_EQ(range, (Entries{{Key(3), "3"}, {Key(4), "4"}, {Key(5), "5"}}));
    Entries reversed = Scan({.partition = p_, .lower = Key(3), .upper = Key(6), .reverse = true});
    std::reverse(reversed.begin(), reversed.end());
    EXPECT_EQ(reversed, range);
    EXPECT_EQ(Scan({.partition = p_, .reverse = true}).front().first, Key(9));
    EXPECT_EQ(Scan({.partition = p_, .lower = Key(8), .reverse = true}).size(), 2u);
    EXPECT_EQ(Scan({.partition = p_, .upper = Key(2), .reverse = true}).front().first, Key(1));
    EXPECT_TRUE(Scan({.partition = p_, .lower = Key(6), .upper = Key(3)}).empty());
    EXPECT_TRUE(Scan({.partition = p_, .lower = Key(3), .upper = Key(3)}).empty());
    EXPECT_TRUE(Scan({.partition = q_}).empty());
    ASSERT_OK(store_->FlushMemtables());
  }
}

TEST_F(ScanTest, ReadsItsSnapshotOrItsFirstMoment) {
  Put("a", "1");
  const Snapshot snapshot = store_->GetSnapshot();
  ScanCursor lazy = store_->Scan({.partition = p_});
  EXPECT_EQ(lazy.snapshot_sequence(), 0u);
  Put("b", "2");
  EXPECT_EQ(Scan({.partition = p_, .snapshot = snapshot}).size(), 1u);
  ASSERT_TRUE(lazy.Next());
  EXPECT_EQ(lazy.snapshot_sequence(), store_->LatestSequence());
  Put("c", "3");
  EXPECT_TRUE(lazy.Next());
  EXPECT_EQ(lazy.key(), "b");
  EXPECT_FALSE(lazy.Next());
}

// What RocksDB says it stepped over is what we say we visited.
TEST_F(ScanTest, VisitsAreExactlyThoseOfRocksDb) {
  Fill(1000);
  ASSERT_OK(store_->FlushMemtables());
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
  rocksdb::PerfContext* perf = rocksdb::get_perf_context();
  perf->Reset();
  ScanCursor unused = store_->Scan({.partition = p_});
  EXPECT_EQ(perf->seek_internal_seek_time, 0u);
  EXPECT_EQ(perf->block_read_count + perf->block_cache_hit_count, 0u);  // nothing was opened
  {
    ScanCursor scan = store_->Scan({.partition = p_});
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(scan.Next());
    EXPECT_EQ(scan.rows_visited(), 10u);
    EXPECT_EQ(scan.bytes_visited(), 10u * 9);
  }
  EXPECT_EQ(perf->internal_key_skipped_count, 9u);  // steps from one entry to the next
  perf->Reset();
  ScanCursor scan = store_->Scan({.partition = p_, .lower = Key(100), .upper = Key(200)});
  EXPECT_EQ(ReadAll(&scan).size(), 100u);
  EXPECT_EQ(scan.rows_visited(), 100u);
  EXPECT_EQ(perf->internal_key_skipped_count, 100u);  // the last step found the end
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

TEST_F(ScanTest, SeekSkipsWithinTheRange) {
  Fill(100);
  ScanCursor scan = store_->Scan({.partition = p_, .lower = Key(10), .upper = Key(90)});
  scan.Seek(Key(5));  // before the range: its beginning
  ASSERT_TRUE(scan.Next());
  EXPECT_EQ(scan.key(), Key(10));
  scan.Seek(Key(50) + "x");
  ASSERT_TRUE(scan.Next());
  EXPECT_EQ(scan.key(), Key(51));
  scan.Seek(Key(20));  // backwards
  ASSERT_TRUE(scan.Next());
  EXPECT_EQ(scan.key(), Key(20));
  scan.Seek(Key(95));
  EXPECT_FALSE(scan.Next());
  scan.Seek(Key(89));
  ASSERT_TRUE(scan.Next());
  EXPECT_FALSE(scan.Next());
  EXPECT_EQ(scan.rows_visited(), 4u);

  ScanCursor back = store_->Scan({.partition = p_, .lower = Key(10), .upper = Key(90), .reverse = true});
  back.Seek(Key(95));
  ASSERT_TRUE(back.Next());
  EXPECT_EQ(back.key(), Key(89));
  back.Seek(Key(50) + "x");
  ASSERT_TRUE(back.Next());
  EXPECT_EQ(back.key(), Key(50));
  back.Seek(Key(5));
  EXPECT_FALSE(back.Next());
}

TEST_F(ScanTest, ManyRangesThroughOneCursor) {
  Fill(100);
  ASSERT_OK(store_->FlushMemtables());
  for (const bool bounded : {false, true}) {
    for (const bool reverse : {false, true}) {
      ScanSpec spec{.partition = p_, .reverse = reverse};
      if (bounded) spec.lower = Key(0), spec.upper = Key(99) + "z";
      ScanCursor scan = store_->Scan(std::move(spec));
      ASSERT_TRUE(scan.Next());
      Put(Key(55), "changed behind its back");
      for (int i : {10, 50, 20, 97, 0}) {
        const auto number = static_cast<uint64_t>(i);
        scan.ResetRange(Key(number), Key(number + 2));
        const Entries entries = ReadAll(&scan);
        ASSERT_EQ(entries.size(), 2u) << i << bounded << reverse;
        EXPECT_EQ(entries[reverse].first, Key(number));
        EXPECT_EQ(entries[!reverse].first, Key(number + 1));
      }
      scan.ResetRange(Key(40) + "x", Key(41));
      EXPECT_TRUE(ReadAll(&scan).empty());
      scan.ResetRange("", "");
      EXPECT_EQ(ReadAll(&scan).size(), 100u);
      scan.ResetRange(Key(55), Key(56));
      EXPECT_EQ(ReadAll(&scan)[0].second, "55");  // one state throughout
      ASSERT_OK(store_->commits().CommitPut(p_, Key(55), "55").status());
    }
  }
}

TEST_F(ScanTest, RangesOfOneKeyAreReadWithoutAnIterator) {
  Fill(100);
  ASSERT_OK(store_->FlushMemtables());
  const auto after = [](const std::string& key) { return key + '\0'; };
  const Snapshot before = store_->GetSnapshot();
  Put(Key(5), "new");
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
  rocksdb::get_perf_context()->Reset();
  for (const bool reverse : {false, true}) {
    const auto one = [&](const std::string& key, const Snapshot& snapshot) {
      return Scan({.partition = p_, .lower = key, .upper = after(key), .reverse = reverse, .snapshot = snapshot});
    };
    EXPECT_EQ(one(Key(5), {}), (Entries{{Key(5), "new"}}));
    EXPECT_EQ(one(Key(5), before), (Entries{{Key(5), "5"}}));
    EXPECT_EQ(one(Key(5) + "x", {}), Entries{});
    // Several keys are read at one moment, too.
    ScanCursor scan = store_->Scan({.partition = p_, .lower = Key(1), .upper = after(Key(9)), .reverse = reverse});
    scan.ResetRange(Key(9), after(Key(9)));
    EXPECT_EQ(ReadAll(&scan).size(), 1u);
    Put(Key(1), "behind its back");
    scan.ResetRange(Key(1), after(Key(1)));
    EXPECT_EQ(ReadAll(&scan), (Entries{{Key(1), "1"}}));
    EXPECT_EQ(scan.rows_visited(), 2u);
    EXPECT_EQ(scan.bytes_visited(), 2u * (Key(1).size() + 1));
    Put(Key(1), "1");
  }
  EXPECT_EQ(rocksdb::get_perf_context()->seek_on_memtable_count, 0u);
  ScanCursor whole = store_->Scan({.partition = p_, .lower = Key(0), .upper = after(Key(0))});
  whole.Seek(Key(0) + "x");
  EXPECT_FALSE(whole.Next());
  whole.Seek(Key(0));
  EXPECT_TRUE(whole.Next());
  EXPECT_FALSE(whole.Next());
  EXPECT_GT(rocksdb::get_perf_context()->seek_on_memtable_count, 0u) << "the counter does not count";
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

TEST_F(ScanTest, MovesMidway) {
  Fill(10);
  ScanCursor scan = store_->Scan({.partition = p_});
  ASSERT_TRUE(scan.Next());
  ScanCursor moved = std::move(scan);
  EXPECT_EQ(moved.key(), Key(0));
  ASSERT_TRUE(moved.Next());
  EXPECT_EQ(moved.key(), Key(1));
}

TEST_F(ScanTest, OverlayReplacesHidesAndAdds) {
  Fill(5);
  WriteSet writes;
  writes.Put(p_, Key(1), "replaced");
  writes.Delete(p_, Key(3));
  writes.Put(p_, Key(7), "added");
  writes.Put(q_, Key(2), "elsewhere");
  writes.Seal();
  writes.Delete(p_, Key(0));
  writes.Put(p_, Key(3), "back again");
  writes.Seal();
  const WriteSet::View view = writes.GetView();
  writes.Put(p_, Key(4), "not sealed");
  const Entries expected = {
      {Key(1), "replaced"}, {Key(2), "2"}, {Key(3), "back again"}, {Key(4), "4"}, {Key(7), "added"}};
  EXPECT_EQ(Scan({.partition = p_}, view), expected);
  Entries reversed = Scan({.partition = p_, .reverse = true}, view);
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(reversed, expected);
  ScanCursor scan = store_->commits().Scan({.partition = p_}, view);
  ASSERT_TRUE(scan.Next());
  EXPECT_EQ(scan.rows_visited(), 1u);
}

// Random writes in random statements, over random stored entries; every range and direction agrees with a map.
TEST_F(ScanTest, OverlayAgreesWithAMap) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < test::Rounds(20); ++round) {
    std::map<std::string, std::string> expected;
    WriteSet clear;
    clear.DeleteRange(p_, Key(0), Key(100));
    ASSERT_OK(store_->commits().Commit(clear).status());
    for (int i = 0; i < 30; ++i) {
      const std::string key = Key(random() % 50);
      Put(key, "base");
      expected[key] = "base";
    }
    WriteSet writes;
    const uint64_t statements = random() % 12;
    for (uint64_t s = 0; s < statements; ++s) {
      if (random() % 3 == 0) {
        AddFileRun(random() % 60, 1 + random() % 10, &writes, &expected);
        continue;
      }
      for (uint64_t i = 0; i < 1 + random() % 5; ++i) {
        const std::string key = Key(random() % 60);
        if (random() % 3 == 0) {
          writes.Delete(p_, key);
          expected.erase(key);
        } else {
          const std::string value = std::to_string(random());
          writes.Put(p_, key, value);
          expected[key] = value;
        }
      }
      writes.Seal();
    }
    for (const auto& [key, value] : expected) {
      std::string_view own;
      const bool is_own = writes.Get(p_, key, &own).ValueOrDie() == WriteSet::Found::kPut;
      EXPECT_TRUE(!is_own || own == value) << key;
    }
    ScanCursor again = store_->commits().Scan({.partition = p_}, writes.GetView());
    for (int i = 0; i < 10; ++i) {
      const std::string lower = i == 0 ? "" : Key(random() % 60);
      const std::string upper = i == 0 ? "" : i % 3 == 0 ? lower + '\0' : Key(random() % 60);
      const bool reverse = random() % 2 == 0;
      Entries want;
      for (const auto& entry : expected) {
        if (entry.first >= lower && (upper.empty() || entry.first < upper)) want.push_back(entry);
      }
      again.ResetRange(lower, upper);
      EXPECT_EQ(ReadAll(&again), want);
      if (reverse) std::reverse(want.begin(), want.end());
      EXPECT_EQ(Scan({.partition = p_, .lower = lower, .upper = upper, .reverse = reverse}, writes.GetView()), want);
      ScanCursor sought = store_->commits().Scan({.partition = p_, .reverse = reverse}, writes.GetView());
      const std::string target = Key(random() % 60);
      sought.Seek(target);
      const auto found = reverse ? expected.upper_bound(target) : expected.lower_bound(target);
      const bool any = reverse ? found != expected.begin() : found != expected.end();
      ASSERT_EQ(sought.Next(), any);
      EXPECT_TRUE(!any || sought.key() == (reverse ? std::prev(found) : found)->first) << target;
    }
    writes.Put(p_, Key(61), "not sealed");
    expected[Key(61)] = "not sealed";
    ASSERT_OK(store_->commits().Commit(writes).status());
    EXPECT_EQ(Scan({.partition = p_}), Entries(expected.begin(), expected.end()));
  }
}

// A front of tombstones makes LIMIT 10 slow until compaction drops it, which it must do unasked.
TEST_F(ScanTest, TombstoneDenseFilesAreCompactedUnasked) {
  Fill(5000);
  ASSERT_OK(store_->CompactAll());
  for (uint64_t i = 0; i < 4000; ++i) ASSERT_OK(store_->commits().CommitDelete(p_, Key(i)).status());
  ASSERT_OK(store_->FlushMemtables());
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
  uint64_t tombstones = 1;
  while (tombstones > 0) {
    rocksdb::get_perf_context()->Reset();
    ScanCursor scan = store_->Scan({.partition = p_});
    ASSERT_TRUE(scan.Next());
    EXPECT_EQ(scan.key(), Key(4000));
    tombstones = rocksdb::get_perf_context()->internal_delete_skipped_count;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

TEST_F(ScanTest, ADamagedBlockIsAnErrorAndNotTheEnd) {
  for (int i = 0; i < 5000; ++i) Put(Key(static_cast<uint64_t>(i)), std::string(100, static_cast<char>('a' + i % 26)));
  ASSERT_OK(store_->FlushMemtables());
  store_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(dir_.File("db") / "hot")) {
    if (entry.path().extension() != ".sst") continue;
    std::FILE* file = std::fopen(entry.path().c_str(), "r+b");
    std::fseek(file, static_cast<long>(std::filesystem::file_size(entry.path()) / 2), SEEK_SET);
    std::fputs("damage", file);
    std::fclose(file);
  }
  Open({.durability = Durability::kOs});
  ScanCursor scan = store_->Scan({.partition = p_});
  while (scan.Next()) {
  }
  EXPECT_LT(scan.rows_visited(), 5000u);
  EXPECT_ERROR_HAS(scan.status(), "cannot read partition 'p'");
  EXPECT_FALSE(scan.Next());
  int unreadable = 0;
  for (uint64_t i = 0; i < 5000; ++i) {
    ScanCursor point = store_->Scan({.partition = p_, .lower = Key(i), .upper = Key(i) + '\0'});
    if (point.Next()) continue;
    EXPECT_ERROR_HAS(point.status(), "cannot read partition 'p'");
    ++unreadable;
  }
  EXPECT_GT(unreadable, 0);
}

}  // namespace
}  // namespace yarrow
