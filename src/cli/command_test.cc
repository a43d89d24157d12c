// What the subcommands share. The commands themselves are tested end to end, in tests/e2e.
#include "cli/command.h"

#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "cli/cell_text.h"
#include "cli/progress_bar.h"

namespace yarrow::cli {
namespace {

using Names = std::vector<std::string>;

TEST(CommandTest, SplitsNames) {
  EXPECT_EQ(SplitNames("a").ValueOrDie(), (Names{"a"}));
  EXPECT_EQ(SplitNames("a,b c").ValueOrDie(), (Names{"a", "b c"}));
  EXPECT_EQ(SplitNames("\"a,b\",\"say \"\"hi\"\"\",c").ValueOrDie(), (Names{"a,b", "say \"hi\"", "c"}));
  EXPECT_ERROR_HAS(SplitNames("a,,b"), "a name is empty");
  EXPECT_ERROR_HAS(SplitNames(""), "a name is empty");
  EXPECT_ERROR_HAS(SplitNames("\"a"), "never closed");
  EXPECT_ERROR_HAS(SplitNames("\"a\"b"), "expected a comma");
}

TEST(CommandTest, GroupsDigits) {
  EXPECT_EQ(GroupDigits(0), "0");
  EXPECT_EQ(GroupDigits(999), "999");
  EXPECT_EQ(GroupDigits(1000), "1,000");
  EXPECT_EQ(GroupDigits(336776), "336,776");
  EXPECT_EQ(GroupDigits(1234567890), "1,234,567,890");
}

TEST(CommandTest, FormatsProgress) {
  const Progress half{.phase = "loading", .fraction = 0.5, .rows = 150'000, .seconds = 0.5};
  EXPECT_EQ(FormatProgress(half, 80), "loading   50% [==========>         ]  150,000 rows  300,000 rows/s");
  EXPECT_EQ(FormatProgress(half, 14), "loading   50% ");
  const Progress done{.phase = "loading", .fraction = 1.2, .rows = 1, .seconds = 1};
  EXPECT_EQ(FormatProgress(done, 80), "loading  100% [====================]  1 rows  1 rows/s");
  EXPECT_EQ(FormatProgress({.phase = "sorting", .fraction = -1, .rows = 0, .seconds = 0}, 80), "sorting  0 rows");
}

}  // namespace
}  // namespace yarrow::cli
