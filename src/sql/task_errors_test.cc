#include "sql/task_errors.h"

#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <string>

#include "sql/sql_session.h"
#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class TaskErrorsTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    session_ = SqlSession::Open(database_).ValueOrDie();
  }

  // Reads all rows of the result.
  arrow::Status Read(const std::string& sql) {
    return session_->Run(sql, [](const SqlResult& result) {
      std::shared_ptr<arrow::RecordBatch> batch;
      do {
        ARROW_RETURN_NOT_OK(result.rows->ReadNext(&batch));
      } while (batch != nullptr);
      return arrow::Status::OK();
    });
  }

  std::unique_ptr<SqlSession> session_;
};

// One in a hundred of these queries, or in ten, once said "cancelled": so many are run that some of them would.
TEST_F(TaskErrorsTest, AnErrorOfAnotherThreadIsTold) {
  for (int i = 0; i < 200; ++i) {
    const auto read = Read(
        "SELECT CASE WHEN i = 900000 THEN ('x' || i)::BIGINT ELSE i END AS x FROM (SELECT i FROM range(1000000) r(i))");
    ASSERT_TRUE(read.IsInvalid()) << read.ToString();
    ASSERT_NE(read.message().find("Could not convert string 'x900000'"), std::string::npos) << read.ToString();
  }
  EXPECT_TRUE(Read("SELECT 1").ok());
}

TEST_F(TaskErrorsTest, ACancelIsStillOne) {
  for (int i = 0; i < 5; ++i) {
    const auto read =
        session_->Run("SELECT i, i::VARCHAR AS s FROM range(10000000) r(i)", [&](const SqlResult& result) {
          std::shared_ptr<arrow::RecordBatch> batch;
          ARROW_RETURN_NOT_OK(result.rows->ReadNext(&batch));
          session_->Interrupt();
          do {
            ARROW_RETURN_NOT_OK(result.rows->ReadNext(&batch));
          } while (batch != nullptr);
          return arrow::Status::OK();
        });
    EXPECT_TRUE(read.IsCancelled()) << read.ToString();
    session_->EndInterrupt();
    EXPECT_TRUE(Read("SELECT 1").ok());
  }
}

}  // namespace
}  // namespace yarrow::sql
