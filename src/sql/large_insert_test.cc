// INSERT of more rows than memory should hold: they wait in files, which the commit moves into the store.
#include <gtest/gtest.h>

#include <filesystem>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class LargeInsertTest : public test::SqlFixture {
 protected:
  // More than the 64 MB that stay in memory.
  static constexpr int kRows = 18000;
  void SetUp() override {
    SqlFixture::SetUp();
    EXPECT_EQ(Run("CREATE TABLE t (id INTEGER PRIMARY KEY, text VARCHAR NOT NULL)"), "");
  }
  // ids from 0 in a shuffled order, 4 KB each.
  static std::string Rows(int count = kRows) {
    return "SELECT ((range * 7919) % " + std::to_string(count) +
           ")::INTEGER AS id, repeat('x', 4000) || range AS text " + "FROM range(" + std::to_string(count) + ")";
  }
  bool TemporaryIsEmpty() { return std::filesystem::is_empty(dir_.File("db") / "tmp"); }
};

TEST_F(LargeInsertTest, GoesPastTheMemtable) {
  const auto memtable = [&] { return Run("SELECT value FROM y.system.stats WHERE name = 'hot.memtable_bytes'"); };
  const std::string before = memtable();
  ASSERT_NE(before, "");
  EXPECT_EQ(Run("INSERT INTO t " + Rows()), "18000");
  EXPECT_EQ(memtable(), before);
  EXPECT_TRUE(TemporaryIsEmpty());
  EXPECT_EQ(Run("SELECT count(*), sum(id), min(length(text)) FROM t"), "18000|161991000|4001");
}

TEST_F(LargeInsertTest, IsSeenByLaterStatementsOfItsTransactionOnly) {
  Run("INSERT INTO t VALUES (-1, 'before')");
  const auto other = Connect();
  Run("BEGIN");
  EXPECT_EQ(Run("INSERT INTO t " + Rows()), "18000");
  EXPECT_FALSE(TemporaryIsEmpty());
  EXPECT_EQ(Run(*other, "SELECT count(*) FROM t"), "1");
  EXPECT_EQ(Run("SELECT count(*), sum(id) FROM t"), "18001|161990999");
  EXPECT_EQ(Run("SELECT length(text) > 4000 FROM t WHERE id = 77"), "true");
  EXPECT_EQ(Run("SELECT id FROM t WHERE id > 17990 ORDER BY id DESC LIMIT 2"), "17999\n17998");
  EXPECT_EQ(Run("UPDATE t SET text = 'new' WHERE id IN (5, -1)"), "2");
  EXPECT_EQ(Run("DELETE FROM t WHERE id BETWEEN 10 AND 19"), "10");
  EXPECT_EQ(Run("INSERT INTO t VALUES (10, 'again')"), "1");
  EXPECT_EQ(Run("SELECT count(*), count(*) FILTER (text = 'new') FROM t"), "17992|2");
  EXPECT_EQ(Run("COMMIT"), "");
  EXPECT_TRUE(TemporaryIsEmpty());
  EXPECT_EQ(Run(*other, "SELECT count(*), count(*) FILTER (text = 'new'), max(id) FROM t"), "17992|2|17999");
  EXPECT_EQ(Run(*other, "SELECT text FROM t WHERE id = 10"), "again");
}

TEST_F(LargeInsertTest, RolledBackItLeavesNothing) {
  Run("BEGIN");
  EXPECT_EQ(Run("INSERT INTO t " + Rows()), "18000");
  Run("ROLLBACK");
  EXPECT_TRUE(TemporaryIsEmpty());
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
}

TEST_F(LargeInsertTest, OneBadRowAndNoneIsInserted) {
  Run("INSERT INTO t VALUES (500, 'there')");
  const auto expect_error = [&](const std::string& rows, const std::string& part) {
    const std::string error = Run("INSERT INTO t " + rows);
    EXPECT_NE(error.find(part), std::string::npos) << error;
    EXPECT_TRUE(TemporaryIsEmpty());
    EXPECT_EQ(Run("SELECT * FROM t"), "500|there");
  };
  expect_error(Rows(), "key (500)");
  expect_error("SELECT id + 1000, text FROM (" + Rows() + ") UNION ALL SELECT 17999, 'twice'", "key (17999)");
  expect_error("SELECT id + 1000, CASE WHEN id < 17999 THEN text END FROM (" + Rows() + ")", "text");
}

TEST_F(LargeInsertTest, AConcurrentChangeOfTheTableIsAConflict) {
  const auto other = Connect();
  Run("BEGIN");
  Run("INSERT INTO t " + Rows());
  EXPECT_EQ(Run(*other, "INSERT INTO t VALUES (3, 'first')"), "1");
  const std::string error = Run("COMMIT");
  EXPECT_NE(error.find("conflict"), std::string::npos) << error;
  EXPECT_EQ(Run("SELECT * FROM t"), "3|first");
  EXPECT_TRUE(TemporaryIsEmpty());
}

TEST_F(LargeInsertTest, FromSeveralThreadsAndIntoItself) {
  Run("SET threads = 4");
  EXPECT_EQ(Run("INSERT INTO t " + Rows()), "18000");
  EXPECT_EQ(Run("INSERT INTO t SELECT id + 18000, text FROM t"), "18000");
  EXPECT_EQ(Run("SELECT count(*), count(DISTINCT id), max(id) FROM t"), "36000|36000|35999");
  const std::string error = Run("INSERT INTO t SELECT id % 20000 + 50000, text FROM t");
  EXPECT_NE(error.find("two of the rows"), std::string::npos) << error;
  EXPECT_EQ(Run("CREATE TABLE u AS FROM t"), "36000");
  EXPECT_EQ(Run("SELECT count(*), sum(id) FROM u"), "36000|647982000");
  EXPECT_EQ(Run("CREATE OR REPLACE TABLE u AS FROM t WHERE id < 17500"), "17500");
  EXPECT_EQ(Run("SELECT count(*) FROM u"), "17500");
  // Without a key, rows keep the order they came in.
  EXPECT_EQ(Run("SELECT (SELECT list(id) FROM (FROM u)) = (SELECT list(id) FROM (FROM t WHERE id < 17500))"), "true");
}

}  // namespace
}  // namespace yarrow::sql
