// ORDER BY the key over both tiers: no sort where rows lie in long runs, and the rows that a sort would give.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class OrderedScanTest : public test::SqlFixture {
 protected:
  static constexpr const char* kColumns =
      "(a VARCHAR, id BIGINT, b BOOLEAN, i TINYINT, u UINTEGER, f FLOAT, d DOUBLE, n DECIMAL(4,1), w DECIMAL(30,2), "
      "s VARCHAR, x BLOB, day DATE, h TIME, ts TIMESTAMP, tz TIMESTAMPTZ, ms TIMESTAMP_MS, g UUID, PRIMARY KEY (a, "
      "id))";

  // Segments without gaps, some that overlap, rows changed and dropped in them, and hot rows between and behind.
  void SetUp() override {
    SqlFixture::SetUp();
    ASSERT_OK(database_->SetSetting("background_jobs", "0"));
    ASSERT_OK(database_->SetSetting("rows_to_segment", "0"));
    for (const std::string name : {"t", "hot"}) EXPECT_EQ(Run("CREATE TABLE " + name + " " + kColumns), "");
    for (int part = 0; part < 3; ++part) Insert(part * 10000, (part + 1) * 10000, 2, true);
    Insert(20001, 20601, 6, true);
    Insert(30000, 40000, 2, false);
    for (const std::string name : {"t", "hot"}) {
      Run("DELETE FROM " + name + " WHERE id BETWEEN 4000 AND 9000 OR id % 1000 = 4");
      Run("UPDATE " + name + " SET s = NULL, b = NOT b WHERE id % 2222 = 0");
    }
  }
  // Every `step`th id of [first, last), in both tables, then as a segment in one.
  void Insert(int first, int last, int step, bool flush) {
    const std::string rows =
        "FROM range(" + std::to_string(first) + ", " + std::to_string(last) + ", " + std::to_string(step) + ") r(i)";
    for (const std::string name : {"t", "hot"}) {
      const std::string inserted = Run(
          "INSERT INTO " + name +
          " SELECT CASE WHEN i < 15000 THEN 'a' ELSE 'b\\0c' || chr(0) END, i, i % 3 = 0, i % 100 - 50, i * 3, i / 7, "
          "-i / 3, i % 999 / 10, i * 1000000000000::HUGEINT / 3, CASE WHEN i % 5 > 0 THEN repeat('x', i % 40) || i "
          "END, "
          "encode('b' || i), DATE '2000-01-01' + i::INT, TIME '00:00:00' + INTERVAL (i) SECOND, "
          "TIMESTAMP '2000-01-01' + INTERVAL (i) MINUTE, '2000-01-01'::TIMESTAMPTZ + INTERVAL (i) HOUR, "
          "(TIMESTAMP '1970-01-01' + INTERVAL (i) MILLISECOND)::TIMESTAMP_MS, "
          "('00000000-0000-0000-0000-' || lpad(i::VARCHAR, 12, '0'))::UUID " +
          rows);
      EXPECT_FALSE(inserted.starts_with("error")) << inserted;
    }
    if (flush) Run("CALL yarrow_flush('t')");
  }
  void ExpectSame(const std::string& before, const std::string& after) {
    const std::string expected = Run(before + "hot" + after);
    EXPECT_FALSE(expected.empty() || expected.starts_with("error")) << expected;
    EXPECT_EQ(Run(before + "t" + after), expected) << before << "t" << after;
  }
  bool IsSorted(const std::string& query) { return Run("EXPLAIN " + query).find("ORDER_BY") != std::string::npos; }
  // A statement's rows in key order, and the other way round, beside own writes.
  std::pair<std::string, std::string> WithOwnWrites(const std::string& name) {
    Run("BEGIN");
    Run("DELETE FROM " + name + " WHERE id BETWEEN 11000 AND 12000");
    Run("UPDATE " + name + " SET s = 'own' WHERE id % 3000 = 0");
    Run("INSERT INTO " + name + " (a, id) VALUES ('a', 11001), ('', 1), ('z', 1)");
    EXPECT_FALSE(IsSorted("FROM t ORDER BY a, id"));
    std::pair rows(Run("SELECT a, id, s FROM " + name + " ORDER BY a, id"),
                   Run("SELECT a, id, s FROM " + name + " ORDER BY a DESC, id DESC"));
    Run("ROLLBACK");
    return rows;
  }
};

TEST_F(OrderedScanTest, RowsComeInKeyOrderWithoutASort) {
  for (const char* threads : {"1", "4"}) {
    Run(std::string("SET threads = ") + threads);
    for (const char* order : {" ORDER BY a, id", " ORDER BY a DESC, id DESC"}) {
      EXPECT_FALSE(IsSorted(std::string("FROM t") + order));
      ExpectSame("SELECT * FROM ", order);
      ExpectSame("SELECT g, id, s, id FROM ", order);
      ExpectSame("SELECT 1 FROM ", order);
      ExpectSame("SELECT id, w FROM ", std::string(" WHERE id BETWEEN 3990 AND 20300") + order);
      ExpectSame("SELECT s FROM ", std::string(" WHERE n > 50 AND b") + order);
      ExpectSame("SELECT id FROM ", std::string(" WHERE s IS NULL OR f < 100") + order);
      ExpectSame("SELECT * FROM ", std::string(" WHERE a = 'a' AND s LIKE 'xxx%'") + order);
      ExpectSame("SELECT id, tz FROM ", std::string(" WHERE id IN (4, 6, 19998, 20001, 39998)") + order);
      ExpectSame("SELECT id FROM ", std::string(" WHERE rowid < (SELECT max(rowid) FROM hot)") + order);
      ExpectSame("SELECT * FROM ", order + std::string(" LIMIT 9000 OFFSET 100"));
    }
  }
}

TEST_F(OrderedScanTest, OwnWritesOfATransactionHaveTheirPlaces) {
  EXPECT_EQ(WithOwnWrites("t"), WithOwnWrites("hot"));
}

TEST_F(OrderedScanTest, TiersThatLieStrewnAreSorted) {
  Run("UPDATE t SET i = 1 WHERE id % 3 = 0");
  Run("UPDATE hot SET i = 1 WHERE id % 3 = 0");
  EXPECT_TRUE(IsSorted("FROM t ORDER BY a, id"));
  ExpectSame("SELECT * FROM ", " ORDER BY a, id");
  Run("CALL yarrow_compact('t', full := true)");
  ExpectSame("SELECT * FROM ", " ORDER BY a DESC, id DESC");
}

TEST_F(OrderedScanTest, APlanFromBeforeTheSegmentsReadsThemInOrder) {
  Run("CREATE TABLE late (id INT PRIMARY KEY, v INT)");
  Run("INSERT INTO late SELECT i, i % 7 FROM range(5000) r(i)");
  Run("PREPARE up AS FROM late WHERE v <> $1 ORDER BY id; PREPARE down AS SELECT id FROM late ORDER BY id DESC");
  const std::string up = Run("EXECUTE up(3)"), down = Run("EXECUTE down");
  Run("CALL yarrow_flush('late')");
  Run("UPDATE late SET v = v WHERE id % 2 = 0");
  EXPECT_EQ(Run("EXECUTE up(3)"), up);
  EXPECT_EQ(Run("EXECUTE down"), down);
}

}  // namespace
}  // namespace yarrow::sql
