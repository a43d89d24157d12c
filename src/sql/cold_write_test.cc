// UPDATE and DELETE of many rows in segments: the same as of hot rows, and each row group is decoded once.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class ColdWriteTest : public test::SqlFixture {
 protected:
  static constexpr int kSegments = 10;

  // The same rows twice: t in as many segments, each with keys from everywhere, and hot. Some of them were changed
  // since.
  void SetUp() override {
    SqlFixture::SetUp();
    ASSERT_OK(database_->SetSetting("background_jobs", "0"));
    for (const char* name : {"t", "hot"}) {
      EXPECT_EQ(Run(std::string("CREATE TABLE ") + name + " (id BIGINT PRIMARY KEY, v BIGINT, name VARCHAR, f DOUBLE)"),
                "");
    }
    for (int part = 0; part < kSegments; ++part) {
      Both("INSERT INTO ", " SELECT range * 10 + " + std::to_string(part) + ", range, 'n' || range % 7, " +
                               "CASE WHEN range % 5 > 0 THEN range / 4 END FROM range(3000)");
      EXPECT_FALSE(Run("CALL yarrow_flush('main.t')").starts_with("error"));
    }
    EXPECT_EQ(Run("SELECT count(*), sum(rows) FROM y.system.segments"), "10|30000");
    Both("DELETE FROM ", " WHERE id % 1000 BETWEEN 100 AND 109");
    Both("UPDATE ", " SET v = -1 WHERE id % 1000 = 500");
    Both("INSERT INTO ", " SELECT range * 1000 + 105, 7, 'again', 0 FROM range(10)");
  }
  // The result, which is the same for the two.
  std::string Both(const std::string& before, const std::string& after) {
    std::string result = Run(before + "t" + after);
    EXPECT_EQ(result, Run(before + "hot" + after)) << before << "t" << after;
    return result;
  }
  void ExpectSameRows() {
    EXPECT_EQ(Run("SELECT count(*) FROM ((FROM t EXCEPT ALL FROM hot) UNION ALL (FROM hot EXCEPT ALL FROM t))"), "0");
    Both("SELECT count(*), sum(id), sum(v), count(f), min(name) FROM ", "");
  }
  uint64_t Figure(const std::string& name) {
    return std::stoull(Run("SELECT value FROM y.system.stats WHERE name = '" + name + "'"));
  }
};

TEST_F(ColdWriteTest, ManyRowsAreChangedLikeHotOnes) {
  EXPECT_EQ(Both("UPDATE ", " SET v = v + 1, name = name || '!' WHERE id % 3 = 0"), "9904");
  ExpectSameRows();
  EXPECT_EQ(Both("DELETE FROM ", " WHERE v % 10 = 4"), "3000");
  ExpectSameRows();
  Both("UPDATE ", " SET v = -v, f = id");
  ExpectSameRows();
  EXPECT_FALSE(Run("CALL yarrow_flush('main.t', compact = true)").starts_with("error"));
  Both("UPDATE ", " SET f = NULL WHERE v < -100");
  ExpectSameRows();
  Both("DELETE FROM ", "");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
}

TEST_F(ColdWriteTest, ReturningGivesWholeRows) {
  const auto sorted = [&](const std::string& before, const std::string& after) {
    std::string ours = Run(before + "t" + after), theirs = Run(before + "hot" + after);
    const auto lines = [](const std::string& text) {
      std::multiset<std::string> rows;
      for (size_t at = 0; at <= text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        rows.insert(text.substr(at, end - at));
        at = end + 1;
      }
      return rows;
    };
    EXPECT_EQ(lines(ours), lines(theirs));
    return lines(ours).size();
  };
  EXPECT_EQ(sorted("UPDATE ", " SET v = v * 2 WHERE id % 4 = 1 RETURNING *"), 7420U);
  EXPECT_EQ(sorted("DELETE FROM ", " WHERE f > 700 AND id % 7 < 3 RETURNING name, id, f, v"), 687U);
  ExpectSameRows();
}

// Not in key order, some rows twice, some that are not there; and keys that change.
TEST_F(ColdWriteTest, RowsNamedByAJoin) {
  Run("CREATE TEMP TABLE keys AS SELECT (hash(range) % 40000)::BIGINT AS id, range AS n FROM range(20000)");
  Run("CREATE TEMP TABLE single AS SELECT id, max(n) AS n FROM keys GROUP BY id");
  Both("UPDATE ", " o SET v = single.n FROM single WHERE o.id = single.id");
  ExpectSameRows();
  Both("DELETE FROM ", " o USING keys WHERE o.id = keys.id AND keys.n % 3 = 0");
  ExpectSameRows();
  Both("UPDATE ", " SET id = id + 100000 WHERE id % 11 = 3");
  ExpectSameRows();
  Both("MERGE INTO ",
       " o USING single s ON o.id = s.id WHEN MATCHED AND s.n % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE "
       "SET v = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.n, 'merged', 1)");
  ExpectSameRows();
}

TEST_F(ColdWriteTest, SegmentsOfSeveralRowGroups) {
  Both("INSERT INTO ", " SELECT range, range % 1000, 'n' || range % 9, range FROM range(100000, 170000)");
  EXPECT_FALSE(Run("CALL yarrow_flush('main.t', optimize_for = 'lookup')").starts_with("error"));
  EXPECT_EQ(Run("SELECT max(row_groups) FROM y.system.segments"), "3");
  const uint64_t misses = Figure("pages.misses"), hits = Figure("pages.hits");
  EXPECT_EQ(Both("UPDATE ", " SET v = v + id WHERE id >= 100000 AND v % 3 = 0"), "23380");
  EXPECT_LE(Figure("pages.misses") - misses, 18U * 4);  // pages, columns
  EXPECT_LE(Figure("pages.hits") - hits, 18U * 8);
  ExpectSameRows();
  Run("CREATE TEMP TABLE keys AS SELECT 100000 + (hash(range) % 70000)::BIGINT AS id FROM range(300) GROUP BY 1");
  Both("UPDATE ", " o SET name = 'key', f = -o.id FROM keys WHERE o.id = keys.id");
  ExpectSameRows();
  Both("DELETE FROM ", " WHERE id > 120000 AND name < 'n5'");
  ExpectSameRows();
}

// More of a segment's than are looked up one by one, of the transaction's own and of those before.
TEST_F(ColdWriteTest, DroppedRowsMayBeInsertedAnew) {
  const std::string anew = " SELECT range // 3 * 100 + range % 3, range, 'anew', NULL FROM range(900)";
  EXPECT_EQ(Both("DELETE FROM ", " WHERE id % 100 < 3"), "810");
  EXPECT_EQ(Both("INSERT INTO ", anew), "900");
  ExpectSameRows();
  EXPECT_NE(Run("INSERT INTO t" + anew).find("has a row with key (0) already"), std::string::npos);
  Run("BEGIN");
  Both("DELETE FROM ", " WHERE id % 100 BETWEEN 3 AND 5");
  EXPECT_EQ(Both("INSERT INTO ", " SELECT id + 3, v, name, f FROM hot WHERE name = 'anew'"), "900");
  Both("DELETE FROM ", " WHERE id BETWEEN 3000 AND 8999 AND id % 10 < 8");
  EXPECT_EQ(Both("INSERT INTO ", " SELECT id, id, 'many', 1 FROM range(3000, 9000) r(id) WHERE id % 10 < 8"), "4800");
  EXPECT_NE(Run(*Connect(), "INSERT INTO y.t SELECT id, id, 'x', 1 FROM range(8000, 9999) r(id) WHERE id % 7 > 0")
                .find("already"),
            std::string::npos);
  ExpectSameRows();
  EXPECT_EQ(Run("COMMIT"), "");
  ExpectSameRows();
}

TEST_F(ColdWriteTest, ATransactionMeetsItsOwnChangesAndAMergeInBetween) {
  Run("BEGIN");
  Both("UPDATE ", " SET v = 1 WHERE id % 2 = 0");
  Both("DELETE FROM ", " WHERE id % 6 = 0");
  const auto other = Connect();
  const std::string merged = Run(*other, "CALL yarrow_compact('main.t', \"full\" = true)");
  EXPECT_FALSE(merged.starts_with("error")) << merged;
  EXPECT_EQ(Run(*other, "SELECT count(*) FROM y.system.segments"), "1");
  Both("UPDATE ", " SET v = v + 1 WHERE id % 3 > 0");
  Both("INSERT INTO ", " SELECT range * 6, 9, 'new', 9 FROM range(50)");
  ExpectSameRows();
  EXPECT_EQ(Run("COMMIT"), "");
  ExpectSameRows();
  EXPECT_FALSE(Run("CALL yarrow_flush('main.t')").starts_with("error"));
  ExpectSameRows();
}

// The scan decodes pages by itself; here are those that the writes read again.
TEST_F(ColdWriteTest, EachPageIsDecodedOnce) {
  for (const char* sql : {"UPDATE t SET v = v + 1 WHERE f IS NOT NULL", "UPDATE t SET name = 'x'"}) {
    const uint64_t misses = Figure("pages.misses"), hits = Figure("pages.hits");
    EXPECT_FALSE(Run(sql).starts_with("error"));
    EXPECT_LE(Figure("pages.misses") - misses, uint64_t{kSegments} * 4);  // columns
    // Rows of eight of the ten segments are read without asking for the page's columns each time, all five times.
    EXPECT_LE(Figure("pages.hits") - hits, 40000U) << sql;
  }
}

TEST_F(ColdWriteTest, ADeleteReadsKeysOnly) {
  Run("CALL yarrow_compact('main.t', \"full\" = true)");
  const uint64_t misses = Figure("pages.misses"), hits = Figure("pages.hits");
  EXPECT_FALSE(Run("DELETE FROM t WHERE v % 2 = 0").starts_with("error"));
  EXPECT_EQ(Figure("pages.misses") - misses, 2U);  // of 40,000 rows
  EXPECT_LE(Figure("pages.hits") - hits, 4U);
}

}  // namespace
}  // namespace yarrow::sql
