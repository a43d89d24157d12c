// Statements that name a row by parameters for its whole key: planned once, and right for whatever values come.
#include <gtest/gtest.h>

#include <duckdb/main/prepared_statement.hpp>
#include <duckdb/main/prepared_statement_data.hpp>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class PointPlanTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    EXPECT_EQ(Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT, name VARCHAR)"), "");
    EXPECT_EQ(Run("INSERT INTO t SELECT range, range * 10, 'n' || range FROM range(1000)"), "1000");
    EXPECT_EQ(Run("CREATE TABLE c (a INTEGER, b VARCHAR, v INTEGER, PRIMARY KEY (a, b))"), "");
    EXPECT_EQ(Run("INSERT INTO c SELECT range // 10, chr(97 + (range % 10)::INTEGER), range FROM range(100)"), "100");
  }
  std::unique_ptr<duckdb::PreparedStatement> Prepare(const std::string& sql) {
    auto prepared = connection_->Prepare(sql);
    EXPECT_FALSE(prepared->HasError()) << prepared->GetError();
    return std::unique_ptr<duckdb::PreparedStatement>(prepared.release());
  }
  static bool IsPlannedOnce(const duckdb::PreparedStatement& statement) {
    return !statement.data->properties.always_require_rebind && statement.data->physical_plan != nullptr;
  }
  template <class... Values>
  static std::string Execute(duckdb::PreparedStatement& statement, Values... values) {
    const auto result = statement.Execute(values...);
    if (result->HasError()) return "error: " + result->GetError();
    std::string text;
    while (auto chunk = result->Fetch()) {
      for (duckdb::idx_t row = 0; row < chunk->size(); ++row) {
        if (!text.empty()) text += "\n";
        for (duckdb::idx_t c = 0; c < chunk->ColumnCount(); ++c) {
          if (c > 0) text += '|';
          text += chunk->GetValue(c, row).ToString();
        }
      }
    }
    return text;
  }
  static duckdb::Value Null(const duckdb::LogicalType& type) { return duckdb::Value(type); }
};

TEST_F(PointPlanTest, OnlyWholeKeysArePlannedOnce) {
  for (const char* sql :
       {"SELECT * FROM t WHERE id = ?", "SELECT v + 1 FROM t WHERE ? = id AND v > 3 LIMIT 1",
        "UPDATE t SET v = v + 1 WHERE id = ?", "UPDATE t SET v = ?, name = 'x' WHERE id = ?",
        "DELETE FROM t WHERE id = $1", "SELECT v FROM c WHERE b = ? AND a = ?", "SELECT v FROM c WHERE a = 3 AND b = ?",
        "UPDATE c SET v = 1 WHERE a = ? AND b = ? RETURNING *"}) {
    EXPECT_TRUE(IsPlannedOnce(*Prepare(sql))) << sql;
  }
  for (const char* sql :
       {"SELECT * FROM t WHERE id > ?", "SELECT v FROM c WHERE a = ?", "SELECT * FROM t WHERE id = ? OR v = 1",
        "SELECT * FROM t, c WHERE id = ? AND t.v = c.v", "SELECT * FROM t WHERE v = ?"}) {
    EXPECT_FALSE(IsPlannedOnce(*Prepare(sql))) << sql;
  }
}

// A kept plan would let a scan of t begin with the filter of the execution before.
TEST_F(PointPlanTest, ValuesOfAUniqueIndexNameARowToo) {
  EXPECT_EQ(Run("CREATE TABLE u (id INTEGER PRIMARY KEY, email VARCHAR UNIQUE, a INTEGER, b INTEGER)"), "");
  EXPECT_EQ(Run("INSERT INTO u SELECT range, 'e' || range, range % 10, range FROM range(1000)"), "1000");
  EXPECT_EQ(Run("CREATE UNIQUE INDEX by_ab ON u (a, b)"), "");
  EXPECT_EQ(Run("CREATE INDEX by_b ON u (b)"), "");
  for (int tier = 0; tier < 2; ++tier) {
    const auto by_email = Prepare("SELECT id FROM u WHERE email = ?"),
               by_ab = Prepare("SELECT id FROM u WHERE b = ? AND a = ?");
    EXPECT_TRUE(IsPlannedOnce(*by_email));
    EXPECT_TRUE(IsPlannedOnce(*by_ab));
    EXPECT_FALSE(IsPlannedOnce(*Prepare("SELECT id FROM u WHERE b = ?")));
    EXPECT_EQ(Execute(*by_email, "e17"), "17");
    EXPECT_EQ(Execute(*by_email, "nobody"), "");
    EXPECT_EQ(Execute(*by_email, Null(duckdb::LogicalType::VARCHAR)), "");
    EXPECT_EQ(Execute(*by_ab, 25, 5), "25");
    EXPECT_EQ(Execute(*by_ab, 25, 6), "");
    Run("CALL yarrow_flush('u')");
  }
}

TEST_F(PointPlanTest, ComparisonsOfNestedValuesStayAbove) {
  EXPECT_EQ(Run("CREATE TABLE l (id INTEGER PRIMARY KEY, list INTEGER[])"), "");
  EXPECT_EQ(Run("INSERT INTO l VALUES (1, [1, 2]), (2, [3])"), "2");
  const auto prepared = Prepare("SELECT list FROM l WHERE id = $1 AND list = [1, $2::INTEGER]");
  EXPECT_EQ(Execute(*prepared, 1, 2), "[1, 2]");
  EXPECT_EQ(Execute(*prepared, 1, 3), "");
  EXPECT_EQ(Run("PREPARE pair AS SELECT id FROM l WHERE id = $1 AND list = $2::INTEGER[]"), "");
  EXPECT_EQ(Run("EXECUTE pair(1, [1, 2])"), "1");
}

TEST_F(PointPlanTest, JoinsArePlannedAnew) {
  for (const char* sql : {"SELECT count(*) FROM t JOIN c ON t.v = c.v", "SELECT * FROM t WHERE id IN (SELECT v FROM c)",
                          "SELECT count(*) FROM t JOIN (VALUES (1), (2)) k(x) ON t.id = k.x",
                          "UPDATE t SET v = s.m FROM (SELECT a, max(v) AS m FROM c GROUP BY a) s WHERE t.id = s.a"}) {
    EXPECT_TRUE(Prepare(sql)->data->properties.always_require_rebind) << sql;
  }
  EXPECT_TRUE(IsPlannedOnce(*Prepare("SELECT count(*), max(v) FROM t WHERE v > 3")));
  Run("SET threads = 4");
  EXPECT_EQ(Run("CREATE TABLE k (x BIGINT)"), "");
  const auto join =
      Prepare("SELECT s.m FROM (SELECT v % 1000 AS j, max(id) AS m FROM t GROUP BY ALL) s JOIN k ON s.j = k.x");
  for (int64_t x = 0; x < 100; ++x) {
    Run("DELETE FROM k");
    Run("INSERT INTO k VALUES (" + std::to_string(x * 10) + ")");
    ASSERT_EQ(Execute(*join), std::to_string(900 + x));
  }
}

TEST_F(PointPlanTest, EachExecutionReadsItsOwnRow) {
  const auto select = Prepare("SELECT v, name FROM t WHERE id = ?");
  for (int64_t id : {3, 999, 0}) {
    EXPECT_EQ(Execute(*select, id), std::to_string(id * 10) + "|n" + std::to_string(id));
  }
  EXPECT_EQ(Execute(*select, int64_t{1000}), "");
  EXPECT_EQ(Execute(*select, Null(duckdb::LogicalType::BIGINT)), "");
  EXPECT_EQ(Execute(*select, 7), "70|n7");  // an INTEGER
  EXPECT_EQ(Execute(*select, "8"), "80|n8");
  EXPECT_TRUE(Execute(*select, "eight").starts_with("error: Conversion Error"));
  const auto both = Prepare("SELECT v FROM c WHERE b = ? AND a = ? AND v <> 42");
  EXPECT_EQ(Execute(*both, "c", 4), "");
  EXPECT_EQ(Execute(*both, "d", 4), "43");
}

TEST_F(PointPlanTest, VisitsOneRow) {
  EXPECT_EQ(Run("PREPARE p AS SELECT v FROM t WHERE id = $1"), "");
  EXPECT_EQ(Run("EXECUTE p(5)"), "50");
  const std::string plan = Run("EXPLAIN ANALYZE EXECUTE p(6)");
  EXPECT_NE(plan.find("Rows visited"), std::string::npos) << plan;
  const auto select = Prepare("SELECT v FROM t WHERE id = ?");
  EXPECT_EQ(Run("SET enable_profiling = 'no_output'"), "");
  EXPECT_EQ(Execute(*select, int64_t{6}), "60");
  const std::string profile = connection_->GetProfilingInformation(duckdb::ProfilerPrintFormat::JSON);
  const size_t at = profile.find("\"Rows visited\"");
  ASSERT_NE(at, std::string::npos) << profile;
  EXPECT_EQ(profile.substr(profile.find(':', at), 5), ": \"1\"") << profile.substr(at, 80);
}

TEST_F(PointPlanTest, ChangesAreSeenByTheNextExecution) {
  const auto select = Prepare("SELECT v FROM t WHERE id = ?");
  const auto update = Prepare("UPDATE t SET v = ? WHERE id = ?");
  const auto remove = Prepare("DELETE FROM t WHERE id = ?");
  EXPECT_EQ(Execute(*update, int64_t{-1}, int64_t{5}), "1");
  EXPECT_EQ(Execute(*select, int64_t{5}), "-1");
  EXPECT_EQ(Execute(*update, Null(duckdb::LogicalType::BIGINT), int64_t{5}), "1");
  EXPECT_EQ(Execute(*select, int64_t{5}), "NULL");
  EXPECT_EQ(Execute(*remove, int64_t{5}), "1");
  EXPECT_EQ(Execute(*remove, int64_t{5}), "0");
  EXPECT_EQ(Execute(*select, int64_t{5}), "");

  Run("BEGIN");
  EXPECT_EQ(Execute(*update, int64_t{-6}, int64_t{6}), "1");
  EXPECT_EQ(Execute(*select, int64_t{6}), "-6");
  EXPECT_EQ(Run(*Connect(), "SELECT v FROM t WHERE id = 6"), "60");
  Run("ROLLBACK");
  EXPECT_EQ(Execute(*select, int64_t{6}), "60");

  EXPECT_EQ(Run("UPDATE t SET id = 5 WHERE id = 6"), "1");
  EXPECT_EQ(Execute(*select, int64_t{5}), "60");
}

TEST_F(PointPlanTest, TheSameInBothTiers) {
  const auto select = Prepare("SELECT v, name FROM t WHERE id = ?");
  const auto update = Prepare("UPDATE t SET v = v + 1 WHERE id = ?");
  EXPECT_EQ(Execute(*select, int64_t{77}), "770|n77");
  EXPECT_FALSE(Run("CALL yarrow_flush('main.t')").starts_with("error"));
  EXPECT_EQ(Execute(*select, int64_t{77}), "770|n77");
  EXPECT_EQ(Execute(*update, int64_t{77}), "1");
  EXPECT_EQ(Execute(*select, int64_t{77}), "771|n77");
}

TEST_F(PointPlanTest, ATableThatIsDroppedAndMadeAnewIsPlannedAnew) {
  const auto select = Prepare("SELECT * FROM t WHERE id = ?");
  EXPECT_EQ(Execute(*select, int64_t{1}), "1|10|n1");
  EXPECT_EQ(Run("DROP TABLE t"), "");
  EXPECT_TRUE(Execute(*select, int64_t{1}).find("does not exist") != std::string::npos);
  EXPECT_EQ(Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT, name VARCHAR)"), "");
  EXPECT_EQ(Execute(*select, int64_t{1}), "");
  EXPECT_EQ(Run("INSERT INTO t VALUES (1, 2, 'three')"), "1");
  EXPECT_EQ(Execute(*select, int64_t{1}), "1|2|three");
}

TEST_F(PointPlanTest, WithoutOptimizersToo) {
  Run("PRAGMA disable_optimizer");
  const auto select = Prepare("SELECT name FROM t WHERE id = ?");
  EXPECT_EQ(Execute(*select, int64_t{12}), "n12");
  EXPECT_EQ(Execute(*select, int64_t{13}), "n13");
}

}  // namespace
}  // namespace yarrow::sql
