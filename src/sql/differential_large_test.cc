// A table of many morsels on four threads, here and on native DuckDB: ranges, orders and joins that split into pieces,
// changes of thousands of rows, and what a transaction wrote on top of what is stored.
#include <gtest/gtest.h>

#include "differential_fixture.h"

namespace yarrow::sql {
namespace {

class DifferentialLargeTest : public test::DifferentialFixture {
 protected:
  static constexpr int kRows = 60000;
  static constexpr int kGroups = 300;  // values of a

  void SetUp() override {
    DifferentialFixture::SetUp();
    Ours("SET threads = 4");
  }
  // (a, b, c) is unique: 300 times 17 pairs for each date. Rows come in an order that is not the key's.
  static std::string Rows(int from, int to) {
    return Join(
        "SELECT ((i * 7919) % 300)::INTEGER AS a, 'k' || (i % 17) AS b, DATE '2020-01-01' + (i // 5100)::INTEGER AS "
        "c, ",
        "CASE WHEN i % 11 > 0 THEN ((i * 104729) % 1009)::BIGINT END AS v, ((i % 77) / 7.0)::DOUBLE AS w, ",
        "repeat('s', (i % 150)::INTEGER) || (i % 23) AS s FROM range(", from, ", ", to, ") r(i)");
  }
  void MakeTables() {
    ASSERT_TRUE(Both(
        "CREATE OR REPLACE TABLE t (a INTEGER, b VARCHAR, c DATE, v BIGINT DEFAULT 7, w DOUBLE, s VARCHAR NOT NULL, "
        "PRIMARY KEY (a, b, c))"));
    ASSERT_TRUE(Both("CREATE OR REPLACE TABLE d (a INTEGER PRIMARY KEY, v BIGINT, name VARCHAR)"));
    ASSERT_TRUE(Both(Join("INSERT INTO t ", Rows(0, kRows))));
    ASSERT_TRUE(Both("INSERT INTO d SELECT i, (i * 31) % 300, 'k' || (i % 17) FROM range(0, 600, 2) r(i)"));
    next_ = kRows;
    moves_ = 0;
  }

  // ---- Conditions ---------------------------------------------------------------------------------------------------

  std::string A() { return std::to_string(Below(kGroups + 5)); }
  std::string B() { return Join("'k", Below(18), "'"); }
  std::string C() { return Join("DATE '2020-01-01' + ", Below(14)); }
  std::string Between(const std::string& column, uint64_t all, uint64_t most) {
    const uint64_t from = Below(all);
    return Join(column, " BETWEEN ", from, " AND ", from + Below(most));
  }
  std::string OnKey() {
    switch (Below(7)) {
      case 0:
        return "a = " + A();
      case 1:
        return Join("a = ", A(), " AND b = ", B());
      case 2:
        return Join("a IN (", A(), ", ", A(), ", ", A(), ") AND b >= ", B());
      case 3:
        return Between("a", kGroups, 40);
      case 4:
        return Join("a > ", A(), " AND c = ", C());
      case 5:
        return Join("(a < ", Below(20), " OR a >= ", kGroups - Below(20), " OR (a = ", A(), " AND b < ", B(), "))");
      default:
        return Join("b = ", B(), " AND c <> ", C());
    }
  }
  std::string OffKey() {
    switch (Below(7)) {
      case 0:
        return Between("v", 1009, 30);
      case 1:
        return "v IS NULL";
      case 2:
        return Join("s LIKE 's%", Below(23), "'");
      case 3:
        return Join("w > ", Below(11), ".5");
      case 4:
        return Join("v % ", 2 + Below(7), " = 1");
      case 5:
        return Join("a IN (SELECT a FROM d WHERE ", Between("v", 300, 20), ")");
      default:
        return Join("NOT (v < ", 900 + Below(100), " OR s = '')");
    }
  }
  std::string Condition() { return OneIn(3) ? OffKey() : OneIn(2) ? OnKey() : Join(OnKey(), " AND ", OffKey()); }
  std::string Where() { return OneIn(5) ? "" : " WHERE " + Condition(); }
  std::string Limit() {
    return Join(" LIMIT ", Below(OneIn(3) ? 6000 : 40), OneIn(2) ? "" : Join(" OFFSET ", Below(3000)));
  }

  // ---- Queries ------------------------------------------------------------------------------------------------------

  std::string Ordered() {
    const std::vector<std::string> orders = {
        "a, b, c",    "a DESC, b DESC, c DESC",          "a, b DESC, c",       "c, a, b",
        "v, a, b, c", "v DESC NULLS LAST, a DESC, b, c", "w DESC, s, a, b, c", "s, a, b, c"};
    const std::string columns = OneIn(2) ? "*" : "a, v, c, b, w";
    // The rows of each place, not only the set: row_number() tells them apart.
    const std::string query = Join("SELECT ", columns, " FROM t", Where(), " ORDER BY ", Pick(orders));
    if (OneIn(4)) return Digest(Join(query, Limit()));
    return OneIn(5) ? query : query + Limit();
  }
  std::string Aggregated() {
    const std::vector<std::string> groups = {"a", "b", "c", "a, b", "v", "s", "b, c", "v % 10"};
    const std::string group = Pick(groups);
    return Join("SELECT ", group, ", count(*), count(v), sum(v), min(s), max(c), count(*) FILTER (", OffKey(),
                "), count(DISTINCT b) FROM t", Where(), " GROUP BY ALL",
                OneIn(3) ? Join(" HAVING count(*) > ", Below(30)) : "", " ORDER BY ALL", OneIn(2) ? Limit() : "");
  }
  std::string Joined() {
    const std::string dim = Join("(SELECT * FROM d WHERE ", Between("v", 300, 60), ")");
    switch (Below(6)) {
      case 0:
        return Digest(Join("SELECT t.*, d.name FROM t JOIN ", dim, " d ON t.a = d.a",
                           Where().empty() ? "" : " AND t.b = d.name"));
      case 1:
        return Digest(Join("SELECT t.* FROM t SEMI JOIN ", dim, " d ON t.a = d.a"));
      case 2:
        return Digest(Join("SELECT t.* FROM t ANTI JOIN ", dim, " d ON t.a = d.a AND t.b = d.name"));
      case 3:
        return Digest(Join("SELECT x.a, x.b, x.c, y.v, y.c AS yc FROM (SELECT * FROM t WHERE ", OnKey(),
                           ") x LEFT JOIN t y ON x.a = y.a AND x.b = y.b AND x.c < y.c"));
      case 4:
        return Join("SELECT d.a, (SELECT count(*) FROM t WHERE t.a = d.a AND ", OffKey(),
                    "), (SELECT max(t.v) FROM t WHERE t.a = ", "d.a AND t.b = d.name) FROM d ORDER BY ALL");
      default:
        return Digest(Join("SELECT x.a, x.b, x.v FROM t x JOIN t y ON x.rowid = y.rowid WHERE y.v = ", Below(1009)));
    }
  }
  std::string Windowed() {
    return Digest(Join("SELECT a, b, c, row_number() OVER (PARTITION BY a ORDER BY v ", OneIn(2) ? "DESC" : "",
                       ", b, c) AS r, sum(v) OVER (PARTITION BY b, c) AS p FROM t", Where(),
                       " QUALIFY r <= ", 1 + Below(50)));
  }
  std::string Query() {
    switch (Below(9)) {
      case 0:
        return "SELECT count(*) FROM t" + Where();
      case 1:
        return Digest("SELECT * FROM t" + Where());
      case 2:
        return Join("SELECT DISTINCT a, v % 5, b FROM t", Where(), " ORDER BY ALL LIMIT 500");
      case 3:
        return Join("SELECT count(*) FROM (FROM t", Where(), Limit(), ")");
      case 4:
        return Windowed();
      case 5:
        return Aggregated();
      case 6:
        return Joined();
      default:
        return Ordered();
    }
  }

  // ---- Changes ------------------------------------------------------------------------------------------------------

  std::string Insert() {
    const int from = next_;
    next_ += OneIn(3) ? 1 + static_cast<int>(Below(5000)) : 1 + static_cast<int>(Below(30));
    return Join("INSERT INTO t ", Rows(from, next_));
  }
  std::string Change() {
    switch (Below(9)) {
      case 0:
        return Join("UPDATE t SET v = v + ", Below(50), ", w = 1 - w WHERE ", Condition());
      case 1:
        return Join("UPDATE t SET v = s.n FROM (SELECT a, count(*) AS n FROM d GROUP BY a) s WHERE t.a = s.a AND t.",
                    OneIn(2) ? "v IS NULL" : Join("b = ", B()));
      case 2:
        return Join("DELETE FROM t WHERE ", OnKey(), " AND ", OffKey());
      case 3:
        return Join("DELETE FROM t USING (SELECT * FROM d WHERE ", Between("v", 300, 5),
                    ") d WHERE t.a = d.a AND t.b < ", B());
      case 4:
        // To other places, none of which is taken: each time further away.
        return Join("UPDATE t SET c = c + ", 1000 * ++moves_, ", v = DEFAULT WHERE ", OnKey());
      case 5:
        return Join("INSERT INTO t SELECT a + ", 10000 * ++moves_, ", b, c, v, w, s || 'x' FROM t WHERE ", OnKey());
      case 6:
        return Join("INSERT INTO t SELECT * FROM t WHERE ", OnKey(),
                    " LIMIT 1");  // is there already, unless there is none
      default:
        return Insert();
    }
  }
  void Step() {
    if (!in_transaction_ && OneIn(4)) Begin();
    const bool done = Both(OneIn(3) ? Change() : Query());
    if (!done && in_transaction_) End("ROLLBACK");
    if (in_transaction_ && OneIn(6)) End(OneIn(3) ? "ROLLBACK" : "COMMIT");
    if (OneIn(10)) Flush(40000);
    if (OneIn(8)) WriteSegmentsFrom({0, 1, 25, 3000});
    if (OneIn(20)) ASSERT_OK(OneIn(3) ? database_->store()->CompactAll() : database_->store()->FlushMemtables());
    if (OneIn(15)) Ours(Join("SET preserve_insertion_order = ", OneIn(2) ? "true" : "false"));
  }

  int next_ = 0;  // the number of the next new row
  int moves_ = 0;
};

TEST_F(DifferentialLargeTest, SameRowsAsNativeDuckDb) {
  YARROW_TRACE_SEED(seed_);
  for (int round = 0; round < test::Rounds(1); ++round) {
    ASSERT_NO_FATAL_FAILURE(MakeTables());
    for (int step = 0; step < 80 && !HasFailure(); ++step) Step();
    if (in_transaction_) End("COMMIT");
    Both(Digest("SELECT * FROM t"));
    Both("SELECT * FROM t ORDER BY a, b, c");
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace yarrow::sql
