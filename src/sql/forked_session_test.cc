// SQL in a forked child: an error at the first statement, and an end that waits for no thread.
#include <arrow/record_batch.h>

#include <string>

#include "forked.h"
#include "sql/sql_session.h"
#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

using test::ChildEnd;
using test::InForkedChild;

constexpr const char* kForkFirst = "fork first and open afterwards";

class ForkedSessionTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    Run("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR)");
    Run("INSERT INTO t SELECT range, 'name ' || range FROM range(20000)");
    Run("CALL yarrow_flush('t')");
    Run("INSERT INTO t SELECT range, 'name ' || range FROM range(20000, 40000)");
  }
};

TEST_F(ForkedSessionTest, EachStatementIsAnError) {
  const auto in_transaction = Connect();
  Run(*in_transaction, "BEGIN");
  Run(*in_transaction, "DELETE FROM t WHERE id = 1");
  auto prepared = connection_->Prepare("SELECT name FROM t WHERE id = $1");
  EXPECT_FALSE(prepared->Execute(7)->HasError());
  InForkedChild([&] {
    for (const char* sql :
         {"SELECT count(*) FROM t", "SELECT name FROM t WHERE id = 7", "SELECT * FROM y.system.tables",
          "INSERT INTO t VALUES (-1, '')", "UPDATE t SET name = ''", "DELETE FROM t", "DROP TABLE t", "SHOW TABLES",
          "CREATE TABLE u (id BIGINT PRIMARY KEY)", "CALL yarrow_flush('t')", "CALL yarrow_set('scan_threads', 1)"}) {
      EXPECT_NE(Run(sql).find(kForkFirst), std::string::npos) << sql << ": " << Run(sql);
    }
    const auto again = prepared->Execute(7);
    EXPECT_TRUE(again->HasError());
    EXPECT_NE(Run(*in_transaction, "COMMIT").find(kForkFirst), std::string::npos);
  });
  EXPECT_EQ(Run(*in_transaction, "COMMIT").find("error"), std::string::npos);
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "39999");
}

TEST_F(ForkedSessionTest, ASessionAndItsRowsToo) {
  ASSERT_OK_AND_ASSIGN(auto session, SqlSession::Open(database_, {}));
  for (const ChildEnd end : {ChildEnd::kAtOnce, ChildEnd::kByExit}) {
    std::shared_ptr<arrow::RecordBatchReader> rows;
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_OK(session->Run("FROM t", [&](const SqlResult& result) {
      rows = result.rows;
      return rows->ReadNext(&batch);
    }));
    InForkedChild(
        [&] {
          EXPECT_ERROR_HAS(session->Run("SELECT 1", [](const SqlResult&) { return arrow::Status::OK(); }), kForkFirst);
          EXPECT_ERROR_HAS(rows->ReadNext(&batch), kForkFirst);
          EXPECT_ERROR_HAS(SqlSession::Open(database_, {}), kForkFirst);
          EXPECT_FALSE(session->InTransaction());
          session->Interrupt();
          rows.reset();
          session.reset();
        },
        end);
  }
  EXPECT_OK(session->Run("SELECT 1", [](const SqlResult&) { return arrow::Status::OK(); }));
}

}  // namespace
}  // namespace yarrow::sql
