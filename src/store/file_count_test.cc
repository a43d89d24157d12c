// How many files a store has, and how large its log is.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "arrow_assert.h"
#include "random_seed.h"
#include "store/store_commits.h"
#include "store/store_impl.h"
#include "temp_dir.h"
#include "yarrow/store.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;

size_t CountFiles(const fs::path& database, const std::string& extension = "") {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(database / "hot")) {
    count += extension.empty() || entry.path().extension() == extension ? 1 : 0;
  }
  return count;
}

uint64_t LogBytes(const Store& store) {
  uint64_t bytes = 0;
  for (const auto& [log, entry] : store.impl()->log_ledger->entries()) bytes += entry.synced;
  return bytes;
}

std::string AscendingKey(int i) {
  std::string digits = std::to_string(i);
  return std::string(8 - digits.size(), '0') + digits;
}

// Each open commits a row behind those before, and one to another partition now and then.
TEST(FileCount, ManyShortOpensLeaveAHandful) {
  const test::TempDir dir;
  size_t most = 0;
  constexpr int kOpens = 60;
  for (int i = 0; i < kOpens; ++i) {
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db")));
    ASSERT_OK_AND_ASSIGN(const Partition rows, store->OpenPartition("entries"));
    ASSERT_OK_AND_ASSIGN(const Partition others, store->OpenPartition("others"));
    ASSERT_OK(store->commits().CommitPut(rows, AscendingKey(i), "row").status());
    if (i % 7 == 0) ASSERT_OK(store->commits().CommitPut(others, AscendingKey(i), "row").status());
    store.reset();
    most = std::max(most, CountFiles(dir.File("db")));
  }
  EXPECT_LE(most, 30U);
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db")));
  ASSERT_OK_AND_ASSIGN(const Partition rows, store->OpenPartition("entries"));
  PinnedValue value;
  for (int i = 0; i < kOpens; ++i) {
    ASSERT_OK_AND_ASSIGN(const bool found, store->Get(rows, AscendingKey(i), &value));
    EXPECT_TRUE(found) << i;
  }
}

class ReadingOpensTest : public ::testing::TestWithParam<Durability> {};
INSTANTIATE_TEST_SUITE_P(FileCount, ReadingOpensTest,
                         ::testing::Values(Durability::kSync, Durability::kGrouped, Durability::kOs));

TEST_P(ReadingOpensTest, LeaveNothing) {
  const test::TempDir dir;
  const auto open = [&] {
    StoreOptions options;
    options.durability = GetParam();
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db"), options));
    ASSERT_OK_AND_ASSIGN(const Partition rows, store->OpenPartition("entries"));
    if (store->LatestSequence() == 0) ASSERT_OK(store->commits().CommitPut(rows, "key", "row").status());
  };
  open();
  open();
  const size_t logs = CountFiles(dir.File("db"), ".log"), tables = CountFiles(dir.File("db"), ".sst");
  for (int i = 0; i < 8; ++i) open();
  EXPECT_EQ(CountFiles(dir.File("db"), ".log"), logs);
  EXPECT_EQ(CountFiles(dir.File("db"), ".sst"), tables);
  EXPECT_EQ(logs, 1U);
  EXPECT_EQ(tables, 0U);
}

// Neighbours that do not overlap are moved down by RocksDB, never merged.
TEST(FileCount, SmallFilesOfAscendingKeysAreMerged) {
  const test::TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db")));
  ASSERT_OK_AND_ASSIGN(const Partition rows, store->OpenPartition("entries"));
  constexpr int kFlushes = 80;
  for (int i = 0; i < kFlushes; ++i) {
    ASSERT_OK(store->commits().CommitPut(rows, AscendingKey(i), "row").status());
    ASSERT_OK(store->FlushMemtables());
  }
  for (int waits = 0; waits < 300 && CountFiles(dir.File("db"), ".sst") > 12; ++waits) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_LE(CountFiles(dir.File("db"), ".sst"), 12U);
}

// A partition that is hardly written does not keep the logs of all the others.
TEST(FileCount, TheLogIsBounded) {
  const test::TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db"), {.write_buffer_bytes = 256 << 10}));
  ASSERT_OK(store->SetMostLogBytes(2 << 20));
  ASSERT_OK_AND_ASSIGN(const Partition idle, store->OpenPartition("idle"));
  ASSERT_OK_AND_ASSIGN(const Partition busy, store->OpenPartition("busy"));
  ASSERT_OK(store->commits().CommitPut(idle, "key", "row").status());
  uint64_t most = 0;
  for (int i = 0; i < 300; ++i) {
    ASSERT_OK(store->commits().CommitPut(busy, AscendingKey(i % 10), std::string(50'000, 'x')).status());
    most = std::max(most, LogBytes(*store));
  }
  EXPECT_LT(most, 4U << 20);
}

TEST(FileCount, TooManyOpenFilesIsNoDamage) {
  if (test::kSanitized) GTEST_SKIP() << "a sanitizer needs descriptors to look at types for the first time";
  const test::TempDir dir;
  ASSERT_OK(Store::Open(dir.File("db")).status());
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit few = before;
  size_t open = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) open += entry.exists() ? 1 : 1;
  for (rlim_t more = 0; more < 8; ++more) {
    few.rlim_cur = open + more;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    const auto opened = Store::Open(dir.File("db"));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    if (opened.ok()) continue;
    EXPECT_ERROR_HAS(opened, "oo many open files");
    EXPECT_EQ(opened.status().message().find("damaged"), std::string::npos) << opened.status().message();
  }
}

}  // namespace
}  // namespace yarrow
