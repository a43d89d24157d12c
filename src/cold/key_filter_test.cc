#include "cold/key_filter.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "arrow_assert.h"
#include "key/key_bytes.h"
#include "random_seed.h"

namespace yarrow::cold {
namespace {

std::string KeyOf(uint64_t number) {
  std::string key("\x02\0\0\0\7", 5);
  AppendBigEndian(number, &key);
  return key;
}

KeyFilter FilterOfFirst(uint64_t count) {
  std::vector<uint64_t> hashes;
  for (uint64_t i = 0; i < count; ++i) hashes.push_back(KeyFilter::Hash(KeyOf(i)));
  return KeyFilter::Build(hashes);
}

TEST(KeyFilterTest, EveryKeyIsFoundAndAboutOnePercentOfOthers) {
  for (const uint64_t count : {1U, 100U, 20'000U, 100'000U}) {
    const KeyFilter filter = FilterOfFirst(count);
    EXPECT_EQ(filter.key_count(), count);
    EXPECT_LE(filter.stored().size(), 64 + count * KeyFilter::kBitsPerKey / 8 + 32);
    for (uint64_t i = 0; i < count; ++i) ASSERT_TRUE(filter.MayContain(KeyFilter::Hash(KeyOf(i))));
    constexpr uint64_t kOthers = 200'000;
    uint64_t passed = 0;
    for (uint64_t i = 0; i < kOthers; ++i) passed += filter.MayContain(KeyFilter::Hash(KeyOf(1'000'000 + i))) ? 1 : 0;
    const double rate = static_cast<double>(passed) / kOthers;
    EXPECT_LT(rate, 0.015) << count;
    if (count == 100'000) RecordProperty("false_positives_per_million", static_cast<int>(rate * 1e6));
  }
}

TEST(KeyFilterTest, AFilterOfNoKeysContainsNone) {
  const KeyFilter filter = KeyFilter::Build({});
  EXPECT_FALSE(filter.MayContain(0));
  EXPECT_FALSE(filter.MayContain(KeyFilter::Hash("a")));
}

TEST(KeyFilterTest, StoredBytesAreTheSameInAnyOrderAndReadBack) {
  std::vector<uint64_t> hashes;
  for (uint64_t i = 0; i < 1000; ++i) hashes.push_back(KeyFilter::Hash(KeyOf(i)));
  const KeyFilter filter = KeyFilter::Build(hashes);
  std::shuffle(hashes.begin(), hashes.end(), std::mt19937_64(1));
  EXPECT_EQ(KeyFilter::Build(hashes).stored(), filter.stored());
  ASSERT_OK_AND_ASSIGN(const KeyFilter decoded, KeyFilter::Decode(filter.stored(), "the key filter of segment 1"));
  for (const uint64_t hash : hashes) EXPECT_TRUE(decoded.MayContain(hash));
  EXPECT_EQ(decoded.key_count(), 1000U);
}

TEST(KeyFilterTest, EveryDamagedBitIsAnError) {
  const std::string stored = FilterOfFirst(20).stored();
  for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
    std::string damaged = stored;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_ERROR_HAS(KeyFilter::Decode(damaged, "the key filter of segment 1"), "segment 1 is damaged");
  }
  for (size_t size = 0; size < stored.size(); ++size) {
    EXPECT_ERROR_HAS(KeyFilter::Decode(stored.substr(0, size), "the key filter of segment 1"), "is damaged");
  }
}

// The blocks, words and bits are those that Parquet's format document defines.
TEST(KeyFilterTest, StoredFormIsFrozen) {
  const std::vector<uint64_t> hashes = {KeyFilter::Hash(KeyOf(1)), KeyFilter::Hash(KeyOf(2))};
  const std::string stored = KeyFilter::Build(hashes).stored();
  ASSERT_EQ(stored.size(), 16U + 32 + 8);
  EXPECT_EQ(stored.substr(0, 16), std::string("\1\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0", 16));
  uint32_t bits = 0;
  for (const char c : stored.substr(16, 32)) bits += static_cast<uint32_t>(__builtin_popcount(static_cast<uint8_t>(c)));
  EXPECT_GE(bits, 8U);
  EXPECT_LE(bits, 16U);
  EXPECT_EQ(KeyFilter::Hash(""), 0xEF46DB3751D8E999ULL);  // XXH64 of nothing
}

}  // namespace
}  // namespace yarrow::cold
