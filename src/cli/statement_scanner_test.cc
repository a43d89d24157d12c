#include "cli/statement_scanner.h"

#include <gtest/gtest.h>

#include <vector>

namespace yarrow::cli {
namespace {

bool IsComplete(const std::vector<std::string>& lines) {
  StatementScanner scanner;
  for (const std::string& line : lines) scanner.Add(line);
  return scanner.is_complete();
}

TEST(StatementScannerTest, ASemicolonEndsAStatement) {
  EXPECT_TRUE(IsComplete({"SELECT 1;"}));
  EXPECT_TRUE(IsComplete({"SELECT", "  1", "; -- done", "/* really */ "}));
  EXPECT_TRUE(IsComplete({"SELECT 1; SELECT 2;"}));
  EXPECT_FALSE(IsComplete({"SELECT 1; SELECT 2"}));
  EXPECT_FALSE(IsComplete({"SELECT 1", ""}));
  EXPECT_FALSE(IsComplete({}));
}

TEST(StatementScannerTest, UnlessSomethingHidesIt) {
  EXPECT_FALSE(IsComplete({"SELECT ';"}));
  EXPECT_TRUE(IsComplete({"SELECT 'it''s;", "more';"}));
  EXPECT_FALSE(IsComplete({"SELECT 'it''s;"}));
  EXPECT_FALSE(IsComplete({"SELECT \"a;"}));
  EXPECT_TRUE(IsComplete({"SELECT \"a;\"\"b\";"}));
  EXPECT_FALSE(IsComplete({"SELECT 1 -- ;"}));
  EXPECT_FALSE(IsComplete({"SELECT 1 /* ;", "; */"}));
  EXPECT_FALSE(IsComplete({"SELECT /* /* */ ;"}));
  EXPECT_TRUE(IsComplete({"SELECT /* /* */ ; */ 1;"}));
  EXPECT_FALSE(IsComplete({"SELECT $$ ;"}));
  EXPECT_FALSE(IsComplete({"SELECT $a$ $$ ;", "$b$ ;"}));
  EXPECT_TRUE(IsComplete({"SELECT $a$ ; $a$;"}));
  EXPECT_TRUE(IsComplete({"SELECT $1;"}));
}

TEST(StatementScannerTest, BlanksAndCommentsAreNoStatement) {
  StatementScanner scanner;
  scanner.Add("  -- a remark");
  scanner.Add("/* and another */ ");
  EXPECT_TRUE(scanner.is_blank());
  scanner.Add("SELECT");
  EXPECT_FALSE(scanner.is_blank());
  scanner.Reset();
  EXPECT_TRUE(scanner.is_blank());
}

}  // namespace
}  // namespace yarrow::cli
