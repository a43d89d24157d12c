#include "store/commit_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "arrow_assert.h"
#include "random_seed.h"
#include "store/write_run.h"
#include "temp_dir.h"

namespace yarrow {
namespace {

uint64_t Hash(uint64_t key) {
  return HashKey(1, std::to_string(key));
}

class CommitTableTest : public testing::Test {
 protected:
  void Commit(const std::vector<uint64_t>& keys, bool large) {
    ++sequence_;
    std::vector<uint64_t> hashes;
    for (const uint64_t key : keys) {
      hashes.push_back(Hash(key));
      last_[key] = sequence_;
    }
    if (large) {
      table_.Record(std::make_shared<const KeyHashes>(std::deque<uint64_t>(hashes.begin(), hashes.end())), sequence_);
    } else {
      table_.Record(hashes, sequence_);
    }
  }
  uint64_t LastCommit(uint64_t key, uint64_t after) const {
    return table_.LastCommit(Hash(key), 1, std::to_string(key), after).ValueOrDie();
  }

  static void Note(uint64_t* last, uint64_t sequence) { *last = std::max(*last, sequence); }

  test::TempDir dir_;
  CommitTable table_{8 << 10};
  uint64_t sequence_ = 0;
  std::map<uint64_t, uint64_t> last_;  // by key
};

TEST_F(CommitTableTest, KnowsWhatIsNewerThanTheOldestTransaction) {
  std::mt19937_64 random(test::RandomSeed());
  uint64_t dropped = 0;
  int spills = 0;
  std::shared_ptr<SpillFile> file;
  for (int i = 0; i < 3000; ++i) {
    std::vector<uint64_t> keys(random() % 100 == 0 ? 2000 : 1 + random() % 5);
    const bool large = keys.size() > 5;
    for (uint64_t& key : keys) key = random() % 20'000;
    Commit(keys, large);
    if (random() % 50 == 0) {
      dropped = std::max(dropped, sequence_ - random() % std::min<uint64_t>(sequence_, 300));
      table_.DropUpTo(dropped);
    }
    while (const auto run = table_.FindRunToSpill()) {
      if (file == nullptr || random() % 4 == 0) {
        ASSERT_OK_AND_ASSIGN(file, SpillFile::Create(dir_.path()));
      }
      ASSERT_OK_AND_ASSIGN(auto spilled, run->Spill(file));
      EXPECT_TRUE(spilled->is_spilled());
      table_.Replace(run.get(), std::move(spilled));
      ++spills;
    }
    const uint64_t after = dropped + random() % (sequence_ - dropped + 1);
    for (int j = 0; j < 3; ++j) {
      const uint64_t key = random() % 20'000;
      const auto known = last_.find(key);
      const uint64_t expected = known != last_.end() && known->second > after ? known->second : 0;
      ASSERT_EQ(LastCommit(key, after), expected) << key;
    }
  }
  EXPECT_GT(spills, 0);
  table_.DropUpTo(sequence_);
  EXPECT_EQ(table_.size(), 0u);
}

// As a large transaction judges itself: what it sees piece by piece is all that was committed.
TEST_F(CommitTableTest, SinceMissesNothing) {
  std::mt19937_64 random(test::RandomSeed());
  CommitTable::Position position;
  std::map<uint64_t, uint64_t> seen;  // by hash
  for (int i = 0; i < 2000; ++i) {
    std::vector<uint64_t> keys(1 + random() % 5);
    for (uint64_t& key : keys) key = random() % 5000;
    Commit(keys, random() % 100 == 0);
    if (random() % 700 == 0) table_.DropUpTo(sequence_ / 2);  // nobody who asks is that old
    if (random() % 20 != 0 && i + 1 < 2000) continue;
    const CommitTable::Recorded recorded = table_.Since(&position, 0);
    for (const auto& point : recorded.points) Note(&seen[point.hash], point.sequence);
    for (const auto& [key, last] : last_) {
      for (const auto& run : recorded.runs) Note(&seen[Hash(key)], run->LastCommit(Hash(key)).ValueOrDie());
    }
  }
  for (const auto& [key, last] : last_) EXPECT_EQ(seen[Hash(key)], last) << key;
  const CommitTable::Recorded nothing = table_.Since(&position, 0);
  EXPECT_TRUE(nothing.runs.empty());
  EXPECT_TRUE(nothing.points.empty());
}

TEST_F(CommitTableTest, RangesCountForTheKeysInThem) {
  table_.RecordRange({1, "b", "d"}, 10);
  table_.RecordRange({1, "c", "e"}, 8);
  const auto last = [&](std::string_view key, uint64_t after) {
    return table_.LastCommit(1, 1, key, after).ValueOrDie();
  };
  EXPECT_EQ(last("c", 0), 10u);
  EXPECT_EQ(last("d", 0), 8u);
  EXPECT_EQ(last("d", 8), 0u);
  EXPECT_EQ(last("e", 0), 0u);
  EXPECT_EQ(table_.LastCommit(1, 2, "c", 0).ValueOrDie(), 0u);
  EXPECT_EQ(table_.LastCommitOfRange({1, "d", "z"}, 0), 8u);
  EXPECT_EQ(table_.LastCommitOfRange({1, "e", "z"}, 0), 0u);
  table_.DropUpTo(8);
  EXPECT_EQ(last("d", 0), 0u);
  EXPECT_EQ(last("c", 0), 10u);
}

}  // namespace
}  // namespace yarrow
