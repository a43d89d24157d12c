#include "flush/tier_watch.h"

#include <gtest/gtest.h>

namespace yarrow::flush {
namespace {

constexpr int64_t kSecond = 1'000'000;

TEST(TierWatchTest, WhatIsReachedFirstMakesAFlush) {
  TierPolicy policy{.flush_rows = 100, .flush_bytes = 5000, .flush_age = 60};
  TierWatch watch(0);
  EXPECT_EQ(watch.Look(policy, {.rows = 99, .bytes = 4999, .last_write = 1}, 59 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.Look(policy, {.rows = 100, .bytes = 10, .last_write = 1}, 59 * kSecond), DueJob::kFlush);
  EXPECT_EQ(watch.Look(policy, {.rows = 9, .bytes = 5000, .last_write = 1}, 59 * kSecond), DueJob::kFlush);
  EXPECT_EQ(watch.Look(policy, {.rows = 1, .bytes = 10, .last_write = 1}, 60 * kSecond), DueJob::kFlush);
  EXPECT_EQ(watch.Look(policy, {.rows = 0, .bytes = 0, .last_write = 1}, 60 * kSecond), DueJob::kFlush)
      << "an estimate knows little of few rows";
  EXPECT_EQ(watch.Look({}, {.rows = 1000, .bytes = 100'000, .last_write = 1}, 60 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.hot_bytes(), 0u) << "rows that never flush are no pressure";
}

TEST(TierWatchTest, WhatAFlushLeavesDoesNotCount) {
  const TierPolicy policy{.flush_rows = 100};
  TierWatch watch(0);
  ASSERT_EQ(watch.Look(policy, {.rows = 150, .bytes = 1500, .last_write = 1}, kSecond), DueJob::kFlush);
  watch.Begin(DueJob::kFlush, {.rows = 150, .bytes = 1500, .last_write = 1}, kSecond);
  EXPECT_EQ(watch.Look(policy, {.rows = 500, .bytes = 5000, .last_write = 1}, 2 * kSecond), DueJob::kNone);
  watch.End(30, policy, {.rows = 120, .bytes = 1200, .last_write = 1}, 3 * kSecond);
  EXPECT_EQ(watch.Look(policy, {.rows = 219, .bytes = 2190, .last_write = 4}, 4 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.hot_bytes(), 990u);
  EXPECT_EQ(watch.Look(policy, {.rows = 220, .bytes = 2200, .last_write = 4}, 4 * kSecond), DueJob::kFlush);
  // RocksDB has compacted what was left.
  EXPECT_EQ(watch.Look(policy, {.rows = 20, .bytes = 200, .last_write = 4}, 5 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.Look(policy, {.rows = 120, .bytes = 1200, .last_write = 4}, 6 * kSecond), DueJob::kFlush);
}

TEST(TierWatchTest, WhatIsWrittenDuringAFlushCountsForTheNext) {
  const TierPolicy policy{.flush_rows = 100};
  TierWatch watch(0);
  watch.Begin(DueJob::kFlush, {.rows = 150, .bytes = 1500, .last_write = 1}, kSecond);
  watch.End(120, policy, {.rows = 129, .bytes = 1290, .last_write = 2}, 3 * kSecond);  // 30 were not moved
  EXPECT_EQ(watch.Look(policy, {.rows = 129, .bytes = 1290, .last_write = 2}, 4 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.hot_bytes(), 990u);
  EXPECT_EQ(watch.Look(policy, {.rows = 130, .bytes = 1300, .last_write = 2}, 4 * kSecond), DueJob::kFlush);
}

TEST(TierWatchTest, RowsThatCameBeforeWhatWasLeftIsCompactedCount) {
  const TierPolicy policy{.flush_rows = 100};
  TierWatch watch(0);
  watch.Begin(DueJob::kFlush, {.rows = 500, .bytes = 5000, .last_write = 1}, kSecond);
  // The commit that has brought 120 can be seen and does not count for its table yet.
  watch.End(100, policy, {.rows = 520, .bytes = 5200, .last_write = 1}, 2 * kSecond);
  EXPECT_EQ(watch.Look(policy, {.rows = 120, .bytes = 1200, .last_write = 2}, 3 * kSecond), DueJob::kFlush);
}

TEST(TierWatchTest, ItLooksAgainWhenMovedRowsAreDropped) {
  const TierPolicy policy{.flush_rows = 100};
  TierWatch watch(0);
  const HotFigures too_few{.last_write = 1, .waiting = 150};  // of which RocksDB has dropped some already
  ASSERT_EQ(watch.Look(policy, too_few, kSecond), DueJob::kNone);
  EXPECT_FALSE(watch.MustLook(policy, too_few));
  EXPECT_TRUE(watch.MustLook(policy, {.last_write = 1}));
  EXPECT_EQ(watch.Look(policy, {.rows = 120, .bytes = 1200, .last_write = 1}, 2 * kSecond), DueJob::kFlush);
}

TEST(TierWatchTest, AgeIsOfTheFirstRowSinceTheLastFlush) {
  const TierPolicy policy{.flush_age = 10};
  const auto figures = [](uint64_t last_write) { return HotFigures{.rows = 5, .bytes = 50, .last_write = last_write}; };
  TierWatch watch(0);
  ASSERT_EQ(watch.Look(policy, figures(1), 10 * kSecond), DueJob::kFlush);
  watch.Begin(DueJob::kFlush, figures(1), 10 * kSecond);
  watch.End(0, policy, figures(2), 12 * kSecond);  // written meanwhile
  EXPECT_EQ(watch.Look(policy, figures(2), 19 * kSecond), DueJob::kNone);
  ASSERT_EQ(watch.Look(policy, figures(2), 20 * kSecond), DueJob::kFlush);
  watch.Begin(DueJob::kFlush, figures(2), 20 * kSecond);
  watch.End(0, policy, figures(2), 20 * kSecond);  // nothing was there to move
  EXPECT_EQ(watch.Look(policy, figures(2), 100 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.Look(policy, figures(3), 200 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.Look(policy, figures(3), 209 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.Look(policy, figures(3), 210 * kSecond), DueJob::kFlush);
}

TEST(TierWatchTest, AFailedJobIsTriedAgainLaterAndLater) {
  const TierPolicy policy{.flush_rows = 1};
  const HotFigures figures{.rows = 5, .bytes = 50, .last_write = 1};
  TierWatch watch(0);
  int64_t now = kSecond, waited = 0;
  for (int failures = 0; failures < 10; ++failures) {
    ASSERT_EQ(watch.Look(policy, figures, now), DueJob::kFlush);
    watch.Begin(DueJob::kFlush, figures, now);
    watch.End(std::nullopt, policy, figures, now);
    int64_t wait = 0;
    while (watch.Look(policy, figures, now + wait) == DueJob::kNone) wait += 30 * kSecond;
    EXPECT_GE(wait, waited);
    EXPECT_LE(wait, 64 * 60 * kSecond);
    waited = wait;
    now += wait;
  }
  EXPECT_EQ(waited, 64 * 60 * kSecond);
}

TEST(TierWatchTest, AnExpiryThatFailsKeepsNoFlushBack) {
  const TierPolicy policy{.flush_rows = 1, .ttl_column = "at", .ttl = 100};
  const HotFigures figures{.rows = 5, .bytes = 50, .last_write = 1};
  TierWatch watch(0);
  ASSERT_EQ(watch.Look(policy, figures, kSecond), DueJob::kExpiry);
  watch.Begin(DueJob::kExpiry, figures, kSecond);
  watch.End(std::nullopt, policy, figures, kSecond);
  ASSERT_EQ(watch.Look(policy, figures, 2 * kSecond), DueJob::kFlush);
  watch.Begin(DueJob::kFlush, figures, 2 * kSecond);
  watch.End(0, policy, figures, 2 * kSecond);
  EXPECT_EQ(watch.Look(policy, figures, 60 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.Look(policy, figures, 61 * kSecond), DueJob::kExpiry);
}

TEST(TierWatchTest, ExpiryIsLookedForAgainAndAgain) {
  const TierPolicy policy{.ttl_column = "at", .ttl = 100};
  const HotFigures figures{.rows = 5, .bytes = 50, .last_write = 1};
  TierWatch watch(0);
  ASSERT_EQ(watch.Look(policy, figures, kSecond), DueJob::kExpiry);
  watch.Begin(DueJob::kExpiry, figures, kSecond);
  watch.End(0, policy, figures, 2 * kSecond);
  EXPECT_EQ(watch.Look(policy, figures, 6 * kSecond), DueJob::kNone);
  EXPECT_EQ(watch.Look(policy, figures, 7 * kSecond), DueJob::kExpiry);
}

}  // namespace
}  // namespace yarrow::flush
