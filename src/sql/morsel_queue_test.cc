#include "sql/morsel_queue.h"

#include <gtest/gtest.h>

namespace yarrow::sql {
namespace {

TEST(MorselQueueTest, WithoutLimitEveryPieceIsRead) {
  MorselQueue queue;
  queue.Fill(std::vector<Morsel>(2), std::nullopt, true);
  EXPECT_EQ(queue.Next(), 0u);
  EXPECT_GT(queue.Wanted(0), 1'000'000);
  EXPECT_EQ(queue.Next(), 1u);
  EXPECT_EQ(queue.Next(), std::nullopt);
  queue.Finish(1);
  EXPECT_EQ(queue.Progress(), 0.5);
}

TEST(MorselQueueTest, InAnyOrderAllRowsCount) {
  MorselQueue queue;
  queue.Fill(std::vector<Morsel>(3), 10, false);
  queue.Next();
  queue.Next();
  queue.Give(1, 7);
  EXPECT_EQ(queue.Wanted(0), 3);
  queue.Give(0, 3);
  EXPECT_EQ(queue.Wanted(1), 0);
  EXPECT_EQ(queue.Next(), std::nullopt);
}

TEST(MorselQueueTest, InOrderOnlyRowsBeforeCount) {
  MorselQueue queue;
  queue.Fill(std::vector<Morsel>(4), 10, true);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(queue.Next(), i);
  queue.Give(1, 10);  // full in itself, but piece 0 may still bring rows that come first
  queue.Finish(1);
  EXPECT_EQ(queue.Wanted(0), 10);
  EXPECT_EQ(queue.Wanted(2), 10);
  queue.Give(0, 4);
  EXPECT_EQ(queue.Wanted(0), 6);
  EXPECT_EQ(queue.Wanted(2), 6);
  queue.Finish(0);
  EXPECT_LE(queue.Wanted(2), 0);
  EXPECT_EQ(queue.Next(), std::nullopt);
}

}  // namespace
}  // namespace yarrow::sql
