#include "yarrow/type.h"

#include <arrow/type.h>

#include "arrow_assert.h"

namespace yarrow {
namespace {

TEST(ColumnTypeTest, NamesReadBack) {
  for (int id = 1; id <= 18; ++id) {
    ColumnType type(static_cast<TypeId>(id));
    if (type.id == TypeId::kDecimal128) type = ColumnType::Decimal(10, 2);
    ASSERT_OK_AND_ASSIGN(const ColumnType parsed, ColumnType::Parse(type.ToString()));
    EXPECT_EQ(parsed, type) << type.ToString();
    ASSERT_OK_AND_ASSIGN(const ColumnType from_arrow, ColumnType::FromArrow(*type.ToArrow()));
    EXPECT_EQ(from_arrow, type) << type.ToString();
  }
}

}  // namespace
}  // namespace yarrow
