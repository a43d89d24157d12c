// ALTER TABLE between connections and over prepared plans; tests/sql/alter_table.test has the statements themselves.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class AlterTableSqlTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    Run("CREATE TABLE t (id INT PRIMARY KEY, n INT, note VARCHAR); INSERT INTO t VALUES (1, 10, 'one'), (2, 20, "
        "'two')");
    other_ = Connect();
  }
  void ExpectConflict(const std::string& result, const std::string& message) {
    EXPECT_NE(result.find("TransactionContext Error"), std::string::npos) << result;
    EXPECT_NE(result.find(message), std::string::npos) << result;
  }
  std::unique_ptr<duckdb::Connection> other_;
};

TEST_F(AlterTableSqlTest, OtherTransactionsKeepTheDefinitionOfTheirSnapshot) {
  EXPECT_EQ(Run("BEGIN; FROM t ORDER BY id"), "1|10|one\n2|20|two");
  EXPECT_EQ(Run(*other_, "ALTER TABLE t DROP note"), "");
  EXPECT_EQ(Run(*other_, "ALTER TABLE t ADD note INT DEFAULT 7; ALTER TABLE t RENAME TO u"), "");
  EXPECT_EQ(Run(*other_, "INSERT INTO u VALUES (3, 30, 8); UPDATE u SET n = 11 WHERE id = 1"), "1");
  EXPECT_EQ(Run(*other_, "SELECT rows FROM yarrow_flush('u')"), "3");
  EXPECT_EQ(Run("FROM t ORDER BY id"), "1|10|one\n2|20|two");
  EXPECT_EQ(Run("SELECT id FROM t WHERE note = 'two'"), "2");
  EXPECT_EQ(Run("SELECT column_type FROM (DESCRIBE t) WHERE column_name = 'note'"), "VARCHAR");
  EXPECT_TRUE(Run("FROM u").starts_with("error"));
  Run("ROLLBACK");
  EXPECT_EQ(Run("FROM u ORDER BY id"), "1|11|7\n2|20|7\n3|30|8");
}

TEST_F(AlterTableSqlTest, NobodySeesAnAlterationBeforeItsCommit) {
  EXPECT_EQ(Run("BEGIN; ALTER TABLE t ADD x INT DEFAULT 1; UPDATE t SET x = 2 WHERE id = 2; FROM t ORDER BY id"),
            "1|10|one|1\n2|20|two|2");
  EXPECT_EQ(Run(*other_, "FROM t ORDER BY id"), "1|10|one\n2|20|two");
  EXPECT_EQ(Run(*other_, "SELECT rows FROM yarrow_flush('t')"), "2");
  EXPECT_EQ(Run("FROM t ORDER BY id"), "1|10|one|1\n2|20|two|2");
  EXPECT_EQ(Run("COMMIT"), "");
  EXPECT_EQ(Run(*other_, "FROM t ORDER BY id"), "1|10|one|1\n2|20|two|2");
}

TEST_F(AlterTableSqlTest, WhoWroteByAnOlderDefinitionIsToldToRunAgain) {
  for (const std::string change : {"ADD x INT", "RENAME n TO m", "ALTER m TYPE BIGINT", "DROP m"}) {
    SCOPED_TRACE(change);
    EXPECT_EQ(Run("BEGIN; INSERT INTO t (id) VALUES (9)"), "1");
    EXPECT_EQ(Run(*other_, "ALTER TABLE t " + change), "");
    ExpectConflict(Run("COMMIT"), "another transaction has altered this table");
    // Whoever comes later than the change is told at once.
    EXPECT_EQ(Run("BEGIN; SELECT count(*) FROM t"), "2");
    EXPECT_EQ(Run(*other_, "ALTER TABLE t ADD late INT; ALTER TABLE t DROP late"), "");
    ExpectConflict(Run("INSERT INTO t (id) VALUES (9)"), "was altered");
    Run("ROLLBACK");
    EXPECT_EQ(Run("SELECT count(*) FROM t"), "2");
  }
}

TEST_F(AlterTableSqlTest, OfTwoAlterationsTheFirstCommitWins) {
  EXPECT_EQ(Run("BEGIN; ALTER TABLE t ADD x INT"), "");
  EXPECT_EQ(Run(*other_, "ALTER TABLE t ADD y INT"), "");
  ExpectConflict(Run("COMMIT"), "table main.t was altered by another transaction");
  EXPECT_EQ(Run("SELECT string_agg(column_name, ' ') FROM (DESCRIBE t)"), "id n note y");
  EXPECT_EQ(Run("BEGIN; SELECT count(*) FROM t"), "2");
  EXPECT_EQ(Run(*other_, "ALTER TABLE t DROP y"), "");
  ExpectConflict(Run("ALTER TABLE t ADD x INT"), "table main.t was altered by another transaction");
  Run("ROLLBACK; BEGIN; ALTER TABLE t RENAME TO u");
  EXPECT_EQ(Run(*other_, "CREATE TABLE u (a INT)"), "");
  ExpectConflict(Run("COMMIT"), "table main.u exists already");
  EXPECT_EQ(Run("BEGIN; DROP TABLE t"), "");
  EXPECT_EQ(Run(*other_, "ALTER TABLE t ADD x INT"), "");
  ExpectConflict(Run("COMMIT"), "table main.t was altered by another transaction");
  EXPECT_EQ(Run("SELECT count(x), count(*) FROM t"), "0|2");
}

TEST_F(AlterTableSqlTest, WritersBesideAnAlterationThatCommitsLaterAreKept) {
  EXPECT_EQ(Run("BEGIN; ALTER TABLE t ADD x INT DEFAULT 5"), "");
  EXPECT_EQ(Run(*other_, "INSERT INTO t VALUES (3, 30, 'three'); DELETE FROM t WHERE id = 1"), "1");
  EXPECT_EQ(Run("COMMIT; FROM t ORDER BY id"), "2|20|two|5\n3|30|three|5");
}

TEST_F(AlterTableSqlTest, PreparedStatementsArePlannedAnew) {
  Run("PREPARE all_rows AS FROM t ORDER BY id; PREPARE one AS SELECT * FROM t WHERE id = $1");
  Run("PREPARE add AS INSERT INTO t (id, n) VALUES ($1, $2); PREPARE change AS UPDATE t SET n = $2 WHERE id = $1");
  EXPECT_EQ(Run("EXECUTE one(1)"), "1|10|one");
  EXPECT_EQ(Run("EXECUTE add(3, 30); EXECUTE change(1, 11)"), "1");
  EXPECT_EQ(Run(*other_, "ALTER TABLE t ADD x INT DEFAULT 5; ALTER TABLE t DROP note"), "");
  EXPECT_EQ(Run("EXECUTE all_rows"), "1|11|5\n2|20|5\n3|30|5");
  EXPECT_EQ(Run("EXECUTE one(1)"), "1|11|5");
  EXPECT_EQ(Run("EXECUTE add(4, 40); EXECUTE change(2, 21); EXECUTE all_rows"), "1|11|5\n2|21|5\n3|30|5\n4|40|5");
  EXPECT_EQ(Run("BEGIN; ALTER TABLE t DROP x; EXECUTE all_rows"), "1|11\n2|21\n3|30\n4|40");
  EXPECT_EQ(Run("ROLLBACK; EXECUTE one(4)"), "4|40|5");
  EXPECT_EQ(Run("ALTER TABLE t DROP n"), "");
  EXPECT_TRUE(Run("EXECUTE change(1, 12)").starts_with("error"));
  EXPECT_EQ(Run("EXECUTE one(1)"), "1|5");
}

TEST_F(AlterTableSqlTest, UserTablesAreAlteredForAllUsers) {
  ASSERT_OK(sql::Attach(*duckdb_, database_, "ada", {.user = "ada"}));
  ASSERT_OK(sql::Attach(*duckdb_, database_, "bob", {.user = "bob"}));
  EXPECT_EQ(Run("CREATE TABLE ada.main.own (id INT PRIMARY KEY, n INT) WITH (kind = 'user')"), "");
  EXPECT_EQ(Run("INSERT INTO ada.main.own VALUES (1, 1)"), "1");
  EXPECT_EQ(Run("INSERT INTO bob.main.own VALUES (1, 2)"), "1");
  EXPECT_EQ(Run("SELECT rows FROM yarrow_flush('ada.main.own', min_user_rows = 0)"), "2");
  EXPECT_EQ(Run("ALTER TABLE ada.main.own ADD x VARCHAR DEFAULT 'x'; ALTER TABLE bob.main.own ALTER n TYPE BIGINT"),
            "");
  EXPECT_EQ(Run("INSERT INTO bob.main.own VALUES (2, 1::BIGINT << 40, NULL)"), "1");
  EXPECT_EQ(Run("FROM ada.main.own"), "1|1|x");
  EXPECT_EQ(Run("FROM bob.main.own ORDER BY id"), "1|2|x\n2|1099511627776|NULL");
}

// What parquet_scan reads, casts and filters of segments that are older than the definition.
TEST_F(AlterTableSqlTest, SegmentsOfAllVersionsAreScannedAtOnce) {
  Run("CREATE TABLE big (id BIGINT PRIMARY KEY, i TINYINT, u USMALLINT, f FLOAT, d DECIMAL(4,1), s VARCHAR)");
  Run("CREATE TEMP TABLE model AS SELECT range AS id, (range % 100)::TINYINT AS i, (range % 1000)::USMALLINT AS u, "
      "(range % 64 / 4)::FLOAT AS f, (range % 500 / 10)::DECIMAL(4,1) AS d, 's' || range % 10 AS s FROM range(20000)");
  EXPECT_EQ(Run("INSERT INTO big FROM model"), "20000");
  EXPECT_EQ(Run("SELECT rows FROM yarrow_flush('big', max_segment_rows = 6000)"), "20000");
  for (const std::string change :
       {"ALTER i TYPE INTEGER", "ALTER u TYPE BIGINT", "ALTER f TYPE DOUBLE", "ALTER d TYPE DECIMAL(12,1)",
        "ADD x INT DEFAULT 5", "RENAME s TO text", "DROP text", "ADD s VARCHAR"}) {
    for (const std::string table : {"big", "temp.model"}) EXPECT_EQ(Run("ALTER TABLE " + table + " " + change), "");
  }
  const std::string more = " SELECT range, 100000, 5000000000, 0.1, 99999999.5, 6, 'new' FROM range(20000, 21000)";
  EXPECT_EQ(Run("INSERT INTO big" + more), "1000");
  EXPECT_EQ(Run("INSERT INTO model" + more), "1000");
  EXPECT_EQ(Run("UPDATE big SET x = 7 WHERE id % 1000 = 1"), Run("UPDATE model SET x = 7 WHERE id % 1000 = 1"));
  for (int round = 0; round < 2; ++round) {
    for (const std::string query :
         {"SELECT count(*), sum(i), sum(u), sum(f::DECIMAL(18,4)), sum(d), sum(x), count(s) FROM ",
          "SELECT count(*) FROM @ WHERE i = 42", "SELECT count(*) FROM @ WHERE i IN (7, 100000, 298)",
          "SELECT count(*) FROM @ WHERE u > 990", "SELECT count(*) FROM @ WHERE u BETWEEN 4294967296 AND 6000000000",
          "SELECT sum(id) FROM @ WHERE f < 0.2", "SELECT sum(id) FROM @ WHERE f = 0.1",
          "SELECT count(*) FROM @ WHERE d >= 49.9", "SELECT count(*) FROM @ WHERE d IN (0.1, 99999999.5)",
          "SELECT count(*) FROM @ WHERE x = 5", "SELECT count(*), min(id) FROM @ WHERE x > 5",
          "SELECT count(*) FROM @ WHERE s IS NULL", "SELECT count(*) FROM @ WHERE s = 's1'",
          "SELECT sum(a.id) FROM @ a JOIN (VALUES (5000000000), (3)) v(u) USING (u)",
          "SELECT * FROM @ WHERE id IN (1, 4711, 20500) ORDER BY id",
          "SELECT * FROM @ ORDER BY id DESC LIMIT 5 OFFSET 995"}) {
      const auto on = [&](const std::string& table) {
        std::string text = query;
        const size_t at = text.find('@');
        return Run(at == std::string::npos ? text + table : text.replace(at, 1, table));
      };
      EXPECT_EQ(on("big"), on("model")) << query;
    }
    EXPECT_FALSE(Run("CALL yarrow_flush('big')").starts_with("error"));
  }
}

// A constant that has no equal among the narrower numbers must not be rounded to one.
TEST_F(AlterTableSqlTest, FiltersOnWidenedColumnsAreNotRounded) {
  Run("CREATE TABLE w (id INT PRIMARY KEY, i INT, f FLOAT)");
  EXPECT_EQ(Run("INSERT INTO w SELECT range, range % 3, 0.1 FROM range(3000)"), "3000");
  EXPECT_FALSE(Run("CALL yarrow_flush('w')").starts_with("error"));
  EXPECT_EQ(Run("ALTER TABLE w ALTER i TYPE DOUBLE; ALTER TABLE w ALTER f TYPE DOUBLE"), "");
  EXPECT_EQ(Run("SELECT count(*) FROM w WHERE i <> 0.25"), "3000");
  EXPECT_EQ(Run("SELECT count(*) FROM w WHERE i < 0.5"), "1000");
  EXPECT_EQ(Run("SELECT count(*) FROM w WHERE i IN (0.25, 1)"), "1000");
  EXPECT_EQ(Run("SELECT count(*) FROM w WHERE f = 0.1::DOUBLE"), "0");
  EXPECT_EQ(Run("SELECT count(*) FROM w WHERE f > 0.1::DOUBLE"), "3000");
  EXPECT_EQ(Run("SELECT count(*) FROM w JOIN (VALUES (0.25::DOUBLE), (1.75)) v(i) USING (i)"), "0");
  EXPECT_EQ(Run("SELECT i, count(*) FROM w WHERE i > 0.5 GROUP BY i ORDER BY i"), "1.0|1000\n2.0|1000");
}

// Money moves between rows while columns come and go: none is lost, and all that anybody is told is to try again.
TEST_F(AlterTableSqlTest, AlterationsBesideQueries) {
  Run("CREATE TABLE bank (id INT PRIMARY KEY, money INT); INSERT INTO bank SELECT range, 100 FROM range(50)");
  std::atomic<bool> done{false};
  std::atomic<int> moved{0}, read{0};
  const auto expect_retryable = [](const std::string& result) {
    if (result.starts_with("error")) {
      EXPECT_NE(result.find("TransactionContext Error"), std::string::npos) << result;
    }
    return !result.starts_with("error");
  };
  std::thread writer([&] {
    const auto connection = Connect();
    for (int i = 0; !done; ++i) {
      const std::string from = std::to_string(i % 50), to = std::to_string((i * 7 + 1) % 50);
      const bool ok =
          expect_retryable(Run(*connection, "BEGIN; UPDATE bank SET money = money - 1 WHERE id = " + from)) &&
          expect_retryable(Run(*connection, "UPDATE bank SET money = money + 1 WHERE id = " + to));
      if (ok) moved += expect_retryable(Run(*connection, "COMMIT"));
      if (!ok) Run(*connection, "ROLLBACK");
    }
  });
  std::thread reader([&] {
    const auto connection = Connect();
    Run(*connection, "PREPARE total AS SELECT sum(money), count(*) FROM bank");
    while (!done) {
      EXPECT_EQ(Run(*connection, "EXECUTE total"), "5000|50");
      EXPECT_EQ(Run(*connection, "SELECT count(*) FROM (FROM bank WHERE money > -1000)"), "50");
      ++read;
    }
  });
  const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (int round = 0; (round < 20 || moved < 20 || read < 20) && std::chrono::steady_clock::now() < enough; ++round) {
    const std::string name = "c" + std::to_string(round % 3);
    EXPECT_EQ(Run("ALTER TABLE bank ADD " + name + " SMALLINT DEFAULT 1"), "");
    EXPECT_EQ(Run("ALTER TABLE bank ALTER " + name + " TYPE BIGINT"), "");
    if (round % 2 == 0) {
      EXPECT_FALSE(Run("CALL yarrow_flush('bank')").starts_with("error"));
    }
    EXPECT_EQ(Run("ALTER TABLE bank DROP " + name), "");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  done = true;
  writer.join();
  reader.join();
  EXPECT_GE(moved, 20);
  EXPECT_GE(read, 20);
  EXPECT_EQ(Run("SELECT sum(money), count(*) FROM bank"), "5000|50");
}

// What they have read must be all there is.
TEST_F(AlterTableSqlTest, RewritesAndSetNotNullConflictWithRowsOfOthers) {
  for (const std::string change :
       {"ALTER n TYPE VARCHAR", "ALTER n TYPE INT USING length(n)", "ALTER n SET NOT NULL"}) {
    SCOPED_TRACE(change);
    Run("BEGIN");
    EXPECT_EQ(Run("ALTER TABLE t " + change), "");
    EXPECT_EQ(Run(*other_, "INSERT INTO t (id) VALUES (3)"), "1");
    ExpectConflict(Run("COMMIT"), "run the transaction again");
    EXPECT_EQ(Run("SELECT count(*), count(n) FROM t"), "3|2");
    EXPECT_EQ(Run(*other_, "DELETE FROM t WHERE id = 3"), "1");
    // Who wrote before it, and commits after it.
    EXPECT_EQ(Run(*other_, "BEGIN; INSERT INTO t (id) VALUES (4)"), "1");
    EXPECT_EQ(Run("ALTER TABLE t " + change), "");
    ExpectConflict(Run(*other_, "COMMIT"), "");
    EXPECT_EQ(Run("SELECT count(*), count(n) FROM t"), "2|2");
    // A flush moves rows and changes none.
    Run("BEGIN; SELECT count(*) FROM t; ALTER TABLE t ALTER note TYPE BLOB USING note::BLOB");
    EXPECT_FALSE(Run(*other_, "CALL yarrow_flush('t')").starts_with("error"));
    EXPECT_EQ(Run("COMMIT"), "");
    EXPECT_EQ(Run("ALTER TABLE t ALTER note TYPE VARCHAR USING note::VARCHAR; FROM t WHERE id = 1").substr(0, 2), "1|");
  }
}

TEST_F(AlterTableSqlTest, ARewriteThatFailsLeavesTheTableAndAFailedJob) {
  Run("INSERT INTO t SELECT i, i, 'n' || i FROM range(10, 5000) r(i)");
  EXPECT_NE(Run("ALTER TABLE t ALTER note TYPE INT USING replace(note, 'n', '')::INT").find("'oe'"), std::string::npos);
  EXPECT_EQ(Run("SELECT count(*), count(DISTINCT note) FROM t"), "4992|4992");
  EXPECT_EQ(Run("SELECT kind, state FROM y.system.jobs ORDER BY job_id DESC LIMIT 1"), "rewrite|cancelled");
  EXPECT_EQ(Run("SELECT count(*) FROM y.system.tables"), "1");
  Run("CREATE TABLE u (id INT PRIMARY KEY, n INT) WITH (kind = 'user')");
  EXPECT_NE(Run("ALTER TABLE y.main.u ALTER n TYPE VARCHAR").find("sees those of its own user alone"),
            std::string::npos);
}

// A table that is rewritten again and again beside writers loses none of their rows, and none comes twice.
TEST_F(AlterTableSqlTest, RewritesBesideQueriesLoseNoRow) {
  Run("CREATE TABLE log (id INT PRIMARY KEY, v INT); INSERT INTO log VALUES (0, 1)");
  std::atomic<bool> done{false};
  std::atomic<int64_t> written{1};
  std::thread writer([&] {
    const auto connection = Connect();
    while (!done) {
      const std::string insert = "INSERT INTO log VALUES (" + std::to_string(written) + ", 1)";
      if (!Run(*connection, insert).starts_with("error")) ++written;
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
  });
  int rewritten = 0;
  const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while ((rewritten < 6 || written < 20) && std::chrono::steady_clock::now() < enough) {
    if (!Run("ALTER TABLE log ALTER v TYPE INT USING v + 1").starts_with("error")) ++rewritten;
    if (rewritten % 2 == 1) Run("CALL yarrow_flush('log')");
  }
  done = true;
  writer.join();
  EXPECT_GT(rewritten, 0);
  EXPECT_GT(written, 1);
  const std::string rows = std::to_string(written);
  EXPECT_EQ(Run("SELECT count(*), count(DISTINCT id), max(v) FROM log"),
            rows + "|" + rows + "|" + std::to_string(1 + rewritten));
}

}  // namespace
}  // namespace yarrow::sql
