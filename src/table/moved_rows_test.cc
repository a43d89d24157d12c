#include "table/moved_rows.h"

#include <gtest/gtest.h>

namespace yarrow {
namespace {

TEST(MovedRowsTest, RangesWaitForTheSnapshotsFromBeforeTheirMove) {
  MovedRows moved;
  EXPECT_TRUE(moved.empty());
  moved.Add({{"a", "b"}, {"c", "d"}}, 10);
  moved.Add({{"e", "f"}}, 20);
  EXPECT_TRUE(moved.TakeDue(9).empty());
  const auto first = moved.TakeDue(10);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].lower, "c");
  EXPECT_FALSE(moved.empty());
  EXPECT_TRUE(moved.TakeDue(19).empty());
  const auto second = moved.TakeDue(25);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].upper, "f");
  EXPECT_TRUE(moved.empty());
}

}  // namespace
}  // namespace yarrow
