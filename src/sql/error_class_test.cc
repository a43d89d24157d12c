// The SQLSTATEs of errors as DuckDB and the layers below give them.
#include "sql/error_class.h"

#include <gtest/gtest.h>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class ErrorClassTest : public test::SqlFixture {
 protected:
  static std::string StateOf(duckdb::Connection& connection, const std::string& sql) {
    const std::string result = Run(connection, sql);
    return result.starts_with("error: ") ? SqlState(result.substr(7)) : "no error";
  }
  std::string StateOf(const std::string& sql) { return StateOf(*connection_, sql); }
};

TEST_F(ErrorClassTest, TextsThatAreNoErrorsOfDuckDb) {
  for (const char* text : {"", "Error: ", "Nonsense Error: x", "Parser", "The connection is null"}) {
    EXPECT_EQ(SqlState(text), "") << text;
  }
  EXPECT_EQ(ClassOf("Parser Error: x").name, "Parser");
}

TEST_F(ErrorClassTest, StatementsThatFail) {
  Run("CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL CHECK (n < 100), s VARCHAR, g AS (s::INT))");
  Run("CREATE SEQUENCE seq MINVALUE 0 MAXVALUE 1 START 1; CREATE TABLE u (a INT DEFAULT nextval('seq')); SELECT "
      "nextval('seq')");
  Run("CREATE TABLE r (t INT REFERENCES t); INSERT INTO t VALUES (1, 1, '1'); INSERT INTO r VALUES (1)");
  const std::pair<const char*, const char*> failures[] = {
      {"INSERT INTO t VALUES (1, 1, '1')", "23505"},
      {"INSERT INTO t VALUES (2, 1, '1'), (2, 2, '2')", "23505"},
      {"INSERT INTO t VALUES (2, NULL, '1')", "23502"},
      {"UPDATE t SET n = NULL", "23502"},
      {"UPDATE t SET n = 100", "23514"},
      {"UPDATE t SET s = 'x'", "23514"},
      {"SELECT 1 +", "42601"},
      {"FROM nowhere", "42P01"},
      {"DROP TABLE nowhere", "42P01"},
      {"SELECT nextval('nowhere')", "42P01"},
      {"SELECT nothing FROM t", "42703"},
      {"ALTER TABLE t DROP COLUMN nothing", "42703"},
      {"SELECT id FROM t a, t b", "42702"},
      {"SELECT no_function(id) FROM t", "42883"},
      {"SELECT abs('x', 2)", "42883"},
      {"SELECT id, count(*) FROM t", "42803"},
      {"CREATE TABLE t (a INT)", "42P07"},
      {"CREATE SCHEMA main", "42P06"},
      {"CREATE TABLE nowhere.t (a INT)", "3F000"},
      {"SELECT 'x'::INT", "22018"},
      {"SELECT 2147483647::INT + 1::INT", "22003"},
      {"SELECT nextval('seq')", "2200H"},
      {"DROP SEQUENCE seq", "2BP01"},
      {"INSERT INTO r VALUES (9)", "23503"},
      {"DELETE FROM t", "23503"},
      {"CREATE TABLE x (a INT[] PRIMARY KEY)", "42804"},
      {"CREATE TABLE un AS SELECT 1 AS a FROM range(2); CREATE UNIQUE INDEX ui ON un (a)", "23505"},
      {"FROM '/no/such/file.csv'", "58030"},
      {"ROLLBACK", "25P01"},
      {"BEGIN; BEGIN", "25001"},
  };
  for (const auto& [sql, state] : failures) {
    EXPECT_EQ(StateOf(sql), state) << sql << ": " << Run(sql);
    Run("ROLLBACK");
  }
}

TEST_F(ErrorClassTest, TransactionsThatFail) {
  Run("CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 1)");
  const auto other = Connect();
  Run("BEGIN; UPDATE t SET n = 2");
  Run(*other, "UPDATE t SET n = 3");
  EXPECT_EQ(StateOf("COMMIT"), "40001");
  Run("BEGIN; SELECT count(*) FROM t");
  Run(*other, "UPDATE t SET n = 4");
  EXPECT_EQ(StateOf("UPDATE t SET n = 5"), "40001");
  EXPECT_EQ(StateOf("FROM t"), "25P02");
  Run("ROLLBACK; BEGIN; ALTER TABLE t ADD COLUMN m INT");
  Run(*other, "ALTER TABLE t ADD COLUMN m INT");
  EXPECT_EQ(StateOf("COMMIT"), "40001");
}

// As in DuckDB: what a statement says wrongly leaves the transaction, what goes wrong with rows ends it.
TEST_F(ErrorClassTest, WhatIsLeftOfATransactionIsAsInDuckDb) {
  for (const std::string database : {"y", "memory"}) {
    Run("USE " + database + "; CREATE TABLE t (id INT PRIMARY KEY, n INT CHECK (n > 0)); INSERT INTO t VALUES (1, 1)");
    for (const auto& [sql, goes_on] : {std::pair("SELEC", true),
                                       {"FROM nowhere", true},
                                       {"SELECT nothing FROM t", true},
                                       {"INSERT INTO t VALUES (1, 1)", false},
                                       {"UPDATE t SET n = 0", false},
                                       {"SELECT ('x' || id)::INT FROM t", false}}) {
      Run("BEGIN");
      EXPECT_TRUE(Run(sql).starts_with("error: ")) << database << ": " << sql;
      EXPECT_EQ(StateOf("INSERT INTO t VALUES (2, 2)"), goes_on ? "no error" : "25P02") << database << ": " << sql;
      Run("ROLLBACK");
    }
  }
}

}  // namespace
}  // namespace yarrow::sql
