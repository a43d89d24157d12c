#include "type/type_widening.h"

#include <gtest/gtest.h>

#include "yarrow/value.h"

namespace yarrow {
namespace {

TEST(TypeWideningTest, OnlyWhereEveryValueStaysOne) {
  const auto widens = [](const char* from, const char* to) {
    return IsWidening(ColumnType::Parse(from).ValueOrDie(), ColumnType::Parse(to).ValueOrDie());
  };
  EXPECT_TRUE(widens("TINYINT", "SMALLINT"));
  EXPECT_TRUE(widens("INTEGER", "BIGINT"));
  EXPECT_TRUE(widens("UTINYINT", "UBIGINT"));
  EXPECT_TRUE(widens("UINTEGER", "BIGINT"));
  EXPECT_TRUE(widens("INTEGER", "DOUBLE"));
  EXPECT_TRUE(widens("UINTEGER", "DOUBLE"));
  EXPECT_TRUE(widens("FLOAT", "DOUBLE"));
  EXPECT_TRUE(widens("DECIMAL(10,2)", "DECIMAL(12,2)"));

  EXPECT_FALSE(widens("INTEGER", "INTEGER"));
  EXPECT_FALSE(widens("BIGINT", "INTEGER"));
  EXPECT_FALSE(widens("INTEGER", "UBIGINT"));
  EXPECT_FALSE(widens("UINTEGER", "INTEGER"));
  EXPECT_FALSE(widens("BIGINT", "DOUBLE"));
  EXPECT_FALSE(widens("UBIGINT", "DOUBLE"));
  EXPECT_FALSE(widens("SMALLINT", "FLOAT"));
  EXPECT_FALSE(widens("DOUBLE", "FLOAT"));
  EXPECT_FALSE(widens("DECIMAL(10,2)", "DECIMAL(12,3)"));
  EXPECT_FALSE(widens("DECIMAL(12,2)", "DECIMAL(10,2)"));
  EXPECT_FALSE(widens("BOOLEAN", "INTEGER"));
  EXPECT_FALSE(widens("DATE", "TIMESTAMP"));
  EXPECT_FALSE(widens("INTEGER", "VARCHAR"));
}

}  // namespace
}  // namespace yarrow
