// What CREATE TABLE takes and what it refuses.
#include <gtest/gtest.h>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class CreateTableTest : public test::SqlFixture {
 protected:
  void ExpectRefused(const std::string& sql, const std::vector<std::string>& parts) {
    const std::string error = Run(sql);
    EXPECT_EQ(error.substr(0, 6), "error:") << sql;
    for (const std::string& part : parts) EXPECT_NE(error.find(part), std::string::npos) << sql << ": " << error;
    EXPECT_EQ(Run("SELECT count(*) FROM y.system.tables WHERE table_name = 'u'"), "0") << sql;
  }
};

TEST_F(CreateTableTest, DefaultsAreConstantExpressions) {
  EXPECT_EQ(
      Run("CREATE TABLE t (id INT PRIMARY KEY, n INT DEFAULT 2 * 3 + length('abc'), d DATE DEFAULT '2024-01-31', "
          "s VARCHAR DEFAULT concat('a', upper('b')), f DOUBLE DEFAULT round(pi(), 2), b BOOLEAN DEFAULT (NOT true), "
          "u UUID DEFAULT CAST('fedcba98-7654-3210-0123-456789abcdef' AS UUID), z INT DEFAULT NULL)"),
      "");
  EXPECT_EQ(Run("INSERT INTO t (id) VALUES (1)"), "1");
  EXPECT_EQ(Run("FROM t"), "1|9|2024-01-31|aB|3.14|false|fedcba98-7654-3210-0123-456789abcdef|NULL");
}

// Stored as what SQL computes: another moment, row or user gives another value.
TEST_F(CreateTableTest, DefaultsOfTheMomentAreComputedForEachRow) {
  Run("SET VARIABLE x = 'a'");
  for (const std::string moment :
       {"now()", "current_timestamp", "current_date", "today()", "get_current_time()", "current_localtimestamp()",
        "current_user", "user", "current_schema()", "current_database()", "current_setting('TimeZone')",
        "getvariable('x')", "version()", "localtime", "random()", "uuid()", "'by ' || session_user",
        "CAST(now() AS VARCHAR)", "CASE WHEN txid_current() > 5 THEN 'a' ELSE 'b' END"}) {
    ASSERT_EQ(Run("CREATE OR REPLACE TABLE u (i INT, a VARCHAR DEFAULT " + moment + ")"), "") << moment;
    EXPECT_EQ(Run("SELECT column_default, default_expression IS NOT NULL FROM y.system.columns WHERE column_name = "
                  "'a'"),
              "NULL|true")
        << moment;
    EXPECT_EQ(Run("BEGIN; INSERT INTO u (i) VALUES (1), (2)"), "2") << moment;
    EXPECT_EQ(Run("INSERT INTO u VALUES (3, DEFAULT)"), "1") << moment;
    const bool differs = moment == "random()" || moment == "uuid()";
    EXPECT_EQ(Run("SELECT count(a), count(DISTINCT a) FROM u"), differs ? "3|3" : "3|1") << moment;
    Run("COMMIT");
  }
  Run("CREATE OR REPLACE TABLE u (i INT, a VARCHAR DEFAULT getvariable('x')); INSERT INTO u (i) VALUES (1)");
  Run("SET VARIABLE x = 'b'; INSERT INTO u (i) VALUES (2)");
  EXPECT_EQ(Run("SELECT string_agg(a, '' ORDER BY i) FROM u"), "ab");
}

// What a statement says of a table is kept, or the statement is refused: nothing is passed over.
TEST_F(CreateTableTest, WhatWouldNotBeKeptIsRefused) {
  ExpectRefused("CREATE TABLE u (a INT[] UNIQUE)", {"main.u", "UNIQUE", "column 'a'", "cannot be in a key"});
  ExpectRefused("CREATE TABLE u (a INT PRIMARY KEY, b INT REFERENCES u (a) ON DELETE CASCADE)", {"FOREIGN KEY"});
  ExpectRefused("CREATE TABLE u (a INT) PARTITIONED BY (a)", {"Table u", "PARTITIONED BY"});
  ExpectRefused("CREATE TABLE u (a INT) SORTED BY (a)", {"Table u", "SORTED BY"});
  ExpectRefused("CREATE TABLE u (a INT[] PRIMARY KEY)", {"main.u", "INTEGER[]"});
  ExpectRefused("CREATE TABLE u (a INT PRIMARY KEY, b INT, PRIMARY KEY (b))", {"u", "primary key"});
  ExpectRefused("CREATE TEMP TABLE y.main.u (a INT)", {"temp"});
  ExpectRefused("CREATE TABLE u (a INT) WITH (color = 'red')", {"main.u", "color"});
  ExpectRefused("CREATE TABLE u (a INT) WITH (flush_rows = 1.5)", {"main.u", "flush_rows", "1.5"});
  ExpectRefused("CREATE TABLE u (a INT) WITH (flush_rows = '1.5')", {"main.u", "flush_rows", "1.5"});
  ExpectRefused("CREATE TABLE u (a INT) WITH (flush_rows = true)", {"main.u", "flush_rows", "BOOLEAN"});
  ExpectRefused("CREATE TABLE u (a INT) WITH (flush_rows)", {"main.u", "flush_rows", "NULL"});
  ExpectRefused("CREATE TABLE u (a INT) WITH (ttl_column = NULL, ttl = 5)", {"main.u", "ttl_column", "NULL"});
  // Such a name stands for its type, to DuckDB as well.
  Run("CREATE TYPE memory.main.money AS DECIMAL(10, 2); CREATE TABLE w (m memory.main.money)");
  EXPECT_EQ(Run("SELECT column_type FROM (DESCRIBE w)"), "DECIMAL(10,2)");
  Run("DROP TABLE w");
  // Nobody declared the type of a sum.
  EXPECT_EQ(Run("CREATE TABLE w AS SELECT sum(i) AS s FROM range(10) r(i)"), "1");
  EXPECT_EQ(Run("SELECT column_type, s FROM (DESCRIBE w), w"), "HUGEINT|45");
  EXPECT_EQ(Run("DROP TABLE w; CREATE OR REPLACE TABLE w (s DOUBLE); INSERT INTO w SELECT sum(i) FROM range(10) r(i)"),
            "1");
  Run("DROP TABLE w");
  EXPECT_EQ(Run("CREATE TABLE v (a INT PRIMARY KEY) WITH (flush_rows = '1000', flush_bytes = 2000.0)"), "");
  EXPECT_EQ(Run("SELECT flush_rows, flush_bytes FROM y.system.tables"), "1000|2000");
}

TEST_F(CreateTableTest, WhatWouldNotBeKeptIsRefusedOfAnAlteration) {
  Run("CREATE TABLE t (id INT PRIMARY KEY, n INT, s VARCHAR)");
  const auto expect = [&](const std::string& change, const std::vector<std::string>& parts) {
    const std::string error = Run("ALTER TABLE t " + change);
    EXPECT_EQ(error.substr(0, 6), "error:") << change;
    for (const std::string& part : parts) EXPECT_NE(error.find(part), std::string::npos) << change << ": " << error;
    EXPECT_EQ(Run("SELECT string_agg(column_name || ' ' || column_type, ' ') FROM (DESCRIBE t)"),
              "id INTEGER n INTEGER s VARCHAR")
        << change;
  };
  expect("ALTER id TYPE HUGEINT", {"main.t", "column id", "PRIMARY KEY"});
  expect("ALTER nowhere TYPE HUGEINT", {"nowhere", "id, n, s"});
  expect("ADD COLUMN e INT AS (n + 1)", {"generated columns"});
  expect("ADD COLUMN e INT NOT NULL", {"constraints"});
  expect("ADD COLUMN e INT CHECK (e > 0)", {"constraints"});
  expect("ALTER n TYPE BIGINT USING nowhere::BIGINT", {"nowhere"});
  expect("SET SORTED BY (n)", {"main.t"});
  expect("SET PARTITIONED BY (n)", {"main.t"});
  expect("SET (flush_rows = 2.5)", {"main.t", "flush_rows", "2.5"});
  expect("ADD UNIQUE (n)", {"ALTER TABLE"});
  expect("SET (nothing = 1)", {"main.t", "nothing"});
  EXPECT_NE(Run("COMMENT ON COLUMN t.nowhere IS 'x'").find("nowhere"), std::string::npos);
  EXPECT_EQ(Run("ALTER TABLE t ALTER n TYPE BIGINT USING CAST(n AS BIGINT)"), "");
}

// Both ways: what DuckDB's database has, and what ours has.
TEST_F(CreateTableTest, CopiesOfDatabasesKeepWhatBelongsToTables) {
  Run("USE memory; CREATE SEQUENCE s START 7; CREATE TABLE c (a INT DEFAULT nextval('s'), b INT CHECK (b > 0), g AS (a "
      "+ b)); COMMENT ON COLUMN c.a IS 'a column'; COMMENT ON TABLE c IS 'a table'; INSERT INTO c (b) VALUES (1), (2)");
  Run("ATTACH ':memory:' AS third; USE y");
  ASSERT_EQ(Run("COPY FROM DATABASE memory TO y"), "");
  ASSERT_EQ(Run("COPY FROM DATABASE y TO third"), "");
  for (const std::string database : {"memory", "y", "third"}) {
    Run("USE " + database);
    EXPECT_EQ(Run("SELECT t.comment, c.comment FROM duckdb_tables() t, duckdb_columns() c WHERE t.database_name = '" +
                  database + "' AND c.database_name = '" + database + "' AND column_name = 'a'"),
              "a table|a column")
        << database;
    EXPECT_EQ(Run("INSERT INTO c (b) VALUES (5)"), "1") << database;
    EXPECT_EQ(Run("SELECT a, b, g FROM c ORDER BY b"), "7|1|8\n8|2|10\n9|5|14") << database;
    EXPECT_NE(Run("INSERT INTO c (b) VALUES (0)").find("CHECK constraint failed"), std::string::npos) << database;
  }
}

TEST_F(CreateTableTest, OptionsOfAttachAreKeptOrRefused) {
  const auto attach = [&](const std::string& options) {
    return Run("ATTACH '" + dir_.File("other").string() + "' AS o (TYPE yarrow" + options + ")");
  };
  const auto expect_refused = [&](const std::string& options, const std::string& part) {
    const std::string error = attach(options);
    EXPECT_EQ(error.substr(0, 6), "error:") << options;
    EXPECT_NE(error.find(part), std::string::npos) << options << ": " << error;
  };
  expect_refused(", recovery_mode 'no_wal_writes'", "recovery_mode");
  expect_refused(", vacuum_rebuild_indexes 5", "vacuum_rebuild_indexes");
  expect_refused(", block_size 16384", "block_size");
  expect_refused(", encryption_key 'x'", "encryption_key");
  expect_refused(", user NULL", "\"user\"");
  EXPECT_EQ(attach(", default_table 'main.d'"), "");
  EXPECT_EQ(Run("CREATE TABLE o.d AS SELECT 7 AS a; FROM o"), "7");
  EXPECT_EQ(Run("DETACH o"), "");
  EXPECT_EQ(attach(", READ_ONLY"), "");
  for (const char* write : {"INSERT INTO o.d VALUES (8)", "CALL yarrow_flush('o.d')", "CALL yarrow_compact('o.d')",
                            "CALL yarrow_expire('o.d')", "CALL yarrow_set('open_segments', '7', database := 'o')"}) {
    const std::string error = Run(write);
    EXPECT_EQ(error.substr(0, 6), "error:") << write;
    EXPECT_NE(duckdb::StringUtil::Lower(error).find("read"), std::string::npos) << write << ": " << error;
  }
  EXPECT_EQ(Run("FROM o.d"), "7");
}

TEST_F(CreateTableTest, WhatAConstraintRefusesIsTold) {
  Run("CREATE TABLE k (id INT PRIMARY KEY, v INT NOT NULL); CREATE TABLE n (a INT, v INT NOT NULL)");
  Run("INSERT INTO k VALUES (1, 1)");
  const auto expect = [&](const std::string& sql, const std::string& part, const std::string& absent) {
    const std::string error = Run(sql);
    EXPECT_NE(error.find(part), std::string::npos) << sql << ": " << error;
    EXPECT_EQ(error.find(absent), std::string::npos) << sql << ": " << error;
  };
  expect("INSERT INTO k VALUES (2, NULL)", "table main.k, column v, key (2)", "upsert");
  expect("INSERT INTO n VALUES (2, NULL)", "table main.n, column v: NULL", "key");
  expect("INSERT INTO n SELECT i, CASE WHEN i < 9000 THEN i END FROM range(10000) r(i)", "column v: NULL", "key");
  expect("INSERT INTO k VALUES (1, 2)", "key (1) already; UPDATE it, or INSERT with ON CONFLICT or OR REPLACE",
         "upsert");
  expect("INSERT INTO k VALUES (5, 2), (5, 3)", "key (5) already; UPDATE it, or INSERT with ON CONFLICT", "upsert");
  expect("INSERT INTO k SELECT 10 + i // 2, i FROM range(400000) r(i)", "; INSERT OR IGNORE keeps one of them",
         "upsert");
  EXPECT_EQ(Run("INSERT OR IGNORE INTO k VALUES (5, 2), (5, 3)"), "1");
}

}  // namespace
}  // namespace yarrow::sql
