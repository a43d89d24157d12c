#include "store/key_hulls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "random_seed.h"
#include "store/write_set.h"

namespace yarrow {
namespace {

std::vector<WriteRange> HullsOf(const std::set<std::string>& keys) {
  KeyHulls hulls;
  for (auto key = std::next(keys.begin()); key != keys.end(); ++key) hulls.Add(*std::prev(key), *key);
  return hulls.Make(7, *keys.begin(), *keys.rbegin());
}

TEST(KeyHullsTest, HoldAllKeysInFewDisjointRanges) {
  std::mt19937_64 random(test::RandomSeed());
  for (const int count : {1, 2, 100, 20'000}) {
    std::set<std::string> keys;
    for (int i = 0; i < count; ++i) {
      std::string key(random() % 12, 'a');
      for (char& c : key) c = static_cast<char>(random());
      keys.insert(std::move(key));
    }
    const auto hulls = HullsOf(keys);
    EXPECT_LE(hulls.size(), KeyHulls::kMostHulls);
    for (size_t i = 0; i < hulls.size(); ++i) {
      EXPECT_EQ(hulls[i].partition_id, 7u);
      EXPECT_LT(hulls[i].lower, hulls[i].upper);
      if (i > 0) {
        EXPECT_LE(hulls[i - 1].upper, hulls[i].lower);
      }
    }
    for (const std::string& key : keys) {
      EXPECT_TRUE(std::ranges::any_of(hulls, [&](const WriteRange& h) { return h.lower <= key && key < h.upper; }));
    }
  }
}

TEST(KeyHullsTest, KeysOfTwoTablesAreNotInOneRange) {
  std::set<std::string> keys;
  for (int i = 0; i < 5000; ++i) {
    char number[8];
    std::snprintf(number, sizeof(number), "%05d", i);
    keys.insert(std::string("table1/") + number);
    keys.insert(std::string("table3/") + number);
  }
  for (const WriteRange& hull : HullsOf(keys)) EXPECT_FALSE(hull.lower <= "table2/" && "table2/" < hull.upper);
}

}  // namespace
}  // namespace yarrow
