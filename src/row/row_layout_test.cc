#include "row/row_layout.h"

#include "arrow_assert.h"

namespace yarrow {
namespace {

TEST(RowLayoutTest, RowReadsBack) {
  ASSERT_OK_AND_ASSIGN(const RowLayout layout,
                       RowLayout::Make(7, {TypeId::kInt64, TypeId::kUtf8, TypeId::kBool, TypeId::kBinary}));
  RowWriter writer(&layout);
  ASSERT_OK(writer.Set(3, Value("xy")));
  ASSERT_OK(writer.Set(1, Value("abc")));
  ASSERT_OK(writer.Set(0, Value(-2)));
  std::string row;
  ASSERT_OK(writer.Finish(false, &row));
  ASSERT_OK(ValidateRow(layout, row));
  ASSERT_OK_AND_ASSIGN(const Value text, ReadField(layout, row, 1));
  EXPECT_EQ(text.get<std::string>(), "abc");
  ASSERT_OK_AND_ASSIGN(const Value number, ReadField(layout, row, 0));
  EXPECT_EQ(number.get<int64_t>(), -2);
  EXPECT_TRUE(IsNullField(row, 2));
}

}  // namespace
}  // namespace yarrow
