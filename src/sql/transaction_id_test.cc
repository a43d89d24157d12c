#include <gtest/gtest.h>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

using TransactionIdTest = test::SqlFixture;

TEST_F(TransactionIdTest, EachTransactionHasItsNumber) {
  const std::string first = Run("SELECT txid_current()");
  EXPECT_EQ(first.find("error"), std::string::npos) << first;
  EXPECT_LT(std::stoll(first), std::stoll(Run("SELECT txid_current()")));
  Run("BEGIN");
  const std::string inside = Run("SELECT txid_current()");
  EXPECT_EQ(Run("SELECT DISTINCT txid_current() FROM range(5000)"), inside);
  EXPECT_NE(Run(*Connect(), "SELECT txid_current()"), inside);
  Run("ROLLBACK");
  Run("CREATE TABLE t (id BIGINT)");
  EXPECT_EQ(Run("INSERT INTO t SELECT txid_current() FROM range(3)"), "3");
  EXPECT_EQ(Run("SELECT count(DISTINCT id) FROM t WHERE id <= txid_current()"), "1");
  // Elsewhere it is DuckDB's.
  Run("USE memory");
  EXPECT_EQ(Run("SELECT txid_current()").find("error"), std::string::npos);
  EXPECT_EQ(Run("SELECT count(*) FROM duckdb_functions() WHERE function_name = 'txid_current'"), "1");
}

}  // namespace
}  // namespace yarrow::sql
