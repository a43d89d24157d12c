// The log of a store: whatever happens to its files, acknowledged commits are there, or opening is an error that names
// the file.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "arrow_assert.h"
#include "random_seed.h"
#include "store/crc32c.h"
#include "store/log_env.h"
#include "store/log_ledger.h"
#include "store/log_scan.h"
#include "store/store_commits.h"
#include "store/store_impl.h"
#include "temp_dir.h"
#include "yarrow/store.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;

// Memtables that are full soon, so that there are several files of the log.
constexpr StoreOptions kSmallMemtables{.block_cache_bytes = 1 << 20, .write_buffer_bytes = 96 << 10};
constexpr int kCommits = 400;

std::string ReadBytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteBytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::vector<fs::path> LogsIn(const fs::path& database) {
  std::vector<fs::path> logs;
  for (const auto& entry : fs::directory_iterator(database / "hot")) {
    if (LogNumberOf(entry.path().string())) logs.push_back(entry.path());
  }
  std::ranges::sort(logs);
  return logs;
}

std::string KeyOf(int commit) {
  std::string digits = std::to_string(commit);
  return "key " + std::string(6 - digits.size(), '0') + digits;
}

// Of many sizes, some of more than one block of the log; zeros in some.
std::string ValueOf(int commit) {
  std::mt19937_64 random(static_cast<uint64_t>(commit));
  std::string value(commit % 97 == 0 ? 50'000 : random() % 900, '\0');
  if (commit % 5 != 0) std::ranges::generate(value, [&] { return static_cast<char>(random()); });
  return value;
}

// Commit after commit, most to one partition, the first and every fiftieth to another: that one pins old logs.
arrow::Status CommitRows(Store& store, int first, int count) {
  ARROW_ASSIGN_OR_RAISE(const Partition busy, store.OpenPartition("busy"));
  ARROW_ASSIGN_OR_RAISE(const Partition idle, store.OpenPartition("idle"));
  for (int i = first; i < first + count; ++i) {
    ARROW_RETURN_NOT_OK(store.commits().CommitPut(i % 50 == 0 ? idle : busy, KeyOf(i), ValueOf(i)).status());
  }
  return arrow::Status::OK();
}

// Copies a database while it is open, as a kill would leave it: not while RocksDB is changing its files.
void CopyOpen(Store& store, const fs::path& from, const fs::path& to) {
  using Properties = rocksdb::DB::Properties;
  rocksdb::DB& db = *store.impl()->db;
  uint64_t busy = 1;
  while (busy > 0) {
    busy = 0;
    for (const std::string& property : {Properties::kMemTableFlushPending, Properties::kNumRunningFlushes,
                                        Properties::kCompactionPending, Properties::kNumRunningCompactions}) {
      uint64_t value = 0;
      db.GetAggregatedIntProperty(property, &value);
      busy += value;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  fs::copy(from, to, fs::copy_options::recursive);
}

// How many of the commits are there, from the first on; one behind a missing one is an error.
arrow::Result<int> CountRows(Store& store, int commits) {
  ARROW_ASSIGN_OR_RAISE(const Partition busy, store.OpenPartition("busy"));
  ARROW_ASSIGN_OR_RAISE(const Partition idle, store.OpenPartition("idle"));
  int count = 0;
  for (int i = 0; i < commits; ++i) {
    PinnedValue value;
    ARROW_ASSIGN_OR_RAISE(const bool found, store.Get(i % 50 == 0 ? idle : busy, KeyOf(i), &value));
    if (!found) continue;
    if (count != i) return arrow::Status::Invalid("commit ", i, " is there, but not commit ", count);
    if (value.view() != ValueOf(i)) return arrow::Status::Invalid("commit ", i, " has another value");
    ++count;
  }
  return count;
}

// A database as a process leaves it that is killed, or that ends.
class LogDamageTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    auto store = Store::Open(dir_.File("db"), kSmallMemtables).ValueOrDie();
    ASSERT_OK(CommitRows(*store, 0, kCommits));
    if (!GetParam()) CopyOpen(*store, dir_.File("db"), original_);
    store.reset();
    if (GetParam()) fs::copy(dir_.File("db"), original_, fs::copy_options::recursive);
    for (const fs::path& log : LogsIn(original_)) bytes_.emplace_back(log.filename(), ReadBytes(log));
    ASSERT_GE(bytes_.size(), 3U) << "the test needs several files of the log";
  }

  // Gives the log's files other bytes (none: no file) in a copy, and opens that.
  using Change = std::function<void(std::map<fs::path, std::string>* logs)>;
  void Try(const std::string& what, const Change& change) {
    SCOPED_TRACE(what);
    fs::remove_all(copy_);
    fs::copy(original_, copy_, fs::copy_options::recursive);
    std::map<fs::path, std::string> logs(bytes_.begin(), bytes_.end());
    change(&logs);
    std::vector<std::string> touched;
    for (const auto& [name, bytes] : bytes_) {
      if (!logs.contains(name)) {
        fs::remove(copy_ / "hot" / name);
      } else if (logs[name] != bytes) {
        WriteBytes(copy_ / "hot" / name, logs[name]);
      } else {
        continue;
      }
      touched.push_back(name.string());
    }
    auto opened = Store::Open(copy_, kSmallMemtables);
    ++tries_;
    if (opened.ok()) {
      EXPECT_EQ(CountRows(**opened, kCommits), arrow::Result<int>(kCommits));
      return;
    }
    ++refused_;
    const std::string message = opened.status().message();
    const auto is_named = [&](const std::string& name) { return message.find(name) != std::string::npos; };
    EXPECT_TRUE(std::ranges::any_of(touched, is_named)) << message;
    EXPECT_TRUE(is_named("is damaged")) << message;
    Salvage();
  }

  void Salvage() {
    StoreOptions options = kSmallMemtables;
    options.salvage = true;
    int rows = 0;
    {
      ASSERT_OK_AND_ASSIGN(auto store, Store::Open(copy_, options));
      EXPECT_FALSE(store->losses().empty());
      const auto count = CountRows(*store, kCommits);
      // A partition whose memtable went to an SST file behind the damage may have more.
      if (count.ok()) rows = *count;
      ASSERT_OK(store->SettleLosses());
    }
    EXPECT_FALSE(fs::is_empty(copy_ / "salvaged"));
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(copy_, kSmallMemtables));
    EXPECT_TRUE(store->losses().empty());
    if (rows > 0) {
      EXPECT_EQ(CountRows(*store, kCommits), arrow::Result<int>(rows));
    }
  }

  // Up to where there are records.
  static size_t End(const std::string& bytes) { return bytes.find_last_not_of('\0') + 1; }

  const test::TempDir dir_;
  const fs::path original_ = dir_.File("original"), copy_ = dir_.File("copy");
  std::vector<std::pair<fs::path, std::string>> bytes_;
  int tries_ = 0;
  int refused_ = 0;
};

TEST_P(LogDamageTest, UnchangedAllIsThere) {
  Try("nothing", [](auto*) {});
  EXPECT_EQ(refused_, 0);
}

TEST_P(LogDamageTest, FlippedBits) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (const auto& [name, bytes] : bytes_) {
    const size_t end = End(bytes);
    std::vector<size_t> places = {0, 4, 6, 7, end - 1, end - 2, end - 9, 32768 - 1, 32768, 32768 + 6};
    for (int i = 0; i < test::Rounds(4); ++i) places.push_back(random() % end);
    for (const size_t place : places) {
      if (place >= end) continue;
      const int bit = static_cast<int>(random() % 8);
      Try(name.string() + ", bit " + std::to_string(bit) + " of byte " + std::to_string(place),
          [&, name = name](auto* logs) { (*logs)[name][place] ^= static_cast<char>(1 << bit); });
    }
  }
  EXPECT_GT(refused_, 0);
}

TEST_P(LogDamageTest, CutFiles) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (const auto& [name, bytes] : bytes_) {
    const size_t end = End(bytes);
    for (const size_t size : {size_t{0}, size_t{3}, size_t{7}, end - 1, end - 8, end / 2, random() % end}) {
      Try(name.string() + " cut to " + std::to_string(size),
          [&, name = name](auto* logs) { (*logs)[name].resize(size); });
    }
  }
  EXPECT_EQ(refused_, tries_);
}

TEST_P(LogDamageTest, MissingFiles) {
  for (const auto& [name, bytes] : bytes_) {
    Try(name.string() + " removed", [&, name = name](auto* logs) { logs->erase(name); });
  }
  EXPECT_EQ(refused_, tries_);
  Try("all removed", [](auto* logs) { logs->clear(); });
  EXPECT_EQ(refused_, tries_);
}

TEST_P(LogDamageTest, ZerosAndOtherPlacesBytes) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (const auto& [name, bytes] : bytes_) {
    const size_t end = End(bytes);
    for (const size_t size : {size_t{1}, size_t{512}, size_t{4096}, size_t{32768}}) {
      if (end <= 2 * size) continue;
      const size_t from = random() % (end / size - 1) * size, to = random() % (end / size - 1) * size;
      const auto copy = [&, name = name](const std::string& piece, auto* logs) {
        (*logs)[name].replace(to, size, piece);
      };
      const std::string where = name.string() + ", " + std::to_string(size) + " bytes at " + std::to_string(to);
      Try(where + " zero", [&](auto* logs) { copy(std::string(size, '\0'), logs); });
      Try(where + " of " + std::to_string(from), [&](auto* logs) { copy(bytes.substr(from, size), logs); });
      Try(where + " exchanged", [&, name = name](auto* logs) {
        copy(bytes.substr(from, size), logs);
        (*logs)[name].replace(from, size, bytes.substr(to, size));
      });
      Try(where + " left out", [&, name = name](auto* logs) { (*logs)[name].erase(to, size); });
      Try(where + " twice", [&, name = name](auto* logs) { (*logs)[name].insert(to, bytes.substr(to, size)); });
      Try(name.string() + " ends with it again",
          [&, name = name](auto* logs) { (*logs)[name].replace(end, std::string::npos, bytes.substr(to, size)); });
    }
    Try(name.string() + " zero", [&, name = name](auto* logs) { (*logs)[name].assign(bytes.size(), '\0'); });
  }
  for (size_t i = 1; i < bytes_.size(); ++i) {
    const fs::path a = bytes_[i - 1].first, b = bytes_[i].first;
    Try(a.string() + " and " + b.string() + " exchanged", [&](auto* logs) { std::swap((*logs)[a], (*logs)[b]); });
    Try(a.string() + " in place of " + b.string(), [&](auto* logs) { (*logs)[b] = (*logs)[a]; });
  }
  EXPECT_GT(refused_, tries_ / 2);
}

// What is known of the log may be damaged itself: no row goes for that.
TEST_P(LogDamageTest, TheLedgerItself) {
  const std::string ledger = ReadBytes(original_ / "hot" / "SYNCED");
  for (const size_t place : {size_t{0}, size_t{8}, size_t{13}, size_t{33}, size_t{41}, size_t{50}, ledger.size()}) {
    fs::remove_all(copy_);
    fs::copy(original_, copy_, fs::copy_options::recursive);
    if (place == ledger.size()) {
      fs::remove(copy_ / "hot" / "SYNCED");
    } else {
      std::string bytes = ledger;
      bytes[place] ^= 4;
      WriteBytes(copy_ / "hot" / "SYNCED", bytes);
    }
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(copy_, kSmallMemtables));
    EXPECT_EQ(CountRows(*store, kCommits), arrow::Result<int>(kCommits)) << place;
  }
}

INSTANTIATE_TEST_SUITE_P(Ends, LogDamageTest, ::testing::Values(false, true),
                         [](const auto& end) { return end.param ? "Closed" : "Killed"; });

// A commit that was under way: some of its bytes, and zeros.
TEST(LogRecovery, WhatWasBeingWrittenIsCutOff) {
  const test::TempDir dir;
  uint64_t end = 0;
  std::string whole;
  {
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db")));
    ASSERT_OK(CommitRows(*store, 0, 20));
    ASSERT_EQ(LogsIn(dir.File("db")).size(), 1U);
    const fs::path log = LogsIn(dir.File("db"))[0];
    ASSERT_OK_AND_ASSIGN(const LogScan scan, ScanLog(rocksdb::Env::Default(), log.string(), 0));
    end = scan.end;
    CopyOpen(*store, dir.File("db"), dir.File("killed"));
    ASSERT_OK(CommitRows(*store, 20, 1));
    whole = ReadBytes(log);
  }
  const fs::path log = LogsIn(dir.File("killed"))[0];
  const size_t full = whole.find_last_not_of('\0') + 1;
  ASSERT_GT(full, end + 20);
  for (const size_t size : {end + 1, end + 6, end + 7, end + 12, (end + full) / 2, full - 1}) {
    fs::remove_all(dir.File("copy"));
    fs::copy(dir.File("killed"), dir.File("copy"), fs::copy_options::recursive);
    std::string bytes = whole.substr(0, size);
    bytes.resize(whole.size(), '\0');
    WriteBytes(dir.File("copy") / "hot" / log.filename(), bytes);
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("copy")));
    EXPECT_EQ(CountRows(*store, 30), arrow::Result<int>(20)) << size;
    ASSERT_OK(CommitRows(*store, 20, 3));
    store.reset();
    ASSERT_OK_AND_ASSIGN(store, Store::Open(dir.File("copy")));
    EXPECT_EQ(CountRows(*store, 30), arrow::Result<int>(23)) << size;
  }
}

// Nobody knew of this log: it was written before there was a ledger.
TEST(LogRecovery, ADatabaseWithoutLedgerIsOpened) {
  const test::TempDir dir;
  {
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db"), kSmallMemtables));
    ASSERT_OK(CommitRows(*store, 0, 200));
    CopyOpen(*store, dir.File("db"), dir.File("killed"));
  }
  fs::remove(dir.File("killed") / "hot" / "SYNCED");
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("killed"), kSmallMemtables));
  EXPECT_EQ(CountRows(*store, 200), arrow::Result<int>(200));
  EXPECT_TRUE(fs::exists(dir.File("killed") / "hot" / "SYNCED"));
}

// Where commits are not synced one by one, a power cut may keep later ones and lose those in front: no damage.
TEST(LogRecovery, UnsyncedCommitsMayGoWithThePowerOnly) {
  const test::TempDir dir;
  StoreOptions options = kSmallMemtables;
  options.durability = Durability::kOs;
  {
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db"), options));
    ASSERT_OK(CommitRows(*store, 0, 40));
    CopyOpen(*store, dir.File("db"), dir.File("left"));
  }
  const fs::path log = LogsIn(dir.File("left")).back();
  std::string bytes = ReadBytes(log);
  const size_t end = bytes.find_last_not_of('\0') + 1;
  bytes.replace((end - 8000) / 512 * 512, 4096, std::string(4096, '\0'));
  WriteBytes(log, bytes);
  // Killed: nothing of it may be missing.
  EXPECT_ERROR_HAS(Store::Open(dir.File("left"), options), "is damaged");
  // The power was cut: the system has started again since.
  std::string ledger = ReadBytes(dir.File("left") / "hot" / "SYNCED");
  std::string start = ledger.substr(0, 28);
  start.replace(12, 16, "another start   ");
  const uint32_t crc = Crc32c(start);
  ledger.replace(0, 28, start).replace(28, 4, reinterpret_cast<const char*>(&crc), 4);
  WriteBytes(dir.File("left") / "hot" / "SYNCED", ledger);
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("left"), options));
  ASSERT_OK_AND_ASSIGN(const int rows, CountRows(*store, 40));
  EXPECT_GT(rows, 0);
  EXPECT_LT(rows, 40);
}

TEST(LogRecovery, CheckLogReadsWhatIsSynced) {
  const test::TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db")));
  ASSERT_OK(CommitRows(*store, 0, 50));
  ASSERT_OK(store->CheckLog());
  const fs::path log = LogsIn(dir.File("db"))[0];
  std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(200);
  file.put('?');
  file.close();
  EXPECT_ERROR_HAS(store->CheckLog(), log.filename().string());
}

TEST(LogRecovery, Crc32cIsThatOfTheStandard) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(""), 0U);
}

}  // namespace
}  // namespace yarrow
