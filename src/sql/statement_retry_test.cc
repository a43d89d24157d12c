// Autocommit statements that lose a race run again; inside BEGIN all conflicts are one kind of error; COMMIT of a
// transaction that cannot be committed is an error.
#include <sys/stat.h>

#include <fstream>
#include <thread>
#include <vector>

#include "sql/sql_session.h"
#include "sql_fixture.h"

namespace yarrow {
namespace {

using sql::SqlSession;

// The rows of the last statement as text, or the error.
std::string RunIn(SqlSession& session, const std::string& script) {
  std::string text;
  const arrow::Status status = session.Run(script, [&](const sql::SqlResult& result) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto table, result.rows->ToTable());
    text.clear();
    for (int64_t row = 0; row < table->num_rows(); ++row) {
      ARROW_ASSIGN_OR_RAISE(const auto cell, table->column(0)->GetScalar(row));
      text += cell->ToString() + ";";
    }
    return arrow::Status::OK();
  });
  return status.ok() ? text : "error: " + status.message();
}

class StatementRetryTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)");
    Run("INSERT INTO t VALUES (1, 0)");
  }
  std::unique_ptr<SqlSession> OpenSession() { return *SqlSession::Open(database_); }
};

TEST_F(StatementRetryTest, AutocommitStatementsBesideQueriesRunAgain) {
  const std::vector<std::string> statements = {
      "UPDATE t SET v = v + 1 WHERE id = 1", "UPDATE t SET v = v + 1 WHERE id = 1 RETURNING v",
      "MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = v + 1",
      "EXECUTE increment"};
  std::vector<std::thread> threads;
  std::vector<std::string> errors(statements.size());
  for (size_t i = 0; i < statements.size(); ++i) {
    threads.emplace_back([&, i] {
      const auto session = OpenSession();
      RunIn(*session, "PREPARE increment AS UPDATE t SET v = v + 1 WHERE id = 1");
      for (int n = 0; n < 50; ++n) {
        const std::string result = RunIn(*session, statements[i]);
        if (result.starts_with("error")) errors[i] = result;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& error : errors) EXPECT_EQ(error, "");
  EXPECT_EQ(Run("SELECT v FROM t"), "200");
}

TEST_F(StatementRetryTest, WhatReadsAPipeRunsOnce) {
  const std::string pipe = dir_.File("pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto session = OpenSession();
  std::string result;
  std::thread reader([&] {
    result = RunIn(*session, "INSERT INTO t FROM read_csv('" + pipe +
                                 "', auto_detect = false, header = false, delim = ',', "
                                 "columns = {'id': 'BIGINT', 'v': 'BIGINT'})");
  });
  {
    std::ofstream writer(pipe);  // opens when the statement reads, and so has its snapshot
    Run("INSERT INTO t VALUES (2, 7)");
    writer << "2,8\n";
  }
  reader.join();
  EXPECT_NE(result.find("TransactionContext Error: "), std::string::npos) << result;
  EXPECT_NE(result.find("write conflict: "), std::string::npos) << result;
  EXPECT_EQ(Run("SELECT v FROM t WHERE id = 2"), "7");
}

TEST_F(StatementRetryTest, ConflictsInATransactionAreOneKindOfError) {
  const auto session = OpenSession();
  const auto expect_conflict = [&](const std::string& mine, const std::string& others, const std::string& what) {
    Run("CREATE OR REPLACE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)");
    Run("INSERT INTO t VALUES (1, 0)");
    ASSERT_EQ(RunIn(*session, "BEGIN; SELECT count(*) FROM t"), "1;");
    const std::string other = Run(others);
    ASSERT_FALSE(other.starts_with("error")) << others << ": " << other;
    std::string result = RunIn(*session, mine);
    if (!result.starts_with("error")) result = RunIn(*session, "COMMIT");
    EXPECT_NE(result.find("TransactionContext Error: "), std::string::npos) << mine << ": " << result;
    EXPECT_NE(result.find("write conflict: "), std::string::npos) << mine << ": " << result;
    EXPECT_NE(result.find(what), std::string::npos) << mine << ": " << result;
    EXPECT_TRUE(result.ends_with("; run the transaction again")) << mine << ": " << result;
    RunIn(*session, "ROLLBACK");
  };
  const std::string update = "UPDATE t SET v = 5 WHERE id = 1";
  expect_conflict(update, "UPDATE t SET v = 6 WHERE id = 1", "table main.t with key (1)");
  expect_conflict("DELETE FROM t", "UPDATE t SET v = 6 WHERE id = 1", "table main.t with key (1)");
  expect_conflict("INSERT INTO t VALUES (2, 1)", "INSERT INTO t VALUES (2, 2)", "table main.t with key (2)");
  for (const std::string alter : {"ALTER TABLE t ADD COLUMN w BIGINT", "ALTER TABLE t RENAME v TO w", "DROP TABLE t"}) {
    expect_conflict(update, alter, "t");
    expect_conflict("INSERT INTO t VALUES (3, 3)", alter, "t");
    expect_conflict("DELETE FROM t", alter, "t");
    expect_conflict("ALTER TABLE t ADD COLUMN z BIGINT", alter, "t");
    expect_conflict("DROP TABLE t", alter, "t");
    Run("DROP TABLE IF EXISTS t");
  }
  expect_conflict("CREATE TABLE u (a INT)", "CREATE TABLE u (a INT)", "u");
  expect_conflict("CREATE SCHEMA s", "CREATE SCHEMA s", "s");
}

TEST_F(StatementRetryTest, CommitOfAFailedTransactionIsAnError) {
  const auto session = OpenSession();
  const std::string failing = "INSERT INTO t VALUES (1, 1)";
  for (const std::string commit : {"COMMIT", "END"}) {
    RunIn(*session, "BEGIN; INSERT INTO t VALUES (2, 2)");
    ASSERT_NE(RunIn(*session, failing).find("Constraint Error"), std::string::npos);
    const std::string result = RunIn(*session, commit);
    EXPECT_NE(result.find("TransactionContext Error: nothing was committed"), std::string::npos) << result;
    EXPECT_NE(result.find("key (1)"), std::string::npos) << result;  // why
    EXPECT_FALSE(session->InTransaction());
    EXPECT_EQ(RunIn(*session, "SELECT id FROM t"), "1;");
  }
  RunIn(*session, "BEGIN");
  RunIn(*session, failing);
  EXPECT_EQ(RunIn(*session, "ROLLBACK"), "");
  // Errors that leave the transaction alone do not count, and the next one knows nothing of the last.
  RunIn(*session, "BEGIN; INSERT INTO t VALUES (3, 3)");
  EXPECT_NE(RunIn(*session, "SELECT nope FROM t").find("Binder Error"), std::string::npos);
  EXPECT_EQ(RunIn(*session, "COMMIT"), "");
  EXPECT_EQ(Run("SELECT id FROM t ORDER BY id"), "1\n3");
}

}  // namespace
}  // namespace yarrow
