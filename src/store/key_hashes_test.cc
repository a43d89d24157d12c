#include "store/key_hashes.h"

#include <gtest/gtest.h>

#include <random>

#include "arrow_assert.h"
#include "random_seed.h"
#include "store/commit_run.h"
#include "temp_dir.h"

namespace yarrow {
namespace {

std::vector<uint64_t> RandomHashes(std::mt19937_64* random, size_t count) {
  std::vector<uint64_t> hashes(count);
  for (uint64_t& hash : hashes) hash = (*random)();
  return hashes;
}

TEST(KeyHashesTest, FindsWhatIsThereAndNothingElse) {
  std::mt19937_64 random(test::RandomSeed());
  for (const size_t count : {0, 1, 2, 15, 16, 17, 1000, 100'000}) {
    const std::vector<uint64_t> hashes = RandomHashes(&random, count);
    std::vector<uint64_t> twice = hashes;
    twice.insert(twice.end(), hashes.begin(), hashes.end());
    const KeyHashes keys({twice.begin(), twice.end()});
    EXPECT_EQ(keys.size(), count);
    for (const uint64_t hash : hashes) {
      ASSERT_TRUE(keys.Contains(hash));
      EXPECT_EQ(keys.sorted()[keys.Find(hash)], hash);
      EXPECT_FALSE(keys.Contains(hash + 1));
    }
    for (const uint64_t edge : {uint64_t{0}, UINT64_MAX}) EXPECT_FALSE(keys.Contains(edge));
    EXPECT_LE(keys.memory_bytes(), count * 18 + 64);
  }
}

TEST(KeyHashesTest, HashesThatAreNotSpreadAreFoundAsWell) {
  const KeyHashes keys({0, 1, 2, 3, UINT64_MAX, UINT64_MAX - 1, 7, 7, 7});
  for (const uint64_t hash : {uint64_t{0}, uint64_t{3}, uint64_t{7}, UINT64_MAX}) EXPECT_TRUE(keys.Contains(hash));
  for (const uint64_t hash : {uint64_t{4}, uint64_t{8}, UINT64_MAX / 2}) EXPECT_FALSE(keys.Contains(hash));
}

TEST(CommitRunTest, TellsTheLastCommitOfAKey) {
  const CommitRun run({{5, 10}, {9, 12}, {5, 11}});
  EXPECT_EQ(run.LastCommit(5).ValueOrDie(), 11u);
  EXPECT_EQ(run.LastCommit(9).ValueOrDie(), 12u);
  EXPECT_EQ(run.LastCommit(6).ValueOrDie(), 0u);
  EXPECT_EQ(run.newest(), 12u);
  EXPECT_EQ(run.size(), 2u);
}

TEST(CommitRunTest, FindsACommonKeyThatIsNewEnough) {
  std::mt19937_64 random(test::RandomSeed());
  const test::TempDir dir;
  for (const auto& [in_run, asked] : {std::pair(10, 1000), std::pair(1000, 10), std::pair(300, 300)}) {
    std::vector<CommitRun::Point> points;
    for (const uint64_t hash : RandomHashes(&random, static_cast<size_t>(in_run))) points.push_back({hash, 100});
    const uint64_t shared = points[static_cast<size_t>(in_run) / 2].hash;
    points.back().sequence = 200;
    const CommitRun run(points);
    std::vector<uint64_t> hashes = RandomHashes(&random, static_cast<size_t>(asked));
    const KeyHashes others({hashes.begin(), hashes.end()});
    hashes.push_back(shared);
    const KeyHashes keys({hashes.begin(), hashes.end()});
    ASSERT_OK_AND_ASSIGN(auto file, SpillFile::Create(dir.path()));
    ASSERT_OK_AND_ASSIGN(const auto spilled, run.Spill(std::move(file)));
    for (const CommitRun* either : {&run, spilled.get()}) {
      EXPECT_FALSE(either->FindCommon(others, 0).ValueOrDie());
      const auto found = either->FindCommon(keys, 99).ValueOrDie();
      ASSERT_TRUE(found);
      EXPECT_EQ(found->hash, shared);
      EXPECT_EQ(found->sequence, 100u);
      EXPECT_FALSE(either->FindCommon(keys, 100).ValueOrDie());  // though the run has something newer
    }
  }
}

}  // namespace
}  // namespace yarrow
