// Segments read by DuckDB's parquet_scan: the rows of both tiers, whatever is asked, and what is not read at all.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class ColdScanTest : public test::SqlFixture {
 protected:
  // Four segments of 50,000 rows, each in one row group; then some rows of them changed and dropped, others new.
  void SetUp() override {
    SqlFixture::SetUp();
    ASSERT_OK(database_->SetSetting("background_jobs", "0"));
    Run("SET threads = 4");
    for (const char* name : {"t", "hot"}) {
      EXPECT_EQ(Run(std::string("CREATE TABLE ") + name + " (id BIGINT PRIMARY KEY, v BIGINT, name VARCHAR, f DOUBLE)"),
                "");
    }
    for (int part = 0; part < 4; ++part) {
      Insert("t", part * 50000, 50000);
      EXPECT_FALSE(Run("CALL yarrow_flush('main.t')").starts_with("error"));
    }
    Insert("hot", 0, 200000);
    for (const std::string name : {"t", "hot"}) {
      EXPECT_EQ(Run("DELETE FROM " + name + " WHERE id BETWEEN 1000 AND 1009"), "10");
      EXPECT_EQ(Run("UPDATE " + name + " SET v = -1 WHERE id % 10000 = 7"), "20");
      Insert(name, 200000, 100);
    }
  }
  void Insert(const std::string& table, int first, int rows) {
    EXPECT_EQ(
        Run("INSERT INTO " + table + " SELECT range, range * 7919 % 200000, 'n' || (range % 100), range / 4 FROM " +
            "range(" + std::to_string(first) + ", " + std::to_string(first + rows) + ")"),
        std::to_string(rows));
  }
  // Of EXPLAIN ANALYZE, as text.
  std::string Figure(const std::string& name, const std::string& sql) {
    const std::string text = Run("EXPLAIN ANALYZE " + sql);
    size_t at = text.find(name + ":");
    if (at == std::string::npos) return text;
    at += name.size() + 1;
    while (std::isdigit(static_cast<unsigned char>(text[at])) == 0) ++at;
    return text.substr(at, text.find_first_not_of("0123456789of ", at) - at).substr(0, text.find("  ", at) - at);
  }
  std::string SegmentsRead(const std::string& sql) { return Figure("Segments read", sql); }
  std::string RowGroupsRead(const std::string& sql) { return Figure("Row groups read", sql); }
  void ExpectSame(const std::string& before, const std::string& after) {
    EXPECT_EQ(Run(before + "t" + after), Run(before + "hot" + after)) << before << "t" << after;
  }
};

TEST_F(ColdScanTest, AnswersAreThoseOfATableThatIsHot) {
  ExpectSame("SELECT count(*) FROM ", "");
  ExpectSame("SELECT count(*), sum(v), min(name), max(f) FROM ", "");
  ExpectSame("SELECT sum(id) FROM ", " WHERE v > 150000");
  ExpectSame("SELECT count(name) FROM ", " WHERE v = -1 OR name LIKE 'n9%' AND f > 3");
  ExpectSame("SELECT name, count(*) FROM ", " GROUP BY name ORDER BY name");
  ExpectSame("SELECT * FROM ", " ORDER BY id LIMIT 20 OFFSET 990");
  ExpectSame("SELECT * FROM ", " ORDER BY v DESC, id LIMIT 20");
  ExpectSame("SELECT * FROM ", " WHERE id BETWEEN 990 AND 1020 ORDER BY id");
  ExpectSame("SELECT * FROM ", " WHERE id IN (7, 1000, 10007, 200005, 999999) ORDER BY id");
  ExpectSame("SELECT sum(a.id) FROM ", " a JOIN hot b ON a.id = b.v WHERE b.id < 100");
  ExpectSame("SELECT a.id FROM ", " a JOIN (VALUES (5), (100007)) k(id) ON a.id = k.id ORDER BY ALL");
  ExpectSame("SELECT id, id, v FROM ", " WHERE id > 199990 ORDER BY id");
  ExpectSame("SELECT count(*) FROM (SELECT * FROM ", " LIMIT 12345)");
  ExpectSame("SELECT sum(id) FROM (SELECT id FROM ", " ORDER BY id)");
}

TEST_F(ColdScanTest, AnUnorderedResultHasEachRowOnce) {
  EXPECT_EQ(Run("SELECT count(*), count(DISTINCT id) FROM (SELECT * FROM t)"), "200090|200090");
  Run("SET preserve_insertion_order = false");
  EXPECT_EQ(Run("CREATE TABLE copied AS SELECT * FROM t"), "200090");
  EXPECT_EQ(Run("SELECT count(*) FROM (FROM copied EXCEPT FROM hot)"), "0");
}

TEST_F(ColdScanTest, OwnWritesOfATransaction) {
  Run("BEGIN");
  EXPECT_EQ(Run("DELETE FROM t WHERE id % 2 = 0"), "100045");
  EXPECT_EQ(Run("UPDATE t SET v = 5 WHERE id < 10"), "5");
  EXPECT_EQ(Run("SELECT count(*), sum(v) FROM t WHERE id < 10"), "5|25");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "100045");
  EXPECT_EQ(Run(*Connect(), "SELECT count(*) FROM t"), "200090");
  Run("ROLLBACK");
  ExpectSame("SELECT count(*), sum(v) FROM ", "");
}

TEST_F(ColdScanTest, SegmentsAndRowGroupsThatCannotHaveARowAreNotRead) {
  EXPECT_EQ(SegmentsRead("SELECT sum(v) FROM t"), "4 of 4");
  EXPECT_EQ(RowGroupsRead("SELECT sum(v) FROM t"), "4 of 4");
  EXPECT_EQ(SegmentsRead("SELECT sum(v) FROM t WHERE id BETWEEN 60000 AND 70000"), "1 of 4");
  EXPECT_EQ(SegmentsRead("SELECT sum(v) FROM t WHERE f > 40000"), "1 of 4");
  EXPECT_EQ(SegmentsRead("SELECT sum(v) FROM t WHERE f < 0"), "0 of 4");
  EXPECT_EQ(SegmentsRead("SELECT count(*) FROM t"), "0 of 4");
  EXPECT_EQ(RowGroupsRead("SELECT count(*) FROM t"), "0 of 4");
  EXPECT_EQ(RowGroupsRead("SELECT v FROM t WHERE id IN (20, 21, 120000, 999999)"), "2 of 4");
  // What a join finds out at run time.
  EXPECT_EQ(
      RowGroupsRead("SELECT sum(t.v) FROM t JOIN (SELECT max(id) - 200100 + 60000 AS id FROM hot) m ON t.f = m.id"),
      "0 of 4");
}

// Rows visited are those that come one by one: the hot ones.
TEST_F(ColdScanTest, NoConditionMakesSegmentsComeRowByRow) {
  Run("SET threads = 1");
  for (const char* condition : {"v >= 0", "v = 5 OR name = 'n7'", "name LIKE 'n1%'", "NOT (v < 9 AND f > 3)",
                                "id % 2 = 0", "f IN (1, 2, 3)", "id > 5 AND id < 150000"}) {
    const std::string visited = Figure("Rows visited", std::string("SELECT count(f) FROM t WHERE ") + condition);
    EXPECT_LE(std::stoi(visited), 120) << condition;
  }
  EXPECT_EQ(Figure("Rows visited", "SELECT rowid FROM t WHERE id BETWEEN 60000 AND 60009"), "10") << "row by row";
}

// The plan from before had taken the condition for rows that come one by one.
TEST_F(ColdScanTest, APreparedStatementIsPlannedAnewWhenItsTableGetsItsFirstSegment) {
  Run("SET threads = 1");
  EXPECT_EQ(Run("CREATE TABLE late (id BIGINT PRIMARY KEY, v BIGINT, name VARCHAR, f DOUBLE)"), "");
  Insert("late", 0, 50000);
  Run("PREPARE late_rows AS SELECT count(name) FROM late WHERE v = 5 OR name = 'n7'");
  const std::string rows = Run("EXECUTE late_rows");
  EXPECT_EQ(Figure("Rows visited", "EXECUTE late_rows"), "50000");
  EXPECT_FALSE(Run("CALL yarrow_flush('main.late')").starts_with("error"));
  EXPECT_EQ(Run("EXECUTE late_rows"), rows);
  EXPECT_EQ(Figure("Rows visited", "EXECUTE late_rows"), "0");
  EXPECT_EQ(Figure("Segments read", "EXECUTE late_rows"), "1 of 1");
}

TEST_F(ColdScanTest, LimitsStopEarly) {
  Run("SET threads = 1");
  EXPECT_EQ(RowGroupsRead("SELECT * FROM t LIMIT 10"), "0 of 4");  // hot rows come first
  EXPECT_EQ(RowGroupsRead("SELECT * FROM t LIMIT 200"), "1 of 4");
}

size_t OpenSegmentFiles() {
  return static_cast<size_t>(std::ranges::count_if(std::filesystem::directory_iterator("/proc/self/fd"), [](auto& fd) {
    std::error_code gone;  // the iterator's own is in the list
    return std::filesystem::read_symlink(fd.path(), gone).extension() == ".parquet";
  }));
}

TEST_F(ColdScanTest, FilesAreOpenedWhenItIsTheirTurn) {
  Run("SET threads = 1");
  Run("CALL yarrow_set('open_segments', '0')");  // only those in use
  ASSERT_EQ(OpenSegmentFiles(), 0u);
  const auto result = connection_->SendQuery("SELECT id + v FROM t");
  size_t most = 0, rows = 0;
  while (const auto chunk = result->Fetch()) {
    rows += chunk->size();
    most = std::max(most, OpenSegmentFiles());
  }
  EXPECT_EQ(rows, 200'090u);
  EXPECT_GE(most, 1u);
  EXPECT_LE(most, 2u) << "DuckDB opens one file ahead";
  EXPECT_EQ(OpenSegmentFiles(), 0u);
}

TEST_F(ColdScanTest, ALimitInKeyOrderOpensFewFiles) {
  Run("CALL yarrow_set('open_segments', '100')");
  const auto opened = [&](const std::string& sql) {
    Run("CALL yarrow_set('open_segments', '0')");
    Run("CALL yarrow_set('open_segments', '100')");
    EXPECT_FALSE(Run(sql).starts_with("error")) << sql;
    return OpenSegmentFiles();
  };
  EXPECT_EQ(opened("SELECT * FROM t ORDER BY id LIMIT 5"), 1u);
  EXPECT_EQ(opened("SELECT * FROM t ORDER BY id DESC LIMIT 200"), 1u);
  EXPECT_EQ(opened("SELECT * FROM t WHERE id >= 99990 ORDER BY id LIMIT 20"), 2u);
}

TEST_F(ColdScanTest, NanIsGreatest) {
  for (const char* name : {"n", "m"}) {
    Run(std::string("CREATE TABLE ") + name + " (id INTEGER PRIMARY KEY, f DOUBLE, g FLOAT)");
    Run(std::string("INSERT INTO ") + name +
        " SELECT range, CASE WHEN range % 10 = 3 THEN 'nan'::DOUBLE ELSE range END, " +
        "CASE WHEN range % 10 = 4 THEN 'nan'::FLOAT WHEN range = 5 THEN '-inf' ELSE -range END FROM range(100)");
  }
  EXPECT_FALSE(Run("CALL yarrow_flush('main.n')").starts_with("error"));
  for (const char* filter : {"f > 1000", "f > 98", "f >= 'nan'", "f = 'nan'", "f < 'nan'", "g > 0", "g <= '-inf'",
                             "f <> 3", "g > f", "f BETWEEN 90 AND 'inf'"}) {
    EXPECT_EQ(Run(std::string("SELECT list(id ORDER BY id) FROM n WHERE ") + filter),
              Run(std::string("SELECT list(id ORDER BY id) FROM m WHERE ") + filter))
        << filter;
  }
}

TEST_F(ColdScanTest, EveryType) {
  const std::string columns =
      "(id INTEGER PRIMARY KEY, b BOOLEAN, i8 TINYINT, i16 SMALLINT, u8 UTINYINT, u16 USMALLINT, u32 UINTEGER, u64 "
      "UBIGINT, "
      "r FLOAT, d4 DECIMAL(4, 1), d18 DECIMAL(18, 3), d38 DECIMAL(38, 10), s VARCHAR, x BLOB, da DATE, ti TIME, "
      "ts TIMESTAMP, tz TIMESTAMPTZ, t_s TIMESTAMP_S, t_ms TIMESTAMP_MS, t_ns TIMESTAMP_NS, u UUID, z BIGINT DEFAULT "
      "7)";
  for (const std::string name : {"w", "c"}) {
    EXPECT_EQ(Run("CREATE TABLE " + name + " " + columns), "");
    EXPECT_EQ(
        Run("INSERT INTO " + name +
            " SELECT i, i % 3 = 0, i % 100 - 50, i - 300, i % 250, i * 60, i * 4000000, 18446744073709551615 - i, i / "
            "8, "
            "i / 10, -i / 7, i::DECIMAL(38, 10) / 3, 'text ' || i, encode('b' || i), DATE '1999-12-31' + i::INTEGER, "
            "TIME '00:00:00' + to_microseconds(i * 100000001), TIMESTAMP '1969-01-01' + to_hours(i), "
            "TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_minutes(i), TIMESTAMP '2000-01-01' + to_seconds(i), "
            "TIMESTAMP '2000-01-01' + to_milliseconds(i), TIMESTAMP '2000-01-01' + to_microseconds(i), "
            "md5(i::VARCHAR)::UUID, NULL FROM range(600) r(i)"),
        "600");
    EXPECT_EQ(Run("INSERT INTO " + name + " (id, da, ts) VALUES (-1, 'infinity', '-infinity'), (-2, NULL, NULL)"), "2");
  }
  EXPECT_FALSE(Run("CALL yarrow_flush('main.w')").starts_with("error"));
  EXPECT_EQ(Run("FROM w ORDER BY id DESC"), Run("FROM c ORDER BY id DESC"));
  for (const char* column : {"b", "i8", "i16", "u8", "u16", "u32", "u64", "r",    "d4",   "d18", "d38",
                             "s", "x",  "da",  "ti", "ts",  "tz",  "t_s", "t_ms", "t_ns", "u",   "z"}) {
    for (const char* op : {"<=", "=", ">", "IS DISTINCT FROM"}) {
      const std::string rest = std::string(" o WHERE o.") + column + " " + op + " (SELECT " + column +
                               " FROM c WHERE id = 299) ORDER BY o.id";
      EXPECT_EQ(Run("SELECT id FROM w" + rest), Run("SELECT id FROM c" + rest)) << column << op;
      const std::string value = Run(std::string("SELECT ") + column + " FROM c WHERE id = 299");
      if (value == "NULL") continue;
      const std::string constant = std::string(" WHERE ") + column + " " + op + " '" + value + "' ORDER BY id";
      EXPECT_EQ(Run("SELECT id FROM w" + constant), Run("SELECT id FROM c" + constant)) << column << op;
    }
  }
}

TEST_F(ColdScanTest, WithoutExternalAccess) {
  Run("SET enable_external_access = false");
  ExpectSame("SELECT count(*), sum(v) FROM ", " WHERE v > 100");
  EXPECT_EQ(SegmentsRead("SELECT sum(v) FROM t"), "4 of 4");
}

TEST_F(ColdScanTest, ADamagedSegmentIsAnErrorThatNamesIt) {
  std::string path;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.File("db/cold"))) {
    if (entry.path().extension() == ".parquet" && (path.empty() || entry.path().string() < path)) path = entry.path();
  }
  ASSERT_FALSE(path.empty());
  const auto size = std::filesystem::file_size(path);
  for (const auto at : {size / 8, size / 3, size / 2}) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }
  for (int twice = 0; twice < 2; ++twice) {
    const std::string error = Run("SELECT sum(v), max(name), sum(f), sum(id) FROM t");
    EXPECT_TRUE(error.starts_with("error") && error.find(path) != std::string::npos) << error;
  }
  EXPECT_EQ(Run("SELECT count(*) FROM t WHERE id >= 50000"), "150100");  // the others are there
}

TEST_F(ColdScanTest, SegmentsAreReadThroughTheirTableOnly) {
  const std::string error = Run("SELECT * FROM read_parquet('yarrow-segment:x')");
  EXPECT_NE(error.find("can be read through its table only"), std::string::npos) << error;
}

}  // namespace
}  // namespace yarrow::sql
