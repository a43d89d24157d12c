// Store: gets, snapshots, partitions, durability, split points.
#include "yarrow/store.h"

#include <gtest/gtest.h>
#include <rocksdb/perf_context.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include <csignal>
#include <cstdio>
#include <map>
#include <random>
#include <thread>

#include "arrow_assert.h"
#include "child_process.h"
#include "random_seed.h"
#include "store/store_commits.h"
#include "store/store_env.h"
#include "temp_dir.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

using test::ChildProcess;
using test::TempDir;

std::string Key(uint64_t number) {
  char text[16];
  std::snprintf(text, sizeof(text), "%08llu", static_cast<unsigned long long>(number));
  return text;
}

class StoreTest : public testing::Test {
 protected:
  void SetUp() override { Open({.durability = Durability::kOs}); }

  void Open(const StoreOptions& options) {
    store_.reset();
    ASSERT_OK_AND_ASSIGN(store_, Store::Open(dir_.File("db"), options));
    ASSERT_OK_AND_ASSIGN(p_, store_->OpenPartition("p"));
  }

  std::string Get(std::string_view key, const Snapshot& snapshot = {}) {
    PinnedValue value;
    const auto found = store_->Get(p_, key, &value, snapshot);
    if (!found.ok()) return found.status().ToString();
    return *found ? std::string(value.view()) : "(none)";
  }
  void Put(std::string_view key, std::string_view value) {
    ASSERT_OK(store_->commits().CommitPut(p_, key, value).status());
  }

  TempDir dir_;
  std::shared_ptr<Store> store_;
  Partition p_;
};

TEST_F(StoreTest, GetSeesNowOrItsSnapshot) {
  Put("a", "1");
  const Snapshot before = store_->GetSnapshot();
  Put("a", "2");
  Put("b", "3");
  ASSERT_OK(store_->commits().CommitDelete(p_, "c").status());
  EXPECT_EQ(Get("a"), "2");
  EXPECT_EQ(Get("a", before), "1");
  EXPECT_EQ(Get("b", before), "(none)");
  const Snapshot copy = before;
  ASSERT_OK(store_->FlushMemtables());
  ASSERT_OK(store_->CompactAll());
  EXPECT_EQ(Get("a", copy), "1");
  EXPECT_EQ(copy.sequence(), before.sequence());
  EXPECT_LT(before.sequence(), store_->LatestSequence());
}

TEST_F(StoreTest, SnapshotsOfAnotherStoreAreRefused) {
  Put("a", "1");
  test::TempDir elsewhere;
  ASSERT_OK_AND_ASSIGN(auto other, Store::Open(elsewhere.File("db"), {.durability = Durability::kOs}));
  const Snapshot foreign = other->GetSnapshot();
  PinnedValue value;
  EXPECT_ERROR_HAS(store_->Get(p_, "a", &value, foreign), elsewhere.path().string());
  ScanSpec spec;
  spec.partition = p_;
  spec.snapshot = foreign;
  ScanCursor cursor = store_->Scan(std::move(spec));
  EXPECT_FALSE(cursor.Next());
  EXPECT_ERROR_HAS(cursor.status(), "take one from the database that is read");
}

// What a power cut leaves: a log with zeros behind its last record, perhaps with that record torn.
TEST_F(StoreTest, TheLogsReservedTailIsItsEnd) {
  namespace fs = std::filesystem;
  for (uint64_t i = 0; i < 100; ++i) Put(Key(i), "value");
  for (const bool torn : {false, true}) {
    const fs::path copy = dir_.File(torn ? "torn" : "whole");
    fs::copy(dir_.File("db"), copy, fs::copy_options::recursive);
    int logs = 0;
    for (const auto& entry : fs::directory_iterator(copy / "hot")) {
      if (entry.path().extension() != ".log") continue;
      ++logs;
      EXPECT_GT(entry.file_size(), 1u << 20) << "the size follows the writes, which makes syncs slow";
      if (!torn) continue;
      std::fstream log(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      std::string bytes(1 << 16, '\0');
      log.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      log.seekp(static_cast<std::streamoff>(bytes.find_last_not_of('\0')) - 3);
      log.write("\0\0\0\0", 4);
    }
    EXPECT_EQ(logs, 1);
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(copy, {.durability = Durability::kOs}));
    ASSERT_OK_AND_ASSIGN(const Partition p, store->OpenPartition("p"));
    PinnedValue value;
    EXPECT_TRUE(store->Get(p, Key(98), &value).ValueOrDie());
    EXPECT_EQ(store->Get(p, Key(99), &value).ValueOrDie(), !torn);
  }
}

TEST_F(StoreTest, PinnedValueMoves) {
  const std::string large(100000, 'x');
  Put("large", large);
  Put("small", "s");
  Put("empty", "");
  ASSERT_OK(store_->FlushMemtables());  // blocks get pinned, memtable values copied
  for (const std::string key : {"large", "small", "empty"}) {
    PinnedValue value;
    ASSERT_OK_AND_ASSIGN(bool found, store_->Get(p_, key, &value));
    ASSERT_TRUE(found);
    const std::string expected(value.view());
    PinnedValue moved(std::move(value));
    EXPECT_EQ(moved.view(), expected);
    PinnedValue assigned;
    assigned = std::move(moved);
    EXPECT_EQ(assigned.view(), expected);
    ASSERT_OK_AND_ASSIGN(found, store_->Get(p_, "none", &assigned));  // and can be used again
    EXPECT_FALSE(found);
    EXPECT_EQ(assigned.view(), "");
  }
}

TEST_F(StoreTest, PartitionsAreSeparateAndLast) {
  ASSERT_OK_AND_ASSIGN(Partition q, store_->OpenPartition("q"));
  EXPECT_NE(p_.id(), q.id());
  EXPECT_EQ(store_->PartitionName(q), "q");
  Put("a", "of p");
  ASSERT_OK(store_->commits().CommitPut(q, "a", "of q").status());
  Open({.durability = Durability::kOs});
  EXPECT_EQ(store_->ListPartitions(), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(Get("a"), "of p");
  EXPECT_ERROR_HAS(store_->OpenPartition(""), "needs a name");
}

TEST_F(StoreTest, NoPartitionIsAnError) {
  PinnedValue value;
  EXPECT_ERROR_HAS(store_->Get(Partition(), "a", &value), "names no partition");
  EXPECT_ERROR_HAS(store_->commits().CommitPut(Partition(), "a", "b"), "names no partition");
  WriteSet writes;
  writes.Put(Partition(), "a", "b");
  EXPECT_ERROR_HAS(store_->commits().Commit(writes), "names no partition");
  ScanCursor scan = store_->Scan({});
  EXPECT_FALSE(scan.Next());
  EXPECT_ERROR_HAS(scan.status(), "names no partition");
}

TEST_F(StoreTest, CommitIsAtomicOverPartitionsAndReportsItsSequences) {
  ASSERT_OK_AND_ASSIGN(Partition q, store_->OpenPartition("q"));
  Put("gone", "x");
  WriteSet writes;
  writes.Put(p_, "a", "1");
  writes.Put(q, "a", "2");
  writes.Delete(p_, "gone");
  writes.Put(p_, "a", "3");  // the last write wins
  const uint64_t before = store_->LatestSequence();
  ASSERT_OK_AND_ASSIGN(CommitResult result, store_->commits().Commit(writes));
  EXPECT_EQ(result.first_sequence, before + 1);
  EXPECT_EQ(result.last_sequence, store_->LatestSequence());
  EXPECT_EQ(Get("a"), "3");
  EXPECT_EQ(Get("gone"), "(none)");
  PinnedValue value;
  ASSERT_OK_AND_ASSIGN(bool found, store_->Get(q, "a", &value));
  EXPECT_TRUE(found);
  ASSERT_OK(store_->commits().Commit(WriteSet()).status());  // nothing is fine too
}

TEST_F(StoreTest, DeleteRangeAppliesBeforeThePutsOfItsSet) {
  for (int i = 0; i < 10; ++i) Put(Key(i), "old");
  WriteSet writes;
  writes.Put(p_, Key(4), "new");  // whatever the order of the calls
  writes.DeleteRange(p_, Key(2), Key(8));
  ASSERT_OK(store_->commits().Commit(writes).status());
  EXPECT_EQ(Get(Key(1)), "old");
  EXPECT_EQ(Get(Key(2)), "(none)");
  EXPECT_EQ(Get(Key(4)), "new");
  EXPECT_EQ(Get(Key(8)), "old");
  writes.DeleteRange(p_, "a", "");
  EXPECT_ERROR_HAS(store_->commits().Commit(writes), "upper bound");
}

TEST_F(StoreTest, StatisticsAreSortedAndMove) {
  const auto figure = [&](const std::string& name) {
    for (const auto& [key, value] : store_->Statistics()) {
      if (key == name) return value;
    }
    ADD_FAILURE() << "no figure " << name;
    return uint64_t{0};
  };
  const auto all = store_->Statistics();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  for (int i = 0; i < 100; ++i) Put(Key(i), "value");
  EXPECT_EQ(figure("hot.rows_estimate"), 100u);
  EXPECT_EQ(figure("hot.sst_bytes"), 0u);
  ASSERT_OK(store_->FlushMemtables());
  EXPECT_GT(figure("hot.sst_bytes"), 0u);
  const auto token = store_->commits().BeginWrite();
  EXPECT_EQ(figure("commit.live_transactions"), 1u);
}

// Writes numbered keys and reports each one after its commit returned, until it is killed.
void WriteUntilKilled(Durability durability) {
  if (test::ChildPath() == nullptr) GTEST_SKIP();
  ASSERT_OK_AND_ASSIGN(auto store,
                       Store::Open(test::ChildPath(), {.durability = durability, .write_buffer_bytes = 1 << 16}));
  ASSERT_OK_AND_ASSIGN(Partition p, store->OpenPartition("p"));
  ASSERT_OK_AND_ASSIGN(Partition q, store->OpenPartition("q"));
  for (uint64_t i = 0;; ++i) {
    WriteSet writes;
    writes.Put(p, Key(i), std::string(100, 'v'));
    writes.Put(q, Key(i), Key(i));
    ASSERT_OK(store->commits().Commit(writes).status());
    test::WriteToParent(Key(i));
  }
}

TEST(ChildProcess, DISABLED_WriteSynced) {
  WriteUntilKilled(Durability::kSync);
}
TEST(ChildProcess, DISABLED_WriteGrouped) {
  WriteUntilKilled(Durability::kGrouped);
}
TEST(ChildProcess, DISABLED_WriteUnsynced) {
  WriteUntilKilled(Durability::kOs);
}

TEST(StoreCrash, AcknowledgedCommitsSurviveAKill) {
  for (const char* job : {"DISABLED_WriteSynced", "DISABLED_WriteGrouped", "DISABLED_WriteUnsynced"}) {
    SCOPED_TRACE(job);
    TempDir dir;
    uint64_t acknowledged = 0;
    {
      ChildProcess child(job, dir.File("db"));
      for (; acknowledged < 2000; ++acknowledged) ASSERT_EQ(child.ReadLine(), Key(acknowledged));
    }
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db"), {.create_if_missing = false}));
    std::vector<uint64_t> counts;
    for (const char* name : {"p", "q"}) {
      ASSERT_OK_AND_ASSIGN(Partition partition, store->OpenPartition(name));
      ScanCursor scan = store->Scan({.partition = partition});
      uint64_t count = 0;
      while (scan.Next()) ASSERT_EQ(scan.key(), Key(count++));
      ASSERT_OK(scan.status());
      EXPECT_GE(count, acknowledged);
      counts.push_back(count);
    }
    EXPECT_EQ(counts[0], counts[1]);  // never half a commit
  }
}

TEST_F(StoreTest, EveryDurabilityReads) {
  for (const Durability durability : {Durability::kSync, Durability::kGrouped, Durability::kOs}) {
    Open({.durability = durability, .group_commit_interval_ms = 1});
    Put("a", std::to_string(static_cast<int>(durability)));
    ASSERT_OK(store_->SyncLog());
    EXPECT_EQ(Get("a"), std::to_string(static_cast<int>(durability)));
  }
}

// A filter that no shard of the cache could hold would be read again by each Get.
TEST_F(StoreTest, LargeFiltersStayInTheCache) {
  Open({.durability = Durability::kOs, .block_cache_bytes = 16 << 20});
  for (uint64_t i = 0; i < 400'000; ++i) ASSERT_OK(store_->commits().CommitPut(p_, Key(i), "x").status());
  ASSERT_OK(store_->CompactAll());
  PinnedValue value;
  const auto get = [&](uint64_t i) { ASSERT_TRUE(store_->Get(p_, Key(i), &value).ValueOrDie()); };
  get(0);
  rocksdb::PerfContext* perf = rocksdb::get_perf_context();
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
  perf->Reset();
  for (uint64_t i = 0; i < 100; ++i) get(i);
  EXPECT_EQ(perf->filter_block_read_count, 0u);
  EXPECT_GT(perf->bloom_sst_hit_count, 0u);
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

class SplitPoints : public StoreTest {
 protected:
  void Fill(uint64_t count) {
    std::mt19937_64 random(test::RandomSeed());
    for (uint64_t begin = 0; begin < count; begin += 1000) {
      WriteSet writes;
      for (uint64_t i = begin; i < begin + 1000; ++i) {
        std::string value(100, '\0');
        for (char& c : value) c = static_cast<char>(random());
        writes.Put(p_, "t" + Key(i), value);
      }
      ASSERT_OK(store_->commits().Commit(writes).status());
    }
  }

  // The rows of each piece that the points cut [lower, upper) into.
  std::vector<uint64_t> PieceSizes(const std::vector<std::string>& points, std::string lower,
                                   const std::string& upper) {
    std::vector<uint64_t> sizes;
    for (size_t i = 0; i <= points.size(); ++i) {
      const std::string end = i < points.size() ? points[i] : upper;
      ScanCursor scan = store_->Scan({.partition = p_, .lower = lower, .upper = end});
      while (scan.Next()) {
      }
      sizes.push_back(scan.rows_visited());
      lower = end;
    }
    return sizes;
  }

  void ExpectBalanced(std::string_view lower, std::string_view upper, uint64_t rows) {
    for (const size_t max_points : {1, 3, 7}) {
      SCOPED_TRACE(max_points);
      const auto points = store_->SplitPoints(p_, lower, upper, max_points);
      ASSERT_EQ(points.size(), max_points);
      EXPECT_TRUE(std::is_sorted(points.begin(), points.end()));
      for (const std::string& point : points) {
        EXPECT_GT(point, lower);
        EXPECT_TRUE(upper.empty() || point < upper) << point;
      }
      for (uint64_t size : PieceSizes(points, std::string(lower), std::string(upper))) {
        EXPECT_GE(size, rows / (max_points + 1) / 3);
        EXPECT_LE(size, rows / (max_points + 1) * 2);
      }
    }
  }
};

TEST_F(SplitPoints, BalancedInMemtableFilesAndBoth) {
  Fill(40000);
  ExpectBalanced("t", "u", 40000);
  ExpectBalanced("", "", 40000);
  ASSERT_OK(store_->FlushMemtables());
  ExpectBalanced("t", "u", 40000);
  ExpectBalanced("", "", 40000);
  ASSERT_OK(store_->CompactAll());
  ExpectBalanced("t", "u", 40000);
  ExpectBalanced("t" + Key(10000), "t" + Key(20000), 10000);
}

TEST_F(SplitPoints, ManyFiles) {
  Open({.durability = Durability::kOs, .write_buffer_bytes = 1 << 18});
  Fill(40000);
  ExpectBalanced("t", "u", 40000);
}

TEST_F(SplitPoints, SmallRangesAreNotCut) {
  Fill(1000);
  EXPECT_TRUE(store_->SplitPoints(p_, "t", "u", 7).empty());
  EXPECT_TRUE(store_->SplitPoints(p_, "u", "t", 7).empty());
  EXPECT_TRUE(store_->SplitPoints(p_, "t", "u", 0).empty());
}

TEST_F(SplitPoints, FollowGrowth) {
  Fill(5000);
  const auto few = store_->SplitPoints(p_, "t", "u", 1);
  ASSERT_EQ(few.size(), 1u);
  EXPECT_EQ(store_->SplitPoints(p_, "t", "u", 1), few);
  Fill(40000);
  const auto more = store_->SplitPoints(p_, "t", "u", 1);
  ASSERT_EQ(more.size(), 1u);
  EXPECT_GT(more[0], few[0]);
  ASSERT_OK(store_->FlushMemtables());
  ExpectBalanced("t", "u", 40000);
}

TEST_F(SplitPoints, EstimatesBytes) {
  Fill(20000);
  for (int round = 0; round < 2; ++round) {
    const uint64_t all = store_->ApproximateBytes(p_, "", "");
    EXPECT_GT(all, 1500000u);
    EXPECT_LT(all, 6000000u);
    EXPECT_NEAR(static_cast<double>(store_->ApproximateEntries(p_, "t" + Key(10000), "u")), 10000, 2500);
    EXPECT_EQ(store_->ApproximateEntries(p_, "x", "a"), 0u);
    const uint64_t half = store_->ApproximateBytes(p_, "t" + Key(10000), "u");
    EXPECT_GT(half, all / 3);
    EXPECT_LT(half, all * 2 / 3);
    EXPECT_EQ(store_->ApproximateBytes(p_, "x", "a"), 0u);
    ASSERT_OK(store_->FlushMemtables());
  }
}

// Which of RocksDB's threads have which priority: niceness by the names that it gives them.
std::multimap<std::string, int> RocksDbThreads() {
  std::multimap<std::string, int> threads;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    const auto id = static_cast<id_t>(std::stoul(task.path().filename().string()));
    if (name.starts_with("rocksdb:")) threads.emplace(name, getpriority(PRIO_PROCESS, id));
  }
  return threads;
}

TEST_F(StoreTest, CompactionsGiveWayToCommits) {
  ASSERT_OK(store_->CompactAll());
  Put("a", "1");
  ASSERT_OK(store_->FlushMemtables());
  ASSERT_OK(store_->CompactAll());
  const auto threads = RocksDbThreads();
  ASSERT_TRUE(threads.contains("rocksdb:low") && threads.contains("rocksdb:high"));
  for (const auto& [name, niceness] : threads) {
    EXPECT_EQ(niceness, name == "rocksdb:low" ? 19 : getpriority(PRIO_PROCESS, 0)) << name;
  }
}

// RocksDB's own logger ends the process, by an assertion, with the line after the one that could not be written.
TEST(InfoLogTest, AFullDiskDoesNotMatter) {
  const TempDir dir;
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit little{.rlim_cur = 100'000, .rlim_max = old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  std::shared_ptr<rocksdb::Logger> log;
  ASSERT_TRUE(StoreEnv()->NewLogger(dir.File("LOG").string(), &log).ok());
  const std::string text(2000, 'x');
  for (int i = 0; i < 200; ++i) rocksdb::Log(rocksdb::ERROR_LEVEL, log, "line %d %s", i, text.c_str());
  log.reset();
  std::signal(SIGXFSZ, handler);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  EXPECT_EQ(std::filesystem::file_size(dir.File("LOG")), 100'000U);
}

TEST(InfoLogTest, LinesHaveTheTime) {
  const TempDir dir;
  std::shared_ptr<rocksdb::Logger> log;
  ASSERT_TRUE(StoreEnv()->NewLogger(dir.File("LOG").string(), &log).ok());
  rocksdb::Log(rocksdb::ERROR_LEVEL, log, "one %d", 1);
  rocksdb::Log(rocksdb::ERROR_LEVEL, log, "two\n");
  std::ifstream file(dir.File("LOG"));
  std::string first, second, end;
  std::getline(file, first);
  std::getline(file, second);
  EXPECT_TRUE(first.starts_with("20") && first.ends_with(" one 1")) << first;
  EXPECT_TRUE(second.ends_with(" two")) << second;
  EXPECT_FALSE(std::getline(file, end));
  EXPECT_EQ(log->GetLogFileSize(), first.size() + second.size() + 2);
}

}  // namespace
}  // namespace yarrow
