#include "sql/sql_session.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

using SqlSessionTest = test::SqlFixture;

// DuckDB would read the offsets of the texts as numbers.
TEST_F(SqlSessionTest, InsertRefusesABatchOfOtherTypesThanItsStream) {
  ASSERT_EQ(Run("CREATE TABLE t (v INTEGER)"), "");
  arrow::StringBuilder builder;
  ASSERT_OK(builder.Append("a text"));
  ASSERT_OK_AND_ASSIGN(const auto texts, builder.Finish());
  const auto declared = arrow::schema({arrow::field("v", arrow::int32())});
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("v", arrow::utf8())}), 1, {texts});
  ASSERT_OK_AND_ASSIGN(const auto rows, arrow::RecordBatchReader::Make({batch}, declared));
  ASSERT_OK_AND_ASSIGN(const auto session, SqlSession::Open(database_, {}));
  EXPECT_ERROR_HAS(session->Insert({"main", "t"}, rows.get(), false), "column v: a batch has type string");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
}

}  // namespace
}  // namespace yarrow::sql
