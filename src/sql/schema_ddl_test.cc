// CREATE SCHEMA and DROP SCHEMA in transactions.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "catalog/catalog.h"
#include "database/open_database.h"
#include "sql_fixture.h"
#include "table/database_impl.h"

namespace yarrow::sql {
namespace {

class SchemaDdlTest : public test::SqlFixture {
 protected:
  void ExpectError(const std::string& result, const std::vector<std::string>& parts) {
    EXPECT_EQ(result.substr(0, 6), "error:") << result;
    EXPECT_EQ(result.find("INTERNAL"), std::string::npos) << result;
    for (const std::string& part : parts) EXPECT_NE(result.find(part), std::string::npos) << part << ": " << result;
  }
  std::string Schemas(duckdb::Connection& connection) {
    return Run(connection,
               "SELECT string_agg(schema_name, ' ' ORDER BY schema_name) FROM duckdb_schemas() WHERE "
               "database_name = 'y' AND schema_name NOT IN ('main', 'system')");
  }
  std::string Schemas() { return Schemas(*connection_); }
};

TEST_F(SchemaDdlTest, RollbackBringsSchemasAndTheirRowsBack) {
  Run("CREATE SCHEMA s; CREATE TABLE s.x (a INT); INSERT INTO s.x VALUES (1), (2)");
  EXPECT_EQ(Run("BEGIN; DROP SCHEMA s CASCADE"), "");
  EXPECT_EQ(Schemas(), "NULL");
  ExpectError(Run("FROM s.x"), {"s"});
  Run("ROLLBACK");
  EXPECT_EQ(Run("SELECT sum(a) FROM s.x"), "3");
  EXPECT_EQ(Run("BEGIN; CREATE SCHEMA z; CREATE TABLE z.a (i INT); INSERT INTO z.a VALUES (7); FROM z.a"), "7");
  EXPECT_EQ(Schemas(), "s z");
  EXPECT_EQ(Schemas(*Connect()), "s");
  Run("ROLLBACK");
  EXPECT_EQ(Schemas(), "s");
  ExpectError(Run("FROM z.a"), {"z"});
  ASSERT_EQ(database_->Schemas(), (std::vector<std::string>{"main", "s", "system"}));
}

TEST_F(SchemaDdlTest, ATransactionDropsWhatItMade) {
  Run("CREATE SCHEMA s; CREATE TABLE s.old AS SELECT 1 AS a");
  EXPECT_EQ(Run("BEGIN; CREATE TABLE s.u (a INT); INSERT INTO s.u VALUES (5); DROP SCHEMA s CASCADE; COMMIT"), "");
  EXPECT_EQ(Schemas(), "NULL");
  EXPECT_EQ(Run("SELECT count(*) FROM y.system.tables"), "0");
  EXPECT_EQ(Run("BEGIN; CREATE SCHEMA s; DROP SCHEMA s; COMMIT"), "");
  EXPECT_EQ(Schemas(), "NULL");
  EXPECT_EQ(Run("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a"), "1");
  EXPECT_EQ(Run("BEGIN; DROP SCHEMA s CASCADE; CREATE SCHEMA S; CREATE TABLE s.t AS SELECT 2 AS b; FROM s.t"), "2");
  EXPECT_EQ(Run("COMMIT"), "");
  EXPECT_EQ(Schemas(), "S");
  EXPECT_EQ(Run(*Connect(), "SELECT b FROM s.t"), "2");
}

TEST_F(SchemaDdlTest, RefusalsComeBeforeAnythingIsDropped) {
  Run("CREATE TABLE important (id INT PRIMARY KEY); INSERT INTO important VALUES (1)");
  for (const char* name : {"main", "system", "MAIN"}) {
    ExpectError(Run("DROP SCHEMA y." + std::string(name) + " CASCADE"), {"part of every database"});
    EXPECT_EQ(Run("FROM important"), "1");
  }
  Run("CREATE SCHEMA s; CREATE TABLE s.t (a INT); INSERT INTO s.t VALUES (4)");
  ExpectError(Run("DROP SCHEMA s"), {"table \"t\" depends on schema \"s\"", "CASCADE"});
  ExpectError(Run("CREATE OR REPLACE SCHEMA s"), {"table \"t\" depends on schema \"s\""});
  ExpectError(Run("CREATE SCHEMA S"), {"already exists"});
  EXPECT_EQ(Run("CREATE SCHEMA IF NOT EXISTS s"), "");
  EXPECT_EQ(Run("FROM s.t"), "4");
  ExpectError(Run("DROP SCHEMA nowhere"), {"nowhere", "does not exist"});
  EXPECT_EQ(Run("DROP SCHEMA IF EXISTS nowhere CASCADE"), "");
  EXPECT_EQ(Run("DROP TABLE s.t; CREATE OR REPLACE SCHEMA s; DROP SCHEMA s"), "");
  EXPECT_EQ(Schemas(), "NULL");
}

TEST_F(SchemaDdlTest, OtherTransactionsKeepTheirSnapshot) {
  Run("CREATE SCHEMA s; CREATE TABLE s.x AS SELECT 7 AS a");
  const auto other = Connect();
  EXPECT_EQ(Run("BEGIN; FROM s.x"), "7");
  EXPECT_EQ(Run(*other, "DROP SCHEMA s CASCADE; CREATE SCHEMA late; CREATE TABLE late.x AS SELECT 1 AS a"), "1");
  EXPECT_EQ(Run("FROM s.x"), "7");
  EXPECT_EQ(Schemas(), "s");
  EXPECT_EQ(Schemas(*other), "late");
  ExpectError(Run(*other, "FROM s.x"), {"s"});
  Run("COMMIT");
  EXPECT_EQ(Schemas(), "late");
  EXPECT_EQ(Run("BEGIN; FROM late.x"), "1");
  EXPECT_EQ(Run(*other, "DROP SCHEMA late CASCADE; CREATE SCHEMA late; CREATE TABLE late.x AS SELECT 2 AS a"), "1");
  EXPECT_EQ(Run("FROM late.x"), "1");
  Run("COMMIT");
  EXPECT_EQ(Run("FROM late.x"), "2");
}

TEST_F(SchemaDdlTest, TheFirstCommitterWinsAndTheOtherMayTryAgain) {
  const auto other = Connect();
  const auto expect_conflict = [&](const std::string& mine, const std::string& others, const std::string& message) {
    SCOPED_TRACE(mine);
    Run("DROP SCHEMA IF EXISTS s CASCADE; DROP SCHEMA IF EXISTS n CASCADE");
    Run("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a");
    Run("BEGIN");
    ASSERT_EQ(Run("FROM s.t"), "1");
    const std::string result = Run(mine);
    ASSERT_EQ(result.find("error"), std::string::npos) << result;
    const std::string done = Run(*other, others);
    ASSERT_EQ(done.find("error"), std::string::npos) << done;
    const std::string error = Run("COMMIT");
    ExpectError(error, {"TransactionContext Error", message, "run the transaction again"});
  };
  const std::string drop = "DROP SCHEMA s CASCADE";
  expect_conflict("CREATE SCHEMA n", "CREATE SCHEMA N", "schema n exists already");
  expect_conflict("CREATE TABLE s.u (a INT)", drop, "table s.u: schema s was dropped");
  expect_conflict(drop, drop, "table s.t was dropped");
  expect_conflict("DROP TABLE s.t; DROP SCHEMA s", "DROP TABLE s.t; CREATE TABLE s.t (a INT)", "table s.t was dropped");
  expect_conflict(drop, "CREATE TABLE s.u AS SELECT 8 AS a", "another transaction made table s.u");
  EXPECT_EQ(Run("SELECT t.a, u.a FROM s.t, s.u"), "1|8") << "a commit that fails drops nothing";
  // What is certain is told by the statement.
  Run("BEGIN; FROM s.t");
  EXPECT_EQ(Run(*other, "CREATE SCHEMA n"), "");
  ExpectError(Run("CREATE SCHEMA n"), {"TransactionContext Error", "schema n exists already"});
  Run("ROLLBACK; BEGIN; FROM s.t");
  EXPECT_EQ(Run(*other, drop), "");
  ExpectError(Run("CREATE TABLE s.v (a INT)"), {"TransactionContext Error", "schema s was dropped"});
  Run("ROLLBACK");
  EXPECT_EQ(Run("CREATE SCHEMA s; CREATE TABLE s.v (a INT)"), "") << "again";
}

TEST_F(SchemaDdlTest, PlansOutliveTheirSchema) {
  Run("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a");
  auto query = connection_->Prepare("SELECT a FROM s.t");
  auto create = connection_->Prepare("CREATE TABLE s.made (a INT)");
  auto create_as = connection_->Prepare("CREATE TABLE s.copied AS FROM s.t");
  ASSERT_FALSE(query->HasError() || create->HasError() || create_as->HasError());
  Run("DROP SCHEMA s CASCADE");
  EXPECT_TRUE(query->Execute()->HasError());
  EXPECT_TRUE(create->Execute()->HasError());
  EXPECT_TRUE(create_as->Execute()->HasError());
  Run("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 2 AS a");
  EXPECT_EQ(query->Execute()->Fetch()->GetValue(0, 0).ToString(), "2");
  EXPECT_FALSE(create->Execute()->HasError());
  EXPECT_FALSE(create_as->Execute()->HasError());
  EXPECT_EQ(Run("FROM s.copied"), "2");
}

// The row ids of a table without a primary key are counted outside of the transaction.
TEST_F(SchemaDdlTest, ATransactionFillsAndDropsATableWithoutAKey) {
  for (const char* change : {"DROP TABLE f", "CREATE OR REPLACE TABLE f AS SELECT 7 AS a", "DROP SCHEMA s CASCADE"}) {
    SCOPED_TRACE(change);
    Run("CREATE SCHEMA IF NOT EXISTS s; CREATE OR REPLACE TABLE f AS SELECT 1 AS a");
    Run("CREATE OR REPLACE TABLE s.g AS SELECT 1 AS a");
    Run("BEGIN");
    EXPECT_EQ(Run("INSERT INTO f VALUES (2)"), "1");
    EXPECT_EQ(Run("INSERT INTO s.g VALUES (2)"), "1");
    const std::string changed = Run(change);
    EXPECT_EQ(changed.find("error"), std::string::npos) << changed;
    EXPECT_EQ(Run("COMMIT"), "");
  }
  EXPECT_EQ(Run("SELECT sum(a) FROM f"), "3");
  // Nor does the lease of another that does not commit stand in the way.
  const auto other = Connect();
  Run("BEGIN");
  Run("SELECT * FROM f");
  Run(*other, "BEGIN");
  EXPECT_EQ(Run(*other, "INSERT INTO f SELECT * FROM range(5000)"), "5000");
  Run(*other, "ROLLBACK");
  Run("DROP TABLE f");
  EXPECT_EQ(Run("COMMIT"), "");
}

// Queries beside schemas that come and go with their tables.
TEST_F(SchemaDdlTest, SchemasComeAndGoBesideQueries) {
  const std::string make = "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT i AS id FROM range(1000) r(i)";
  Run("BEGIN; " + make + "; COMMIT");
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n) {
    threads.emplace_back([&, n] {
      const auto connection = Connect();
      while (!stop) {
        if (n == 0) {
          const std::string listed = Run(*connection, "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 's'");
          EXPECT_TRUE(listed == "0" || listed == "1") << listed;
          continue;
        }
        Run(*connection, "BEGIN");
        const std::string first = Run(*connection, "SELECT count(*) FROM s.t");
        if (first.starts_with("error")) {
          EXPECT_NE(first.find("does not exist"), std::string::npos) << first;
        } else {
          EXPECT_EQ(first, "1000");
          EXPECT_EQ(Run(*connection, "SELECT count(*), sum(id) FROM s.t"), "1000|499500");
          ++answered;
        }
        Run(*connection, "ROLLBACK");
      }
    });
  }
  for (int round = 0; (round < 40 || answered == 0) && !HasFailure(); ++round) {
    EXPECT_EQ(Run("DROP SCHEMA s CASCADE"), "");
    if (round % 4 == 3) {
      EXPECT_EQ(Run("BEGIN; " + make), "1000");
      EXPECT_EQ(Run("ROLLBACK"), "");
    }
    EXPECT_EQ(Run("BEGIN; " + make), "1000");
    EXPECT_EQ(Run("COMMIT"), "");
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

// What is replaced in one commit is there all the time, for whoever looks.
TEST_F(SchemaDdlTest, ReplacedTablesAreAlwaysThereBesideQueries) {
  const std::string replace = "CREATE OR REPLACE TABLE t AS SELECT i AS id FROM range(100) r(i)";
  const std::string make = "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT i AS id FROM range(100) r(i)";
  Run(replace);
  Run(make);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n) {
    threads.emplace_back([&, n] {
      const auto connection = Connect();
      const std::string sql = "SELECT count(*), sum(id) FROM " + std::string(n == 1 ? "s.t" : "t");
      auto prepared = connection->Prepare(sql);
      while (!stop) {
        const auto result = n == 2 ? prepared->Execute() : connection->Query(sql);
        ASSERT_FALSE(result->HasError()) << result->GetError();
        EXPECT_EQ(result->Fetch()->GetValue(1, 0).ToString(), "4950");
      }
    });
  }
  for (int round = 0; round < 200; ++round) {
    EXPECT_EQ(Run(replace), "100");
    EXPECT_EQ(Run("BEGIN; DROP SCHEMA s CASCADE; " + make), "100");
    EXPECT_EQ(Run("COMMIT"), "");
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SchemaDdlTest, AViewWhoseBytesAreDamagedSaysSo) {
  EXPECT_EQ(Run("CREATE VIEW v AS SELECT 1 AS a; CREATE MACRO m(a) AS a"), "");
  yarrow::Catalog& catalog = ImplOf(*database_)->catalog();
  const auto view = catalog.View()->FindObject(ObjectKind::kView, {"main", "v"});
  const auto macro = catalog.View()->FindObject(ObjectKind::kMacro, {"main", "m"});
  for (const std::string& bytes : {std::string("\x01\xFF"), view->definition.substr(0, 20), macro->definition}) {
    auto damaged = std::make_shared<ObjectEntry>(*view);
    damaged->definition = bytes;
    damaged->created_at = std::make_shared<std::atomic<uint64_t>>(0);
    damaged->ended_at = std::make_shared<std::atomic<uint64_t>>(0);
    WriteSet writes;
    const auto present = catalog.View()->FindObject(ObjectKind::kView, {"main", "v"});
    ASSERT_OK(catalog.CommitChanges({.dropped_objects = {present}}, &writes).status());
    ASSERT_OK(catalog.CommitChanges({.created_objects = {damaged}}, &writes).status());
    ExpectError(Run("SELECT * FROM v"), {"IO Error", "view main.v", "CREATE OR REPLACE"});
    EXPECT_EQ(Run("SELECT m(2)"), "2");
    EXPECT_EQ(Run("CREATE OR REPLACE VIEW v AS SELECT 1 AS a; FROM v"), "1");
  }
}

}  // namespace
}  // namespace yarrow::sql
