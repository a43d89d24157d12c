// MERGE INTO and UPDATE ... FROM: which WHEN clause takes a row, and that a row is changed, counted and returned once.
#include <gtest/gtest.h>

#include <set>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class MergeIntoTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    Run("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
    Run("INSERT INTO t SELECT i, 10 * i FROM range(1, 5) r(i)");
  }
  std::string Rows() { return Run("SELECT string_agg(id || ':' || v, ' ' ORDER BY id) FROM t"); }
};

TEST_F(MergeIntoTest, TheFirstClauseThatHoldsTakesTheRow) {
  // A clause without condition leaves nothing to those behind.
  EXPECT_EQ(Run("MERGE INTO t USING (VALUES (1), (2), (9)) s(id) USING (id) "
                "WHEN MATCHED AND id = 1 THEN UPDATE SET v = 0 WHEN MATCHED THEN DO NOTHING "
                "WHEN MATCHED AND id = 2 THEN DELETE WHEN NOT MATCHED THEN DO NOTHING "
                "WHEN NOT MATCHED AND id > 5 THEN INSERT VALUES (id, 5)"),
            "1");
  EXPECT_EQ(Rows(), "1:0 2:20 3:30 4:40");
  EXPECT_EQ(Run("MERGE INTO t USING (VALUES (1), (2)) s(id) USING (id) WHEN MATCHED THEN UPDATE SET v = v + 1 "
                "WHEN MATCHED AND id = 1 THEN DELETE WHEN MATCHED AND id = 2 THEN ERROR"),
            "2");
  EXPECT_EQ(Rows(), "1:1 2:21 3:30 4:40");
  // Conditions of several parts, and one that is NULL.
  EXPECT_EQ(
      Run("MERGE INTO t USING range(1, 5) s(id) ON t.id = s.id WHEN MATCHED AND NULL THEN DELETE "
          "WHEN MATCHED AND (t.id = 1 OR t.v = 40) AND t.v < 50 THEN UPDATE SET v = -1 "
          "WHEN MATCHED AND t.id < 3 THEN DELETE WHEN MATCHED THEN UPDATE SET v = -2 RETURNING merge_action, id, v"),
      "UPDATE|1|-1\nUPDATE|4|-1\nDELETE|2|21\nUPDATE|3|-2");
  EXPECT_EQ(Rows(), "1:-1 3:-2 4:-1");
  EXPECT_EQ(Run("MERGE INTO t USING (VALUES (3)) s(id) USING (id) WHEN NOT MATCHED BY SOURCE AND t.id = 1 THEN DELETE "
                "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = 7 WHEN NOT MATCHED BY SOURCE AND t.id = 4 THEN DELETE"),
            "2");
  EXPECT_EQ(Rows(), "3:-2 4:7");
}

// Where a clause stood is known to prepared statements as well.
TEST_F(MergeIntoTest, ClausesOfPreparedStatementsKeepTheirOrder) {
  const std::string merge =
      "MERGE INTO t USING (VALUES (1), (2)) s(id) USING (id) WHEN MATCHED AND CASE WHEN id = 1 THEN true END /* WHEN "
      "MATCHED THEN */ THEN UPDATE SET v = 5 WHEN MATCHED THEN DO NOTHING WHEN MATCHED AND v > 0 THEN DELETE";
  const auto prepared = connection_->Prepare(merge);
  ASSERT_FALSE(prepared->HasError()) << prepared->GetError();
  for (int round = 0; round < 2; ++round) {
    const auto result = prepared->Execute();
    ASSERT_FALSE(result->HasError()) << result->GetError();
    EXPECT_EQ(Rows(), "1:5 2:20 3:30 4:40");
  }
  EXPECT_EQ(Run("SELECT 1; " + merge), "1");
  EXPECT_EQ(Rows(), "1:5 2:20 3:30 4:40");
  EXPECT_NE(Run("PREPARE p AS " + merge).find("syntax error"), std::string::npos);  // EXECUTE would have no such text
}

TEST_F(MergeIntoTest, ARowIsChangedCountedAndReturnedOnce) {
  const std::string twice = "(VALUES (1, 5), (1, 5), (2, 6), (2, 6), (2, 6), (7, 8)) s(id, n)";
  for (const char* tier : {"hot", "cold"}) {
    SCOPED_TRACE(tier);
    if (tier == std::string("cold")) {
      ASSERT_EQ(Run("SELECT rows FROM yarrow_flush('main.t')"), "4");
    }
    EXPECT_EQ(Run("UPDATE t SET v = n FROM " + twice + " WHERE t.id = s.id"), "2");
    EXPECT_EQ(Rows(), "1:5 2:6 3:30 4:40");
    EXPECT_EQ(Run("SELECT id, v FROM (UPDATE t SET v = v + 1 FROM " + twice + " WHERE t.id = s.id RETURNING t.id, v)")
                  .substr(0, 5),
              "error");
    const auto sorted = [&](const std::string& sql) {
      const auto result = connection_->Query(sql);
      EXPECT_FALSE(result->HasError()) << result->GetError();
      std::multiset<std::string> rows;
      for (duckdb::idx_t i = 0; i < result->RowCount(); ++i) {
        rows.insert(result->GetValue(0, i).ToString() + "=" + result->GetValue(1, i).ToString());
      }
      return rows;
    };
    EXPECT_EQ(sorted("UPDATE t SET v = v + 1 FROM " + twice + " WHERE t.id = s.id RETURNING t.id, v"),
              (std::multiset<std::string>{"1=6", "2=7"}));
    EXPECT_EQ(Rows(), "1:6 2:7 3:30 4:40");
    EXPECT_EQ(Run("UPDATE t SET v = v + 1 FROM range(5000) WHERE id < 3"), "2");
    EXPECT_EQ(Rows(), "1:7 2:8 3:30 4:40");
    EXPECT_EQ(Run("MERGE INTO t USING " + twice + " ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = v + 1"), "2");
    EXPECT_EQ(sorted("MERGE INTO t USING " + twice +
                     " ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = v + 1 "
                     "RETURNING id, v"),
              (std::multiset<std::string>{"1=9", "2=10"}));
    EXPECT_EQ(Rows(), "1:9 2:10 3:30 4:40");
    // Moved to another key, a row is changed as well.
    EXPECT_EQ(Run("UPDATE t SET id = t.id + 100 FROM " + twice + " WHERE t.id = s.id"), "2");
    EXPECT_EQ(Rows(), "3:30 4:40 101:9 102:10");
    EXPECT_EQ(Run("UPDATE t SET id = id - 100, v = 10 * (id - 100) FROM range(3) WHERE id > 100"), "2");
    EXPECT_EQ(Rows(), "1:10 2:20 3:30 4:40");
  }
}

TEST_F(MergeIntoTest, OfTwoClausesForOneRowOneChangesIt) {
  EXPECT_EQ(Run("MERGE INTO t USING (VALUES (1, 'u'), (1, 'd'), (2, 'n'), (2, 'd')) s(id, what) ON t.id = s.id "
                "WHEN MATCHED AND what = 'u' THEN UPDATE SET v = 0 WHEN MATCHED AND what = 'd' THEN DELETE "
                "WHEN MATCHED THEN DO NOTHING RETURNING merge_action, id"),
            "UPDATE|1\nDELETE|2");
  EXPECT_EQ(Rows(), "1:0 3:30 4:40");
  // Rows that are inserted are none of the table's yet.
  EXPECT_NE(Run("MERGE INTO t USING (VALUES (8), (8)) s(id) USING (id) WHEN NOT MATCHED THEN INSERT VALUES (id, 1)")
                .find("key (8)"),
            std::string::npos);
  EXPECT_EQ(Rows(), "1:0 3:30 4:40");
}

TEST_F(MergeIntoTest, InATransactionEachStatementChangesARowAnew) {
  Run("BEGIN");
  const std::string update = "UPDATE t SET v = v + 1 FROM range(3) WHERE id = 1";
  EXPECT_EQ(Run(update), "1");
  EXPECT_EQ(Run(update), "1");
  EXPECT_EQ(Run("MERGE INTO t USING (VALUES (1), (1)) s(id) USING (id) WHEN MATCHED THEN UPDATE SET v = v + 1"), "1");
  EXPECT_EQ(Run("COMMIT; SELECT v FROM t WHERE id = 1"), "13");
}

TEST_F(MergeIntoTest, ManyRows) {
  Run("CREATE TABLE many (id INTEGER PRIMARY KEY, v INTEGER); INSERT INTO many SELECT i, 0 FROM range(20000) r(i)");
  EXPECT_EQ(Run("MERGE INTO many USING (SELECT range // 2 AS id, range AS n FROM range(60000)) s ON many.id = s.id "
                "WHEN MATCHED AND many.id % 3 = 0 THEN DELETE WHEN MATCHED AND many.id % 3 = 1 THEN UPDATE SET v = 1 "
                "WHEN NOT MATCHED AND n % 2 = 0 THEN INSERT VALUES (s.id, 2)"),
            "23334");
  EXPECT_EQ(Run("SELECT v, count(*) FROM many GROUP BY v ORDER BY v"), "0|6666\n1|6667\n2|10000");
}

TEST_F(MergeIntoTest, AConflictIsMetOnce) {
  EXPECT_EQ(Run("INSERT INTO t VALUES (1, 7), (1, 8), (6, 9) ON CONFLICT DO UPDATE SET v = t.v + excluded.v"), "2");
  EXPECT_EQ(Rows(), "1:17 2:20 3:30 4:40 6:9");
  // The keys are one only as the column's type.
  Run("CREATE TABLE all_key (id INT PRIMARY KEY); INSERT INTO all_key VALUES (1)");
  EXPECT_EQ(Run("INSERT OR REPLACE INTO all_key BY NAME SELECT range::INT AS id FROM range(3)").find("error"),
            std::string::npos);
  EXPECT_EQ(Run("SELECT count(*) FROM all_key"), "3");
  EXPECT_EQ(Run("INSERT INTO t BY NAME SELECT unnest(['2', '02']) AS id, 1 AS v ON CONFLICT DO UPDATE SET v = t.v + 1"),
            "1");
  EXPECT_EQ(Rows(), "1:17 2:21 3:30 4:40 6:9");
}

}  // namespace
}  // namespace yarrow::sql
