#include "key/key_range.h"

#include <gtest/gtest.h>

#include <random>

#include "random_seed.h"

namespace yarrow {
namespace {

using Ranges = std::vector<KeyRange>;

// Every key of up to three of these bytes: enough to tell all ranges with such bounds of up to two bytes apart.
std::vector<std::string> Universe() {
  const std::string bytes("\x00\x01\x61\xFE\xFF", 5);
  std::vector<std::string> keys = {""};
  for (size_t i = 0; i < keys.size() && keys[i].size() < 3; ++i) {
    for (const char byte : bytes) keys.push_back(keys[i] + byte);
  }
  return keys;
}

bool Contains(const Ranges& ranges, const std::string& key) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const KeyRange& range) { return range.Contains(key); });
}

bool IsNormalized(const Ranges& ranges) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].empty()) return false;
    const bool touches_next =
        i + 1 < ranges.size() && (ranges[i].upper.empty() || ranges[i].upper >= ranges[i + 1].lower);
    if (touches_next) return false;
  }
  return true;
}

class KeyRangeTest : public ::testing::Test {
 protected:
  std::string AnyBound() {
    for (;;) {
      const std::string& key = universe_[random_() % universe_.size()];
      if (key.size() < 3) return key;
    }
  }
  Ranges AnyRanges() {
    Ranges ranges(random_() % 5);
    for (KeyRange& range : ranges) range = {AnyBound(), random_() % 8 == 0 ? "" : AnyBound()};
    return ranges;
  }

  const std::vector<std::string> universe_ = Universe();
  const uint64_t seed_ = test::RandomSeed();
  std::mt19937_64 random_{seed_};
};

TEST_F(KeyRangeTest, PrefixRangeHoldsTheKeysWithThePrefix) {
  for (const std::string& prefix : universe_) {
    const KeyRange range = PrefixRange(prefix);
    for (const std::string& key : universe_) EXPECT_EQ(range.Contains(key), key.starts_with(prefix));
  }
  EXPECT_EQ(PrefixSuccessor("a\xFF\xFF"), "b");
  EXPECT_EQ(PrefixSuccessor("\xFF\xFF"), "");
  EXPECT_EQ(PrefixSuccessor(""), "");
}

TEST_F(KeyRangeTest, NothingLiesBetweenAKeyAndItsSuccessor) {
  for (const std::string& key : universe_) {
    const std::string successor = KeySuccessor(key);
    EXPECT_GT(successor, key);
    for (const std::string& other : universe_) EXPECT_FALSE(other > key && other < successor);
  }
}

TEST_F(KeyRangeTest, EmptyRangesHoldNothing) {
  EXPECT_TRUE((KeyRange{"b", "a"}).empty());
  EXPECT_TRUE((KeyRange{"a", "a"}).empty());
  EXPECT_FALSE((KeyRange{"a", ""}).empty());
  EXPECT_FALSE((KeyRange{}).empty());
  EXPECT_EQ(Normalize({{"b", "a"}, {"c", "c"}}), Ranges{});
}

TEST_F(KeyRangeTest, NormalizeJoinsWhatTouches) {
  EXPECT_EQ(Normalize({{"c", "d"}, {"a", "b"}, {"b", "c"}}), (Ranges{{"a", "d"}}));
  EXPECT_EQ(Normalize({{"a", ""}, {"b", "c"}}), (Ranges{{"a", ""}}));
  EXPECT_EQ(Normalize({{"a", "z"}, {"b", "c"}}), (Ranges{{"a", "z"}}));
}

TEST_F(KeyRangeTest, SetOperationsAreThoseOfTheKeys) {
  YARROW_TRACE_SEED(seed_);
  for (int round = 0; round < test::Rounds(3'000); ++round) {
    const Ranges a_raw = AnyRanges();
    const Ranges b_raw = AnyRanges();
    const Ranges a = Normalize(a_raw);
    const Ranges b = Normalize(b_raw);
    const Ranges both = Intersect(a, b);
    const Ranges either = Unite(a, b);
    for (const Ranges& ranges : {a, b, both, either}) ASSERT_TRUE(IsNormalized(ranges));
    for (const std::string& key : universe_) {
      const bool in_a = Contains(a_raw, key);
      const bool in_b = Contains(b_raw, key);
      ASSERT_EQ(Contains(a, key), in_a);
      ASSERT_EQ(Contains(both, key), in_a && in_b);
      ASSERT_EQ(Contains(either, key), in_a || in_b);
    }
    ASSERT_EQ(both, Intersect(b, a));
    ASSERT_EQ(either, Unite(b, a));
    ASSERT_EQ(Intersect(a, {KeyRange{}}), a);
  }
}

}  // namespace
}  // namespace yarrow
