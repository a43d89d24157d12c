// What CREATE TABLE takes and what it refuses.
#include <gtest/gtest.h>

#include "sql/sql_fixture_test.h"

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

// They are stored as values: what another moment or user would give another value is refused.
TEST_F(CreateTableTest, DefaultsOfTheMomentAreRefused) {
  Run("SET VARIABLE x = 'a'");
  for (const char* moment :
       {"now()", "current_timestamp", "current_date", "today()", "get_current_time()", "current_localtimestamp()",
        "current_user", "user", "current_schema()", "current_database()", "current_setting('TimeZone')",
        "getvariable('x')", "version()", "localtime", "random()", "uuid()", "'by ' || session_user",
        "CAST(now() AS VARCHAR)", "CASE WHEN txid_current() > 5 THEN 'a' ELSE 'b' END"}) {
    ExpectRefused("CREATE TABLE u (a VARCHAR DEFAULT " + std::string(moment) + ")",
                  {"main.u", "column a", "is not a constant", "in each INSERT"});
  }
  ExpectRefused("CREATE TABLE u (a TIMESTAMP DEFAULT now())", {"the default now()"});
}

TEST_F(CreateTableTest, CollationsAreRefused) {
  ExpectRefused("CREATE TABLE u (a INT, x VARCHAR COLLATE NOCASE PRIMARY KEY)",
                {"main.u", "column x", "COLLATE NOCASE"});
  ExpectRefused("CREATE TABLE u AS SELECT 'a' COLLATE NOCASE AS x", {"main.u", "column x", "COLLATE NOCASE"});
  EXPECT_EQ(Run("SET default_collation = 'nocase'; CREATE TABLE v (x VARCHAR); INSERT INTO v VALUES ('a')"), "1");
  EXPECT_EQ(Run("SELECT count(*) FROM v WHERE x = 'A'"), "1");
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
