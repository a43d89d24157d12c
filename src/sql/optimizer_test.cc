// Each of DuckDB's optimizers against scans of ours: what it reads of a scan, and a query whose answer is wrong when
// that is not so. All queries run with every optimizer switched off in turn, over hot rows, segments and both.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "random_seed.h"
#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

using Queries = std::vector<const char*>;

// By optimizer: what it makes of a scan, and queries that reach it.
const std::map<std::string, Queries>& QueriesByOptimizer() {
  static const std::map<std::string, Queries> queries = {
      // Expressions only.
      {"expression_rewriter",
       {"SELECT count(*) FROM t WHERE (b = 3 AND s = 'a') OR (b = 3 AND s = 'b')",
        "SELECT count(*) FROM t WHERE NOT (b IS DISTINCT FROM 3)"}},
      {"regex_range",
       {"SELECT count(*) FROM t WHERE regexp_matches(s, '^a')",
        "SELECT count(*) FROM t WHERE regexp_full_match(s, 'text 1.*')"}},
      {"common_subexpressions", {"SELECT sum(b + 1), max((b + 1) * 2), min((b + 1) * 2) FROM t"}},
      {"common_aggregate", {"SELECT sum(b), sum(b) + 1, avg(b) FROM t GROUP BY s ORDER BY ALL"}},
      {"sum_rewriter",
       {"SELECT sum(b + 5), sum(b), count(b) FROM t", "SELECT s, sum(b + 5) FROM t GROUP BY s ORDER BY ALL"}},
      {"duplicate_groups",
       {"SELECT x.id, y.id, count(*) FROM t x JOIN u y ON x.id = y.id GROUP BY x.id, y.id ORDER BY ALL "
        "LIMIT 9"}},
      {"reorder_filter", {"SELECT count(*) FROM t WHERE s LIKE '%1%' AND length(s) > 3 AND b % 7 = 1"}},
      {"unnest_rewriter",
       {"SELECT id, unnest([b, id]) FROM t WHERE id < 4 ORDER BY ALL",
        "SELECT id, (SELECT sum(x) FROM (SELECT unnest([b, id]) AS x)) FROM t ORDER BY ALL LIMIT 5"}},
      // Conditions: pushdown_complex_filter, table_filters, filter_pushdown, supports_pushdown_type.
      {"filter_pullup",
       {"SELECT count(*) FROM (FROM t WHERE b = 3) x JOIN (FROM u WHERE b = 3) y ON x.b = y.b AND x.id = y.id",
        "SELECT count(*) FROM (FROM t WHERE b < 9) x LEFT JOIN u y ON x.id = y.b WHERE y.id > 5"}},
      {"filter_pushdown",
       {"SELECT count(*), sum(id) FROM t WHERE b IS NULL AND s > 'b'",
        "SELECT * FROM (SELECT s, count(*) AS n FROM t GROUP BY s) WHERE s = 'a' OR s IS NULL ORDER BY ALL",
        "SELECT count(*) FROM t x, u y WHERE x.id = y.id AND x.b IN (1, 5, 9) AND y.b <> 5",
        "SELECT count(*) FROM t WHERE d = 0.1 OR d IS DISTINCT FROM -0.1",
        "SELECT count(*) FROM t WHERE NOT (d IS NOT DISTINCT FROM 0.1 AND b IS NULL)"}},
      {"in_clause",
       {"SELECT count(*), sum(b) FROM t WHERE id IN (1, 3, 5, 7, 11, 13, 17, 19, 23, 999, 1001)",
        "SELECT count(*) FROM t WHERE b IN (SELECT b FROM u WHERE id < 50) OR s IN ('a', 'b', NULL)"}},
      {"cte_filter_pusher",
       {"WITH p AS MATERIALIZED (FROM t) SELECT (SELECT count(*) FROM p WHERE b = 3), (SELECT count(*) "
        "FROM p WHERE b = 4)",
        "WITH p AS MATERIALIZED (FROM t) SELECT * FROM (SELECT * FROM p WHERE id = 4 UNION ALL SELECT * "
        "FROM p WHERE id > 995) ORDER BY ALL"}},
      // Which rows a scan gives, by its bytes in a serialised plan.
      {"cte_inlining",
       {"WITH p AS (SELECT id FROM t) SELECT * FROM (SELECT * FROM p UNION ALL SELECT * FROM p) ORDER BY id LIMIT 3",
        "WITH p AS NOT MATERIALIZED (SELECT id FROM t WHERE b IS NULL) SELECT count(*) FROM p a JOIN p b USING (id)"}},
      {"materialized_cte",
       {"WITH p AS MATERIALIZED (SELECT b, count(*) AS n FROM t GROUP BY b) SELECT count(*) FROM p a JOIN p b "
        "ON a.n = b.n AND a.b < b.b"}},
      {"common_subplan",
       {"SELECT (SELECT sum(id) FROM t WHERE b IS NULL), (SELECT sum(id) FROM t WHERE b IS NOT NULL)",
        "SELECT sum(id) FROM t UNION ALL SELECT sum(id) FROM u ORDER BY ALL",
        "SELECT (SELECT count(*) FROM t WHERE s LIKE 'a%'), (SELECT count(*) FROM t WHERE s LIKE 'b%')",
        "SELECT (SELECT max(id) FROM (FROM t ORDER BY id LIMIT 5)), (SELECT max(id) FROM (FROM t ORDER BY id "
        "LIMIT 9)), (SELECT max(id) FROM (FROM t ORDER BY id DESC LIMIT 5))"}},
      {"window_self_join",
       {"SELECT id, count(*) OVER (PARTITION BY b), max(s) OVER (PARTITION BY b) FROM t WHERE id < 90 ORDER BY "
        "ALL LIMIT 20",
        "SELECT sum(n) FROM (SELECT count(id) OVER (PARTITION BY b) AS n FROM t WHERE b IS NOT NULL)"}},
      // Columns: projection_pushdown, filter_prune, virtual columns.
      {"unused_columns",
       {"SELECT count(*) FROM (SELECT id, b, s FROM t WHERE b = 5)", "SELECT count(*) FROM t",
        "SELECT s FROM t WHERE b = 5 AND id > 10 ORDER BY id LIMIT 3",
        "SELECT count(DISTINCT rowid) FROM t WHERE b = 5"}},
      {"column_lifetime",
       {"SELECT x.s, y.s FROM t x JOIN u y ON x.id = y.b WHERE x.b = 5 ORDER BY x.id, y.id LIMIT 7"}},
      // Estimates and statistics: cardinality, statistics, distinct counts, partition statistics.
      {"join_order", {"SELECT count(*) FROM t x, u y, t z WHERE x.id = y.b AND y.id = z.b AND z.s = 'a'"}},
      {"build_side_probe_side",
       {"SELECT count(*) FROM t x LEFT JOIN u y ON x.b = y.id",
        "SELECT count(*) FROM u x RIGHT JOIN t y ON "
        "x.b = y.id AND y.s = 'a'"}},
      {"statistics_propagation",
       {"SELECT count(*) FROM t WHERE id >= 0", "SELECT count(b), count(id), count(*) FROM t",
        "SELECT min(id), max(id), min(b), max(b) FROM t", "SELECT count(*) FROM t WHERE id IS NULL"}},
      {"compressed_materialization",
       {"SELECT b, s, count(*) FROM t GROUP BY ALL ORDER BY ALL LIMIT 20",
        "SELECT DISTINCT b, s FROM t ORDER BY b DESC NULLS LAST, s LIMIT 20"}},
      {"empty_result_pullup",
       {"SELECT count(*) FROM t WHERE id IS NULL AND b = 1",
        "SELECT x.id FROM t x LEFT JOIN (FROM u WHERE 1 = 0) "
        "y USING (id) ORDER BY ALL LIMIT 3"}},
      {"join_elimination",
       {"SELECT count(*) FROM t x LEFT JOIN (SELECT DISTINCT b FROM u) y ON x.b = y.b",
        "SELECT DISTINCT x.s FROM t x LEFT JOIN u y ON x.id = y.b ORDER BY ALL",
        "SELECT count(*) FROM t x LEFT JOIN (SELECT b, count(*) FROM u WHERE s LIKE 'a%' GROUP BY b) y ON x.b = y.b"}},
      {"deliminator",
       {"SELECT count(*) FROM t x WHERE EXISTS (FROM u y WHERE y.id = x.b AND y.s = x.s)",
        "SELECT sum((SELECT count(*) FROM u y WHERE y.b = x.b AND y.id < 50)) FROM t x WHERE x.s = 'a'"}},
      // Limits and orders: dynamic filters, order_preservation_type, set_scan_order, late_materialization.
      {"limit_pushdown",
       {"SELECT id + 1 FROM t ORDER BY id LIMIT 3 OFFSET 4", "SELECT count(*) FROM (SELECT id + 1 FROM t LIMIT 17)"}},
      {"top_n",
       {"SELECT id FROM t ORDER BY n::INTEGER DESC, id LIMIT 3",
        "SELECT id FROM t ORDER BY b NULLS FIRST, id DESC LIMIT 4",
        "SELECT id FROM t ORDER BY TRY_CAST(n AS TINYINT)::BIGINT NULLS FIRST, id DESC LIMIT 4",
        "SELECT n > 127 FROM t ORDER BY TRY_CAST(n AS TINYINT)::BIGINT DESC NULLS FIRST LIMIT 1",
        "SELECT count(n) FROM (SELECT n FROM (SELECT n FROM t ORDER BY s, id LIMIT 30) ORDER BY n DESC LIMIT 5)",
        "SELECT x.n FROM u y RIGHT JOIN t x ON x.id = y.id ORDER BY y.n DESC NULLS FIRST, x.n LIMIT 3",
        "SELECT x.n, y.id FROM t x FULL JOIN u y ON x.n = y.n + 500 ORDER BY x.n NULLS FIRST, y.id LIMIT 3",
        "SELECT s, id FROM t ORDER BY s DESC, id LIMIT 5"}},
      {"row_group_pruner",
       {"SELECT id, n FROM t ORDER BY n LIMIT 3", "SELECT id, n FROM t ORDER BY n DESC LIMIT 3 OFFSET 50"}},
      {"late_materialization",
       {"SELECT * FROM t ORDER BY n DESC LIMIT 2", "SELECT * FROM t ORDER BY s, n LIMIT 2 OFFSET 3"}},
      {"top_n_window_elimination",
       {"SELECT id, s FROM t QUALIFY row_number() OVER (PARTITION BY b ORDER BY n DESC) = 1 ORDER BY ALL",
        "SELECT * FROM t QUALIFY row_number() OVER (PARTITION BY s ORDER BY id) <= 2 ORDER BY ALL"}},
      {"sampling_pushdown",
       {"SELECT count(*) FROM (FROM t USING SAMPLE 100%)", "SELECT count(*) <= 10 FROM t USING SAMPLE 10 ROWS"}},
      // Run-time filters of joins: dynamic_filters of the scan.
      {"join_filter_pushdown",
       {"SELECT count(*), sum(x.b) FROM t x JOIN (FROM u WHERE b = 7 AND s = 'a') y ON x.id = y.id",
        "SELECT * FROM (SELECT n FROM t ORDER BY s, id LIMIT 5) JOIN (SELECT n FROM u WHERE id = 999) USING (n)",
        "SELECT count(*) FROM (SELECT DISTINCT ON (b) b, n FROM t ORDER BY b, n) x JOIN (SELECT n FROM u WHERE "
        "id > 900) y USING (n)",
        "SELECT count(*) FROM t x JOIN (FROM u WHERE id < 9) y ON x.n::INTEGER = y.id"}},
      // Ours: limits, key orders, EXPLAIN.
      {"extension",
       {"SELECT count(*) FROM (FROM t LIMIT 3)", "SELECT id FROM t ORDER BY id DESC LIMIT 3",
        "SELECT id FROM t WHERE s = 'a' ORDER BY id"}},
  };
  return queries;
}

class OptimizerTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    native_ = std::make_unique<duckdb::Connection>(*duckdb_);
    native_->Query("PRAGMA disable_optimizer");
    // n has the order of id turned round; d is NULL only in the second half.
    const std::string rows =
        "SELECT i AS id, CASE WHEN i % 10 > 0 THEN i % 23 END AS b, CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE "
        "'text ' "
        "|| i END AS s, 1000 - i AS n, CASE WHEN i < 500 THEN 0 END AS d FROM range(1000) r(i)";
    for (const char* table : {"t", "u"}) {
      const std::string create = std::string("CREATE TABLE ") + table +
                                 " (id INTEGER PRIMARY KEY, b INTEGER, s VARCHAR, n BIGINT, d DECIMAL(4, 1))";
      const std::string insert =
          std::string("INSERT INTO ") + table + " " + rows + (*table == 'u' ? " WHERE i % 2 = 1" : "");
      for (const std::string& sql : {create, insert}) {
        ASSERT_EQ(Run(sql).find("error"), std::string::npos) << Run(sql);
        ASSERT_EQ(Run(*native_, sql).find("error"), std::string::npos) << sql;
      }
    }
  }

  // Whatever one optimizer leaves out, the answers are those of native DuckDB that optimises nothing.
  void CompareAll(const std::string& state) {
    for (const auto& [reached, queries] : QueriesByOptimizer()) {
      for (const char* query : queries) {
        const std::string expected = Run(*native_, query);
        EXPECT_EQ(expected.find("error"), std::string::npos) << query << "\n" << expected;
        EXPECT_EQ(Run(query), expected) << state << ", all optimizers (" << reached << "): " << query;
        for (const auto& [off, other] : QueriesByOptimizer()) {
          if (test::kSanitized && off != reached) continue;
          Run("SET disabled_optimizers = '" + off + "'");
          EXPECT_EQ(Run(query), expected) << state << ", without " << off << ": " << query;
        }
        Run("SET disabled_optimizers = ''");
      }
    }
  }

  std::unique_ptr<duckdb::Connection> native_;
};

TEST_F(OptimizerTest, EachOneIsKnown) {
  const auto result = connection_->Query("SELECT name FROM duckdb_optimizers()");
  std::set<std::string> there, known;
  for (duckdb::idx_t row = 0; row < result->RowCount(); ++row) there.insert(result->GetValue(0, row).ToString());
  for (const auto& [name, queries] : QueriesByOptimizer()) known.insert(name);
  EXPECT_EQ(there, known) << "find out what a new one reads of a scan, and add queries that show it";
}

TEST_F(OptimizerTest, NoneChangesAnAnswerOverHotRows) {
  CompareAll("hot");
}

TEST_F(OptimizerTest, NoneChangesAnAnswerOverSegments) {
  for (const char* table : {"t", "u"}) {
    ASSERT_EQ(Run(std::string("CALL yarrow_flush('") + table + "', max_segment_rows = 130)").find("error"),
              std::string::npos);
  }
  CompareAll("cold");
}

TEST_F(OptimizerTest, NoneChangesAnAnswerOverBoth) {
  Run("CALL yarrow_flush('t', max_segment_rows = 130)");
  for (const char* sql : {"UPDATE t SET n = n + 1 WHERE id % 7 = 0", "UPDATE u SET b = NULL WHERE id > 700"}) {
    EXPECT_EQ(Run(sql), Run(*native_, sql));
  }
  Run("CALL yarrow_flush('u', max_segment_rows = 130)");
  for (const char* sql : {"DELETE FROM t WHERE id % 11 = 0", "UPDATE u SET s = 'b' WHERE id % 5 = 0"}) {
    EXPECT_EQ(Run(sql), Run(*native_, sql));
  }
  CompareAll("mixed");
}

// Each plan of these queries is written, read and run from what was read.
TEST_F(OptimizerTest, PlansCanBeWrittenAndRead) {
  for (const char* how : {"PRAGMA verify_serializer", "PRAGMA enable_verification"}) {
    ASSERT_EQ(Run(how), "");
    for (const auto& [reached, queries] : QueriesByOptimizer()) {
      for (const char* query : queries) EXPECT_EQ(Run(query), Run(*native_, query)) << how << ": " << query;
    }
  }
  for (const char* change :
       {"INSERT INTO t SELECT id + 5000, b, s, n, d FROM u WHERE b = 3", "DELETE FROM u WHERE id % 5 = 0",
        "UPDATE t SET b = b + 1 WHERE id > 5000", "UPDATE t SET n = u.n + 1 FROM u WHERE t.id = u.id AND u.b = 4",
        "INSERT INTO t VALUES (1, 1, 'a', 1, 1) ON CONFLICT (id) DO UPDATE SET b = 77",
        "MERGE INTO t USING u ON t.id = u.id AND u.b = 5 WHEN MATCHED THEN DELETE"}) {
    EXPECT_EQ(Run(change), Run(*native_, change)) << change;
  }
  EXPECT_EQ(Run("FROM t ORDER BY ALL"), Run(*native_, "FROM t ORDER BY ALL"));
  Run("PREPARE one AS SELECT b, s FROM t WHERE id = $1");
  EXPECT_EQ(Run("EXECUTE one(1)"), "77|b");
  Run("PREPARE change AS UPDATE t SET b = $1 WHERE id = $2 RETURNING b, id");
  EXPECT_EQ(Run("EXECUTE change(5, 7)"), "5|7");
  EXPECT_EQ(Run("CALL yarrow_flush('t')").find("error"), std::string::npos);
  EXPECT_NE(
      Run("SELECT json_serialize_plan('FROM t WHERE b IS NULL AND id > 5', optimize := true)").find("\"yarrow_scan\""),
      std::string::npos);
}

}  // namespace
}  // namespace yarrow::sql
