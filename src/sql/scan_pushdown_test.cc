// What goes into the scan, by the rows it visits and passes; and that nothing goes there that may not.
#include <gtest/gtest.h>

#include <cctype>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class ScanPushdownTest : public test::SqlFixture {
 protected:
  static constexpr int kRows = 200000;

  // Large enough to be read in many pieces.
  void SetUp() override {
    SqlFixture::SetUp();
    Run("SET threads = 4");
    ASSERT_OK(database_->SetSetting("rows_to_segment", "0"));
    EXPECT_EQ(Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT, name VARCHAR, pad VARCHAR)"), "");
    EXPECT_EQ(Run("INSERT INTO t SELECT range, (range * 7919) % 200000, 'n' || (range % 100), repeat('p', 400) "
                  "FROM range(200000)"),
              "200000");
    EXPECT_EQ(Run("CREATE TABLE c (a INTEGER, b VARCHAR, v INTEGER, PRIMARY KEY (a, b))"), "");
    EXPECT_EQ(Run("INSERT INTO c SELECT range // 10, chr(97 + (range % 10)::INTEGER), range FROM range(1000)"), "1000");
  }
  // A figure of EXPLAIN ANALYZE, of all scans of the query.
  int64_t Visited(const std::string& sql) { return Figure("Rows visited", sql); }
  bool Sorts(const std::string& sql) { return Run("EXPLAIN " + sql).find("ORDER_BY") != std::string::npos; }
};

TEST_F(ScanPushdownTest, LimitsAndTopNByKeyVisitWhatTheyReturn) {
  EXPECT_EQ(Visited("SELECT * FROM t LIMIT 10"), 10);
  EXPECT_EQ(Visited("SELECT v FROM t LIMIT 10 OFFSET 5"), 15);
  EXPECT_EQ(Visited("SELECT v FROM t ORDER BY id LIMIT 10"), 10);
  EXPECT_EQ(Visited("SELECT v + 1 FROM t ORDER BY id DESC LIMIT 3 OFFSET 2"), 5);
  EXPECT_EQ(Run("SELECT id FROM t ORDER BY id DESC LIMIT 3 OFFSET 2"), "199997\n199996\n199995");
  EXPECT_EQ(Visited("SELECT * FROM t WHERE id > 1000 ORDER BY id LIMIT 2"), 2);
  EXPECT_EQ(Run("SELECT id FROM t WHERE id > 1000 ORDER BY id, name DESC LIMIT 2"), "1001\n1002");
  EXPECT_EQ(Visited("SELECT * FROM t WHERE id > 1000 ORDER BY id, name DESC LIMIT 2"), 2);
  EXPECT_EQ(Visited("SELECT * FROM c ORDER BY a DESC, b DESC LIMIT 4"), 4);
  EXPECT_EQ(Run("SELECT a, b FROM c ORDER BY a DESC, b DESC LIMIT 2"), "99|j\n99|i");
  EXPECT_EQ(Visited("SELECT * FROM c ORDER BY a LIMIT 4"), 4);
  // A key column that is held at one value may be left out.
  EXPECT_EQ(Visited("SELECT * FROM c WHERE a = 7 ORDER BY b DESC LIMIT 2"), 2);
  EXPECT_EQ(Run("SELECT v FROM c WHERE a = 7 ORDER BY b DESC LIMIT 2"), "79\n78");
}

TEST_F(ScanPushdownTest, MinAndMaxOfTheKeyReadOneRowEach) {
  const auto expect = [&](const std::string& sql, const std::string& answer, int64_t visited) {
    EXPECT_EQ(Run(sql), answer) << sql;
    EXPECT_EQ(Visited(sql), visited) << sql;
  };
  for (const bool is_cold : {false, true}) {
    if (is_cold) Run("CALL yarrow_flush('t', max_segment_rows = 30000)");
    if (is_cold) Run("CALL yarrow_flush('c', max_segment_rows = 300)");
    expect("SELECT min(id) FROM t", "0", 1);
    expect("SELECT max(id) + 1 FROM t", "200000", 1);
    expect("SELECT min(id), max(id), max(id) - min(id) FROM t", "0|199999|199999", 2);
    expect("SELECT max(id) FROM t WHERE id < 777", "776", 1);
    expect("SELECT min(id), max(id) FROM t WHERE id BETWEEN 100 AND 199", "100|199", 2);
    expect("SELECT min(a), max(a) FROM c", "0|99", 2);
    expect("SELECT min(b), max(b) FROM c WHERE a = 7", "a|j", 2);
    expect("SELECT (SELECT min(id) FROM t), (SELECT max(a) FROM c)", "0|99", 2);
    EXPECT_EQ(Run("SELECT min(id), max(id) FROM t WHERE id > 300000"), "NULL|NULL");
    // Others have to look at all rows.
    EXPECT_EQ(Run("SELECT min(b), max(b) FROM c"), "a|j");
    EXPECT_EQ(Run("SELECT max(id) FROM t WHERE v = 7919"), "1");
    EXPECT_EQ(Run("SELECT min(a), max(a) FROM c WHERE b = 'c'"), "0|99");
    EXPECT_EQ(Run("SELECT min(id), max(id) FROM t WHERE id % 100000 = 99999"), "99999|199999");
    for (const std::string where : {"v = 7919", "id % 1000 = 999"}) {
      EXPECT_EQ(Run("EXPLAIN SELECT min(id), max(id) FROM t WHERE " + where).find("UNION"), std::string::npos) << where;
    }
    EXPECT_EQ(Run("EXPLAIN SELECT min(a), max(a) FROM c WHERE b = 'c'").find("UNION"), std::string::npos);
    EXPECT_NE(Run("EXPLAIN SELECT min(a), max(a) FROM c WHERE a > 3").find("UNION"), std::string::npos);
    EXPECT_EQ(Run("SELECT min(id), count(*) FROM t"), "0|200000");
    EXPECT_EQ(Run("SELECT max(a) FILTER (WHERE v < 500) FROM c"), "49");
    EXPECT_EQ(Run("SELECT b, max(a) FROM c GROUP BY b ORDER BY b LIMIT 1"), "a|99");
    // What a transaction has written counts.
    Run("BEGIN; INSERT INTO t VALUES (-5, 1, 'n', 'p'); DELETE FROM t WHERE id > 150000");
    expect("SELECT min(id), max(id) FROM t", "-5|150000", 2);
    Run("ROLLBACK");
  }
}

TEST_F(ScanPushdownTest, TombstonesAreCountedAndSteppedOverOnce) {
  Run("DELETE FROM t WHERE id < 150000");
  const std::string first = "SELECT id FROM t ORDER BY id LIMIT 1", all = "SELECT count(*) FROM t WHERE v >= 0";
  EXPECT_GE(Figure("Tombstones stepped over", first), 1000) << "RocksDB may have compacted some already";
  EXPECT_EQ(Figure("Tombstones stepped over", first), 0);
  EXPECT_EQ(Visited(first), 1);
  EXPECT_EQ(Run(first), "150000");
  EXPECT_LE(Figure("Tombstones stepped over", all), 1000) << "some at each morsel's begin";
  EXPECT_EQ(Run(all), "50000");
  Run("INSERT INTO t VALUES (75000, 1, 'n', 'p')");
  EXPECT_EQ(Run(first), "75000");
}

TEST_F(ScanPushdownTest, OtherOrdersAreSorted) {
  EXPECT_EQ(Run("SELECT a, b FROM c ORDER BY a DESC, b LIMIT 2"), "99|a\n99|b");
  EXPECT_EQ(Run("SELECT a, b FROM c ORDER BY b, a LIMIT 2"), "0|a\n1|a");
  EXPECT_EQ(Run("SELECT a, b FROM c WHERE a >= 7 ORDER BY b, a LIMIT 2"), "7|a\n8|a");
  EXPECT_EQ(Run("SELECT id FROM t ORDER BY -id LIMIT 2"), "199999\n199998");
  EXPECT_EQ(Run("SELECT id FROM t WHERE id < 5 ORDER BY id % 2, id"), "0\n2\n4\n1\n3");
  Run("CREATE TABLE w (name VARCHAR PRIMARY KEY)");
  Run("INSERT INTO w VALUES ('b'), ('A'), ('c'), ('B2')");
  EXPECT_EQ(Run("SELECT * FROM w ORDER BY name"), "A\nB2\nb\nc");
  EXPECT_EQ(Run("SELECT * FROM w ORDER BY name COLLATE NOCASE"), "A\nb\nB2\nc");
  EXPECT_EQ(Run("SELECT * FROM w ORDER BY name COLLATE NOCASE DESC LIMIT 2"), "c\nB2");
  Run("SET default_collation = 'nocase'");
  EXPECT_EQ(Run("SELECT * FROM w ORDER BY name"), "A\nb\nB2\nc");
  EXPECT_EQ(Run("SELECT * FROM w ORDER BY name LIMIT 2"), "A\nb");
}

TEST_F(ScanPushdownTest, AResultInKeyOrderIsNotSorted) {
  for (const char* direction : {"", " DESC"}) {
    const std::string sql = std::string("SELECT id FROM t WHERE v % 3 = 0 ORDER BY id") + direction;
    EXPECT_FALSE(Sorts(sql));
    const auto result = connection_->Query(sql);
    ASSERT_FALSE(result->HasError()) << result->GetError();
    int64_t last = *direction == '\0' ? -1 : kRows;
    for (duckdb::idx_t i = 0; i < result->RowCount(); ++i) {
      const auto id = result->GetValue(0, i).GetValue<int64_t>();
      ASSERT_TRUE(*direction == '\0' ? id > last : id < last) << i;
      last = id;
    }
    EXPECT_EQ(result->RowCount(), 66667u);
  }
  EXPECT_FALSE(Sorts("SELECT v, name FROM t ORDER BY id"));
  EXPECT_TRUE(Sorts("SELECT row_number() OVER () FROM (SELECT id FROM t ORDER BY id DESC)"));
  Run("SET preserve_insertion_order = false");
  EXPECT_FALSE(Sorts("SELECT id FROM t ORDER BY id"));
  EXPECT_EQ(Run("SELECT id FROM t WHERE v < 40000 ORDER BY id DESC LIMIT 1"),
            Run("SELECT max(id) FROM t WHERE v < 40000"));
}

// A plan may be made under another setting than it runs under.
TEST_F(ScanPushdownTest, AResultInKeyOrderKeepsItUnderAnySetting) {
  for (const char* planned : {"true", "false"}) {
    for (const char* run : {"true", "false"}) {
      Run(std::string("SET preserve_insertion_order = ") + planned);
      auto prepared = connection_->Prepare("SELECT id FROM t WHERE v >= 0 ORDER BY id DESC");
      ASSERT_FALSE(prepared->HasError()) << prepared->GetError();
      Run(std::string("SET preserve_insertion_order = ") + run);
      for (const bool streams : {false, true}) {
        duckdb::vector<duckdb::Value> no_values;
        const auto result = prepared->Execute(no_values, streams);
        ASSERT_FALSE(result->HasError()) << result->GetError();
        int64_t next = kRows;
        while (const auto chunk = result->Fetch()) {
          for (duckdb::idx_t i = 0; i < chunk->size(); ++i) {
            ASSERT_EQ(chunk->GetValue(0, i).GetValue<int64_t>(), --next) << planned << " " << run << " " << streams;
          }
        }
        EXPECT_EQ(next, 0);
      }
    }
  }
}

TEST_F(ScanPushdownTest, AFilterUnderLimitGivesTheFirstRows) {
  // Hits get denser towards the end: threads that read there must not win.
  const std::string filter = "WHERE v >= 0 AND (id % 40000 = 39999 OR id > 150000)";
  EXPECT_EQ(Run("SELECT id FROM t " + filter + " LIMIT 5"), "39999\n79999\n119999\n150001\n150002");
  EXPECT_EQ(Run("SELECT id FROM t WHERE name = 'n7' LIMIT 3"), "7\n107\n207");
  EXPECT_EQ(Run("SELECT id FROM t WHERE name = 'n7' ORDER BY id DESC LIMIT 3"), "199907\n199807\n199707");
  Run("SET threads = 1");
  EXPECT_EQ(Visited("SELECT id FROM t WHERE name = 'n7' LIMIT 3"), 208);
}

TEST_F(ScanPushdownTest, BoundsFoundAtRunTimeReachTheScan) {
  Run("SET threads = 1");
  EXPECT_EQ(Run("SELECT v FROM t ORDER BY v LIMIT 3"), "0\n1\n2");
  EXPECT_LT(Figure("Rows passed", "SELECT pad FROM t ORDER BY v LIMIT 3"), 20000);
  // On the key, in another order than the key's: whole pieces are left out.
  EXPECT_LT(Visited("SELECT v FROM t ORDER BY id, v LIMIT 3"), 10);
  EXPECT_LT(Figure("Rows passed", "SELECT name FROM t ORDER BY v DESC NULLS FIRST LIMIT 3"), 20000);
  EXPECT_EQ(Visited("SELECT t.v FROM t JOIN (VALUES (5::BIGINT), (70000)) k(id) ON t.id = k.id"), 2);
  EXPECT_EQ(Run("SELECT t.v FROM t JOIN (VALUES (5::BIGINT), (70000)) k(id) ON t.id = k.id ORDER BY ALL"),
            "39595\n130000");
  EXPECT_EQ(Visited("SELECT x.v FROM t x JOIN t y ON x.rowid = y.rowid AND y.id = 70000"), 2);
}

TEST_F(ScanPushdownTest, AJoinLooksUpManyKeysOfALargeTable) {
  Run("CREATE TEMP TABLE keys AS SELECT i * 89 AS k, i * 7 AS x FROM range(2000) r(i)");
  const std::string join = "SELECT sum(length(pad)), sum(x) FROM t JOIN keys ON id = k";
  EXPECT_EQ(Visited(join), 2000);
  // By another column, all rows are read.
  EXPECT_EQ(Visited("SELECT count(pad) FROM (FROM t WHERE id % 2 = 0) JOIN keys ON v = k"), 200000);
  Run("SET dynamic_or_filter_threshold = 50");
  EXPECT_GT(Visited(join), 100000) << "what it is compared with";
}

TEST_F(ScanPushdownTest, ConditionsThatAreNoTableFilters) {
  EXPECT_EQ(Visited("SELECT v FROM t WHERE id BETWEEN 5 AND 9 OR id = 20"), 6);
  EXPECT_EQ(Visited("SELECT v FROM t WHERE id IN (3, 70000, 150000)"), 3);
  EXPECT_EQ(Visited("SELECT v FROM t WHERE (id < 10 AND name = 'n3') OR id = 77"), 11);
  EXPECT_EQ(Run("SELECT id FROM t WHERE (id < 10 AND name = 'n3') OR id = 77 ORDER BY id"), "3\n77");
  EXPECT_EQ(Figure("Rows passed", "SELECT pad FROM t WHERE NOT (v > 4 OR name LIKE 'n1%')"),
            std::stoll(Run("SELECT count(*) FROM t WHERE NOT (v > 4 OR substr(name, 1, 2) = 'n1')")));
  EXPECT_EQ(Figure("Rows passed", "SELECT pad FROM t WHERE name IS NULL OR v = 3"), 1);
  EXPECT_EQ(Visited("SELECT * FROM c WHERE (a = 5 AND b > 'c') OR (a > 5 AND a < 7)"), 17);
  // With parameters, values are those of each execution.
  const auto statement = connection_->Prepare("SELECT v FROM c WHERE a = ? OR (a = ? AND b = 'b') ORDER BY v");
  for (const int a : {3, 50}) {
    const auto result = statement->Execute(a, a + 1);
    ASSERT_FALSE(result->HasError()) << result->GetError();
    const auto rows = result->Fetch();
    ASSERT_EQ(rows->size(), 11u);
    EXPECT_EQ(rows->GetValue(0, 10).GetValue<int64_t>(), (a + 1) * 10 + 1);
  }
}

// Figures are of the scan: what a filter above throws away has passed there.
TEST_F(ScanPushdownTest, ConditionsOnFields) {
  ASSERT_EQ(
      Run("CREATE TABLE s (id INTEGER PRIMARY KEY, s STRUCT(a INTEGER, b VARCHAR, d STRUCT(x DOUBLE, l INTEGER[])))"),
      "");
  ASSERT_EQ(
      Run("INSERT INTO s SELECT i, CASE WHEN i % 7 > 0 THEN {'a': nullif(i % 5, 0), 'b': 'b' || i % 10, 'd': CASE "
          "WHEN i % 3 > 0 THEN {'x': i / 2, 'l': nullif([i], [4])} END} END FROM range(100) r(i)"),
      "100");
  for (const char* how : {"PRAGMA disable_verification", "PRAGMA verify_serializer"}) {
    ASSERT_EQ(Run(how), "");
    for (const char* condition :
         {"s.a IS NULL", "s.a IS NOT NULL", "s.a IN (1, 3)", "s.a NOT IN (1, 3)", "s.b LIKE 'b1%'",
          "s.b NOT LIKE 'b1%'", "s.d.x IS NULL", "s.d IS NULL", "s.a BETWEEN 2 AND 3 OR s.d.x > 40",
          "NOT (s.a = 1 OR s.b = 'b3')", "s.b IN ('b1', 'x') AND id > 50", "s.d.x IN (0.5, 2)",
          "s.d.l IS NULL OR s.a = 4", "id < 5 OR s.a IS NULL"}) {
      const std::string count =
          Run(std::string("SELECT count(*) FROM (SELECT id, s FROM s) WHERE coalesce(") + condition + ", false)");
      EXPECT_EQ(Run(std::string("SELECT count(*) FROM s WHERE ") + condition), count) << condition;
      if (std::string(how) == "PRAGMA verify_serializer" || std::string(condition).starts_with("s.d.l")) continue;
      EXPECT_EQ(Figure("Rows passed", std::string("SELECT id FROM s WHERE ") + condition), std::stoll(count))
          << condition;
    }
  }
}

// Of rows in segments, too, where the index has all that is asked for.
TEST_F(ScanPushdownTest, AJoinLooksUpValuesOfAnIndexOverSegments) {
  ASSERT_EQ(Run("CREATE INDEX by_v ON t (v)"), "");
  ASSERT_EQ(Run("CALL yarrow_flush('t')").find("error"), std::string::npos);
  Run("CREATE TEMP TABLE keys AS SELECT i * 890 AS k FROM range(200) r(i)");
  const std::string join = "SELECT count(*), max(v) FROM t JOIN keys ON v = k";
  EXPECT_EQ(Run(join), "200|177110");
  EXPECT_EQ(Figure("Rows passed", join), 200);
  EXPECT_NE(Run("EXPLAIN ANALYZE " + join).find("index-only"), std::string::npos);
}

TEST_F(ScanPushdownTest, ConditionsThatParquetScanTests) {
  ASSERT_EQ(Run("CREATE TABLE d (id INTEGER PRIMARY KEY, j JSON, s STRUCT(a INTEGER), name VARCHAR)"), "");
  ASSERT_EQ(Run("INSERT INTO d SELECT i, json_object('a', i), {'a': nullif(i, 7)}, 'n' || i FROM range(1000) r(i)"),
            "1000");
  ASSERT_EQ(Run("CALL yarrow_flush('d')").find("error"), std::string::npos);
  const auto passed = [&](const std::string& condition) {
    return Figure("Rows passed", "SELECT * FROM d WHERE " + condition);
  };
  EXPECT_EQ(passed("(j->>'$.a') = '70'"), 1);
  EXPECT_EQ(passed("s.a IS NULL"), 1);
  EXPECT_EQ(passed("s.a IN (5, 6, 7)"), 2);
  EXPECT_EQ(passed("name LIKE '%99'"), 10);
  // Most rows pass, or the condition may fail for a row that another one leaves out, or reads two columns.
  EXPECT_EQ(passed("name NOT LIKE '%99'"), 1000);
  EXPECT_EQ(passed("name NOT LIKE 'n%9_9'"), 1000);
  EXPECT_EQ(passed("substr(name, 2)::INTEGER = 5"), 1000);
  EXPECT_EQ(passed("name = 'n' || id"), 1000);
  // Such a condition is tested above, too: rows that are hot by now are other ones.
  EXPECT_EQ(Run("UPDATE d SET s = {'a': 5}, j = '{\"a\": 70}' WHERE id = 100"), "1");
  EXPECT_EQ(Run("SELECT id FROM d WHERE s.a IN (5, 6) ORDER BY id"), "5\n6\n100");
  EXPECT_EQ(Run("SELECT id FROM d WHERE (j->>'$.a') = '70' ORDER BY id"), "70\n100");
}

TEST_F(ScanPushdownTest, FiguresAreThoseOfAllThreads) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Visited("SELECT v FROM t WHERE id IN (3, 70000, 150000)"), 3) << "in round " << i;
  }
}

TEST_F(ScanPushdownTest, ExplainShowsRangesAndFilter) {
  const std::string text = Run("EXPLAIN SELECT v FROM c WHERE a = 5 AND b >= 'c' AND v <> 3 ORDER BY b LIMIT 2");
  for (const char* part : {"(5, c)", "v <> 3", "by key", "Limit: 2"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

}  // namespace
}  // namespace yarrow::sql
