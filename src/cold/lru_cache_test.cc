#include "cold/lru_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace yarrow::cold {
namespace {

using Cache = LruCache<int, const std::string, std::hash<int>>;

std::shared_ptr<const std::string> Text(const char* text) {
  return std::make_shared<const std::string>(text);
}

TEST(LruCacheTest, TheLeastRecentlyUsedGoBeyondEitherBudget) {
  Cache cache({.bytes = 100, .entries = 3});
  for (int i = 0; i < 3; ++i) cache.Insert(i, Text("x"), 30);
  EXPECT_NE(cache.Find(0), nullptr);
  cache.Insert(3, Text("x"), 1);  // one entry too many
  EXPECT_EQ(cache.Find(1), nullptr);
  EXPECT_NE(cache.Find(0), nullptr);
  cache.Insert(4, Text("x"), 100);  // too many bytes
  EXPECT_EQ(cache.counts().entries, 1U);
  EXPECT_EQ(cache.counts().bytes, 100U);
  EXPECT_NE(cache.Find(4), nullptr);
  cache.Insert(5, Text("x"), 101);  // larger than all
  EXPECT_EQ(cache.Find(5), nullptr);
  EXPECT_NE(cache.Find(4), nullptr);
  EXPECT_EQ(cache.counts().hits, 4U);
  EXPECT_EQ(cache.counts().misses, 2U);
}

TEST(LruCacheTest, ASmallerBudgetHoldsAtOnce) {
  Cache cache({.bytes = 100});
  for (int i = 0; i < 4; ++i) cache.Insert(i, Text("x"), 25);
  cache.SetBudget({.bytes = 100, .entries = 2});
  EXPECT_EQ(cache.counts().entries, 2U);
  EXPECT_NE(cache.Find(3), nullptr);
  cache.SetBudget({.bytes = 100, .entries = 0});
  cache.Insert(9, Text("x"), 0);
  EXPECT_EQ(cache.counts().entries, 0U);
  EXPECT_EQ(cache.counts().bytes, 0U);
}

TEST(LruCacheTest, WhatWasHandedOutStays) {
  Cache cache({.bytes = 100});
  cache.Insert(1, Text("one"), 10);
  cache.Insert(1, Text("another"), 10);
  const auto one = cache.Find(1);
  cache.Erase(1);
  EXPECT_EQ(cache.Find(1), nullptr);
  EXPECT_EQ(*one, "one");
  for (int i = 0; i < 6; ++i) cache.Insert(i, Text("x"), 10);
  cache.EraseIf([](int key) { return key % 2 == 0; });
  EXPECT_EQ(cache.counts().entries, 3U);
  EXPECT_EQ(cache.counts().bytes, 30U);
  EXPECT_EQ(cache.Find(4), nullptr);
  EXPECT_NE(cache.Find(5), nullptr);
}

TEST(LruCacheTest, ParallelUseKeepsTheBudgetAndTheSums) {
  Cache cache({.bytes = 1000, .entries = 60});
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5000; ++i) {
        const int key = (i * (t + 3)) % 97;
        const auto found = cache.Find(key);
        if (found && *found != std::to_string(key)) ++wrong;
        if (!found) cache.Insert(key, std::make_shared<const std::string>(std::to_string(key)), 1 + key % 40);
        if (i % 50 == 0) cache.Erase(key);
        if (i % 700 == 0) cache.SetBudget({.bytes = 900 + static_cast<uint64_t>(t) * 50, .entries = 50});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(cache.counts().entries, 50U);
  EXPECT_LE(cache.counts().bytes, 1050U);
  EXPECT_GT(cache.counts().entries, 10U);
  EXPECT_EQ(cache.counts().hits + cache.counts().misses, 20'000U);
  cache.EraseIf([](int) { return true; });
  EXPECT_EQ(cache.counts().entries, 0U);
  EXPECT_EQ(cache.counts().bytes, 0U);
}

// Closing a file may take long, and what goes may come back to the cache.
TEST(LruCacheTest, ValuesGoOutsideOfTheLock) {
  struct Asks {
    ~Asks() { EXPECT_EQ(cache->Find(1), nullptr); }
    LruCache<int, Asks, std::hash<int>>* cache;
  };
  LruCache<int, Asks, std::hash<int>> cache({.bytes = 100, .entries = 1});
  const auto insert = [&](int key) {
    auto value = std::make_shared<Asks>();
    value->cache = &cache;
    cache.Insert(key, std::move(value), 1);
  };
  insert(1);
  insert(2);
  cache.Erase(2);
  insert(3);
  cache.SetBudget({});
  EXPECT_EQ(cache.counts().misses, 3U);
}

}  // namespace
}  // namespace yarrow::cold
