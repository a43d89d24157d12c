// UPDATE and DELETE of many rows: in memory and in files; rows hot, cold and mixed.
#include <gtest/gtest.h>

#include <filesystem>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

enum class Place { kHot, kCold, kMixed };

class BulkChangeTest : public test::SqlFixture, public testing::WithParamInterface<std::tuple<bool, Place>> {
 protected:
  void SetUp() override {
    StoreOptions options{.durability = Durability::kOs};
    if (InFiles()) options.ingest_threshold_bytes = 1000;
    ASSERT_OK_AND_ASSIGN(database_, Database::Open(dir_.File("db"), options));
    duckdb_ = OpenDuckDb();
    ASSERT_OK(Attach(*duckdb_, database_, "y"));
    connection_ = Connect();
    Run("CREATE TABLE t (id BIGINT PRIMARY KEY, n INTEGER, v VARCHAR DEFAULT 'default')");
    Fill("t", "i, i % 7, 'row ' || i");
  }
  static bool InFiles() { return std::get<0>(GetParam()); }
  static Place RowsLie() { return std::get<1>(GetParam()); }

  // Rows 0 to 4999.
  void Fill(const std::string& table, const std::string& values) {
    const auto insert = [&](int from, int to) {
      EXPECT_EQ(Run("INSERT INTO " + table + " SELECT " + values + " FROM range(" + std::to_string(from) + ", " +
                    std::to_string(to) + ") r(i)"),
                std::to_string(to - from));
    };
    const int cold = RowsLie() == Place::kHot ? 0 : RowsLie() == Place::kCold ? 5000 : 2500;
    if (cold > 0) {
      insert(0, cold);
      Run("CALL yarrow_flush('" + table + "', max_segment_rows = 1000)");
    }
    if (cold < 5000) insert(cold, 5000);
  }
  std::string Sums(const std::string& table = "t") {
    return Run("SELECT count(*), sum(id), sum(n), count(DISTINCT v) FROM " + table);
  }
};

TEST_P(BulkChangeTest, ColumnsThatAreNotSetStay) {
  EXPECT_EQ(Run("UPDATE t SET n = n + 1 WHERE id % 2 = 0"), "2500");
  EXPECT_EQ(Run("SELECT * FROM t WHERE id IN (10, 11)"), "10|4|row 10\n11|4|row 11");
  EXPECT_EQ(Run("UPDATE t SET v = DEFAULT"), "5000");
  EXPECT_EQ(Run("SELECT DISTINCT v FROM t"), "default");
  EXPECT_EQ(Sums(), "5000|12497500|17495|1");
  ASSERT_OK_AND_ASSIGN(const auto checked, database_->Check());
  EXPECT_TRUE(checked.problems.empty());
}

TEST_P(BulkChangeTest, KeysAreShiftedAndSwapped) {
  EXPECT_EQ(Run("UPDATE t SET id = id + 1"), "5000");
  EXPECT_EQ(Run("SELECT min(id), max(id), count(*) FROM t"), "1|5000|5000");
  EXPECT_EQ(Run("SELECT v FROM t WHERE id = 3000"), "row 2999");
  EXPECT_EQ(Run("UPDATE t SET id = 5001 - id"), "5000");
  EXPECT_EQ(Run("SELECT v FROM t ORDER BY id LIMIT 2"), "row 4999\nrow 4998");
  EXPECT_EQ(Sums(), "5000|12502500|14995|5000");
}

TEST_P(BulkChangeTest, AKeyThatIsTakenIsNamedAndNothingChanges) {
  const std::string before = Sums();
  const std::string taken = Run("UPDATE t SET id = id + 1000 WHERE id < 2000");
  EXPECT_NE(taken.find("error: Constraint Error"), std::string::npos) << taken;
  EXPECT_NE(taken.find("key (2000)"), std::string::npos) << taken;
  const std::string twice = Run("UPDATE t SET id = id // 2 + 10000");
  EXPECT_NE(twice.find("key (10000)"), std::string::npos) << twice;
  EXPECT_EQ(Sums(), before);
}

TEST_P(BulkChangeTest, LaterStatementsOfTheTransactionSeeIt) {
  const std::string before = Sums();
  Run("BEGIN");
  EXPECT_EQ(Run("DELETE FROM t WHERE id % 2 = 1"), "2500");
  EXPECT_EQ(Run("SELECT count(*) FROM t WHERE id BETWEEN 100 AND 199"), "50");
  EXPECT_EQ(Run("SELECT v FROM t WHERE id = 101"), "");
  EXPECT_EQ(Run("SELECT v FROM t WHERE id = 100"), "row 100");
  EXPECT_EQ(Run("INSERT INTO t SELECT i, 0, 'again' FROM range(1, 5000, 2) r(i)"), "2500");
  EXPECT_EQ(Run("UPDATE t SET n = -1 WHERE id < 3000"), "3000");
  EXPECT_EQ(Run("UPDATE t SET v = 'one' WHERE id = 7"), "1");
  EXPECT_EQ(Run("DELETE FROM t WHERE id = 8"), "1");
  const std::string inside = Sums();
  EXPECT_EQ(inside, Run("SELECT 4999, 12497492, -2999 + sum(CASE WHEN i % 2 = 0 AND i >= 3000 THEN i % 7 ELSE 0 END), "
                        "2501 FROM range(5000) r(i)"));
  EXPECT_EQ(Run("SELECT id FROM t WHERE id BETWEEN 5 AND 10 ORDER BY id DESC"), "10\n9\n7\n6\n5");
  Run("ROLLBACK");
  EXPECT_EQ(Sums(), before);
  EXPECT_TRUE(std::filesystem::is_empty(dir_.File("db") / "tmp"));
  Run("BEGIN");
  EXPECT_EQ(Run("DELETE FROM t"), "5000");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(Run("INSERT INTO t SELECT i, 1, 'new' FROM range(4000) r(i)"), "4000");
  Run("COMMIT");
  EXPECT_EQ(Sums(), "4000|7998000|4000|1");
  Run("CALL yarrow_flush('t')");
  EXPECT_EQ(Sums(), "4000|7998000|4000|1");
}

TEST_P(BulkChangeTest, RowsWithoutAKeyAreChangedByTheirPlace) {
  Run("CREATE TABLE log (id BIGINT, n INTEGER, v VARCHAR)");
  Fill("log", "i // 2, 1, 'line ' || i");
  EXPECT_EQ(Run("UPDATE log SET n = id % 3 WHERE id < 1000"), "2000");
  EXPECT_EQ(Run("DELETE FROM log WHERE id % 2 = 0"), "2500");
  EXPECT_EQ(Run("UPDATE log SET id = -id"), "2500");
  EXPECT_EQ(Run("SELECT count(*), min(id), max(id), sum(n) FROM log"), "2500|-2499|-1|2498");
  EXPECT_EQ(Run("SELECT v FROM log WHERE id = -1 ORDER BY v"), "line 2\nline 3");
}

TEST_P(BulkChangeTest, ConflictsAreAboutTheRowsThatAreWritten) {
  const auto other = Connect();
  Run("BEGIN");
  EXPECT_EQ(Run("UPDATE t SET n = 0 WHERE id % 2 = 0"), "2500");
  EXPECT_EQ(Run(*other, "UPDATE t SET n = 100 WHERE id = 11"), "1");
  EXPECT_EQ(Run(*other, "INSERT INTO t VALUES (6000, 1, 'between')"), "1");
  EXPECT_EQ(Run("COMMIT"), "");
  EXPECT_EQ(Run("SELECT n FROM t WHERE id IN (10, 11, 6000)"), "0\n100\n1");
  Run("BEGIN");
  EXPECT_EQ(Run("DELETE FROM t WHERE id % 2 = 0"), "2501");
  EXPECT_EQ(Run(*other, "UPDATE t SET n = 100 WHERE id = 12"), "1");
  const std::string lost = Run("COMMIT");
  EXPECT_NE(lost.find("write conflict"), std::string::npos) << lost;
  EXPECT_NE(lost.find("key (12)"), std::string::npos) << lost;
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "5001");
}

// A flush or a compaction between a statement and its commit moves rows that it wrote.
TEST_P(BulkChangeTest, RowsThatMoveBeforeTheCommitAreFound) {
  const auto other = Connect();
  for (const char* move :
       {"CALL yarrow_flush('t', max_segment_rows = 700)", "CALL yarrow_compact('t', \"full\" = true)"}) {
    Run("BEGIN");
    EXPECT_EQ(Run("UPDATE t SET n = n + 1 WHERE id % 3 = 0"), "1667");
    EXPECT_EQ(Run("DELETE FROM t WHERE id % 3 = 1 AND n <> 1000"), move[12] == 'f' ? "1667" : "0");
    Run(*other, move);
    EXPECT_EQ(Run("COMMIT"), "");
  }
  EXPECT_EQ(Sums(), Run("SELECT count(*), sum(i), sum(i % 7 + CASE WHEN i % 3 = 0 THEN 2 ELSE 0 END), count(*) "
                        "FROM range(5000) r(i) WHERE i % 3 <> 1"));
  ASSERT_OK_AND_ASSIGN(const auto checked, database_->Check());
  EXPECT_TRUE(checked.problems.empty());
}

INSTANTIATE_TEST_SUITE_P(Rows, BulkChangeTest,
                         testing::Combine(testing::Bool(), testing::Values(Place::kHot, Place::kCold, Place::kMixed)));

}  // namespace
}  // namespace yarrow::sql
