#include "table/moved_rows.h"

#include <gtest/gtest.h>

namespace yarrow {
namespace {

TEST(MovedRowsTest, RangesWaitForTheSnapshotsFromBeforeTheirMove) {
  MovedRows moved;
  EXPECT_TRUE(moved.empty());
  moved.Add({{{"a", "b"}, 10, 1}, {{"c", "d"}, 10, 2}});
  moved.Add({{{"e", "f"}, 20, 4}});
  EXPECT_EQ(moved.CountIn({"a", "d"}), 3U);
  EXPECT_EQ(moved.CountIn({"c", "z"}), 6U);
  EXPECT_TRUE(moved.TakeDue(9).empty());
  const auto first = moved.TakeDue(10);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].rows + first[1].rows, 3U);
  EXPECT_EQ(moved.CountIn({"a", "z"}), 4U);
  EXPECT_FALSE(moved.empty());
  EXPECT_TRUE(moved.TakeDue(19).empty());
  const auto second = moved.TakeDue(25);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].range.upper, "f");
  EXPECT_TRUE(moved.empty());
}

}  // namespace
}  // namespace yarrow
