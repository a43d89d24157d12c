#include "sql/table_query.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class TableQueryTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    EXPECT_EQ(Run("CREATE TABLE t (id BIGINT PRIMARY KEY, \"odd \"\"name\" VARCHAR, v INTEGER)"), "");
    EXPECT_EQ(Run("INSERT INTO t SELECT range, 'n' || range, range % 100 FROM range(50000)"), "50000");
    EXPECT_EQ(Run("CREATE TABLE bare (v INTEGER)"), "");
    EXPECT_EQ(Run("INSERT INTO bare SELECT 30000 - range FROM range(30000)"), "30000");
  }

  arrow::Result<std::unique_ptr<TableQuery>> Open(const std::string& table, TableSelection selection) {
    ARROW_ASSIGN_OR_RAISE(const auto definition, database_->FindTable(table));
    return TableQuery::Open(database_, {}, *definition, std::move(selection));
  }

  // The cells of the first column, or the error.
  std::string Cells(const std::string& table, TableSelection selection) {
    selection.count = true;
    auto query = Open(table, std::move(selection));
    if (!query.ok()) return query.status().message();
    auto rows = (*query)->Run();
    if (!rows.ok()) return rows.status().message();
    std::string cells;
    for (std::shared_ptr<arrow::RecordBatch> batch;;) {
      const arrow::Status read = (*rows)->ReadNext(&batch);
      if (!read.ok()) return read.message();
      if (batch == nullptr) break;
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        cells += (cells.empty() ? "" : " ") + batch->column(0)->GetScalar(row).ValueOrDie()->ToString();
      }
    }
    metrics_ = (*query)->metrics();
    return cells;
  }
  std::string Cells(const std::string& condition) { return Cells("t", {.condition = condition}); }

  ScanMetrics metrics_;
};

TEST_F(TableQueryTest, AnyExpressionIsACondition) {
  EXPECT_EQ(Cells("id % 7 = 3 AND id < 20"), "3 10 17");
  EXPECT_EQ(Cells("\"odd \"\"name\" = 'n7'"), "7");
  EXPECT_EQ(Cells("id IN (SELECT max(id) FROM t)"), "49999");
  EXPECT_EQ(Cells("id = 5 -- the fifth"), "5");
  EXPECT_EQ(Cells("length(\"odd \"\"name\") = 2 AND v BETWEEN 3 AND 4 OR false"), "3 4");
  EXPECT_EQ(Cells("id = NULL"), "");
}

TEST_F(TableQueryTest, OnlyOneExpressionIsACondition) {
  for (const std::string text : {"1 = 1; DROP TABLE t", "id = 1) OR (1 = 1", "id = 1 FROM t", "id = 1, id = 2",
                                 "id = 1 AS x", "id = 1 ORDER BY 1", "id = 1 LIMIT 1", "DISTINCT id = 1",
                                 "id =", "id = 1 UNION SELECT true", "id = 1 WHERE true", "id = 1 GROUP BY ALL"}) {
    SCOPED_TRACE(text);
    const auto query = Open("t", {.condition = text});
    ASSERT_FALSE(query.ok());
    EXPECT_TRUE(query.status().IsInvalid());
  }
  EXPECT_EQ(Open("t", {.condition = "id = 1 FROM t"}).status().message(), "'id = 1 FROM t' is not one expression");
  EXPECT_EQ(Cells("v + 1"), "'v + 1' is no condition: it is of type INTEGER, not BOOLEAN");
  EXPECT_NE(Cells("count(*) > 3").find("WHERE clause cannot contain aggregates"), std::string::npos)
      << Cells("count(*) > 3");
  EXPECT_NE(Cells("nope = 1").find("Referenced column \"nope\" not found"), std::string::npos) << Cells("nope = 1");
  EXPECT_EQ(Cells("nope = 1").find('\n'), std::string::npos);
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "50000");
}

TEST_F(TableQueryTest, ReadsInKeyOrderAndNoMoreThanItNeeds) {
  EXPECT_EQ(Cells("t", {.condition = "id > 100", .limit = 3}), "101 102 103");
  EXPECT_EQ(metrics_.rows_visited, 3U);
  EXPECT_EQ(Cells("t", {.condition = "id < 100", .limit = 2, .reverse = true}), "99 98");
  EXPECT_EQ(metrics_.rows_visited, 2U);
  EXPECT_EQ(Cells("id = 77"), "77");
  EXPECT_EQ(metrics_.rows_visited, 1U);
  // A condition that the scan cannot test: it ends early all the same.
  EXPECT_EQ(Cells("t", {.columns = {"id"}, .condition = "id * 2 % 3 = 1", .limit = 2, .threads = 1}), "2 5");
  EXPECT_LT(metrics_.rows_visited, 30000U);
  EXPECT_EQ(Cells("t", {.condition = "id * 2 % 3 = 1", .limit = 2, .reverse = true, .threads = 1}), "49997 49994");
  EXPECT_LT(metrics_.rows_visited, 30000U);
  // Without a key rows come as they arrived.
  EXPECT_EQ(Cells("bare", {.condition = "v % 10000 = 0"}), "30000 20000 10000");
  EXPECT_EQ(Cells("bare", {.condition = "v % 10000 = 0", .limit = 2, .reverse = true}), "10000 20000");
}

TEST_F(TableQueryTest, OrderHoldsOverSegments) {
  for (const std::string table : {"t", "bare"}) {
    EXPECT_EQ(Run("CALL yarrow_flush('" + table + "')").find("error"), std::string::npos);
  }
  EXPECT_EQ(Run("INSERT INTO t VALUES (-1, 'new', 0), (60000, 'new', 0)"), "2");
  EXPECT_EQ(Run("INSERT INTO bare VALUES (40000)"), "1");
  EXPECT_EQ(Cells("id % 20000 IN (-1, 0)"), "-1 0 20000 40000 60000");
  EXPECT_EQ(Cells("t", {.condition = "id % 20000 IN (-1, 0)", .limit = 2, .reverse = true}), "60000 40000");
  EXPECT_EQ(Cells("bare", {.condition = "v % 10000 = 0"}), "30000 20000 10000 40000");
}

}  // namespace
}  // namespace yarrow::sql
