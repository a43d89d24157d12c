#include "row/row_layout.h"

#include <sys/mman.h>

#include <cmath>
#include <limits>

#include "arrow_assert.h"
#include "random_seed.h"
#include "row_generator.h"

namespace yarrow {
namespace {

using test::AnyLayout;
using test::AnyRow;
using test::Encoded;
using test::SameBits;
using test::ValueGenerator;

std::string Bytes(std::initializer_list<int> bytes) {
  return std::string(bytes.begin(), bytes.end());
}

TEST(RowLayoutTest, BytesOnDisk) {
  ASSERT_OK_AND_ASSIGN(
      const RowLayout layout,
      RowLayout::Make(0x01020304, {TypeId::kInt16, TypeId::kUtf8, TypeId::kBool, TypeId::kInt32, TypeId::kBinary,
                                   TypeId::kUtf8, ColumnType::Decimal(5, 1), TypeId::kUuid, TypeId::kFloat}));
  const std::vector<Value> row = {Value(-2),  Value("ab"),           Value(true),         Value::Null(), Value::Null(),
                                  Value("c"), Value(Decimal{-3, 1}), Value(Uuid{{1, 2}}), Value(1.0)};
  const std::string header = Bytes({1, 0, 4, 3, 2, 1});
  const std::string bitmap = Bytes({0b0001'1000, 0});
  const std::string fixed = Bytes({0xFE, 0xFF, 1, 0, 0, 0, 0}) +       // int16, bool, NULL int32
                            Bytes({0xFD}) + std::string(15, '\xFF') +  // decimal
                            Bytes({1, 2}) + std::string(14, '\0') +    // uuid
                            Bytes({0, 0, 0x80, 0x3F});                 // float
  const std::string variable = Bytes({2, 0, 2, 0, 3, 0}) + "abc";
  EXPECT_EQ(Encoded(layout, row), header + bitmap + fixed + variable);
  EXPECT_EQ(Encoded(layout, row, true), Bytes({1, 1}) + (header + bitmap + fixed + variable).substr(2));
  EXPECT_TRUE(IsDeletedRow(Encoded(layout, row, true)));
  EXPECT_FALSE(IsDeletedRow(Encoded(layout, row)));
  EXPECT_EQ(layout.fixed_offset(0), 8u);
  EXPECT_EQ(layout.fixed_offset(6), 15u);
  EXPECT_EQ(layout.variable_index(5), 2u);
  EXPECT_EQ(layout.offsets_start(), 51u);
}

TEST(RowLayoutTest, RandomRowsReadBack) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (int round = 0; round < test::Rounds(10'000); ++round) {
    const RowLayout layout = AnyLayout(&generator);
    RowWriter writer(&layout);
    std::string bytes = "rubbish";
    for (int i = 0; i < 3; ++i) {
      const std::vector<Value> row = AnyRow(layout, &generator);
      std::vector<size_t> order(row.size());
      for (size_t field = 0; field < order.size(); ++field) {
        order[field] = field;
        std::swap(order[field], order[generator.Below(field + 1)]);
      }
      writer.Reset();
      for (const size_t field : order) ASSERT_OK(writer.Set(field, row[field]));
      const bool deleted = generator.OneIn(2);
      ASSERT_OK(writer.Finish(deleted, &bytes));

      ASSERT_EQ(bytes, Encoded(layout, row, deleted)) << "the order of setting shows in the bytes";
      ASSERT_OK(ValidateRow(layout, bytes));
      ASSERT_TRUE(CheckRowShape(layout, bytes));
      ASSERT_EQ(IsDeletedRow(bytes), deleted);
      ASSERT_OK_AND_ASSIGN(const uint32_t version, RowSchemaVersion(bytes));
      ASSERT_EQ(version, layout.schema_version());
      for (size_t field = 0; field < row.size(); ++field) {
        ASSERT_EQ(IsNullField(bytes, field), row[field].is_null());
        ASSERT_OK_AND_ASSIGN(const Value value, ReadField(layout, bytes, field));
        ASSERT_TRUE(SameBits(value, row[field])) << layout.type(field).ToString();
      }
    }
  }
}

TEST(RowLayoutTest, NoFieldsAndAThousand) {
  ASSERT_OK_AND_ASSIGN(const RowLayout empty, RowLayout::Make(9, {}));
  EXPECT_EQ(Encoded(empty, {}), Bytes({1, 0, 9, 0, 0, 0}));
  EXPECT_OK(ValidateRow(empty, Encoded(empty, {})));
  EXPECT_FALSE(CheckRowShape(empty, Encoded(empty, {}) + 'x'));

  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  std::vector<ColumnType> types(1000);
  for (ColumnType& type : types) type = generator.AnyType();
  ASSERT_OK_AND_ASSIGN(const RowLayout layout, RowLayout::Make(1, types));
  const std::vector<Value> row = AnyRow(layout, &generator);
  const std::string bytes = Encoded(layout, row);
  ASSERT_OK(ValidateRow(layout, bytes));
  for (size_t field = 0; field < row.size(); ++field) {
    ASSERT_OK_AND_ASSIGN(const Value value, ReadField(layout, bytes, field));
    ASSERT_TRUE(SameBits(value, row[field]));
  }
}

TEST(RowLayoutTest, OffsetsAreWideOnlyWhenTheyMustBe) {
  ASSERT_OK_AND_ASSIGN(const RowLayout layout, RowLayout::Make(1, {TypeId::kBinary, TypeId::kInt8, TypeId::kUtf8}));
  for (const size_t size : {size_t{65'534}, size_t{65'535}, size_t{300'000}}) {
    const std::vector<Value> row = {Value(std::string(size, 'x')), Value(1), Value("y")};
    const std::string bytes = Encoded(layout, row);
    const bool wide = size + 1 > 65'535;
    EXPECT_EQ(static_cast<uint8_t>(bytes[1]), wide ? kRowWideOffsets : 0);
    EXPECT_EQ(bytes.size(), layout.offsets_start() + (wide ? 8 : 4) + size + 1);
    ASSERT_OK(ValidateRow(layout, bytes));
    ASSERT_OK_AND_ASSIGN(const Value text, ReadField(layout, bytes, 2));
    EXPECT_EQ(text.get<std::string>(), "y");
    ASSERT_OK_AND_ASSIGN(const Value big, ReadField(layout, bytes, 0));
    EXPECT_EQ(big.get<std::string>().size(), size);
    EXPECT_FALSE(CheckRowShape(layout, std::string_view(bytes).substr(0, bytes.size() - 1)));
  }
}

TEST(RowLayoutTest, RowsOfTwoGibibytesAreRefused) {
  ASSERT_OK_AND_ASSIGN(const RowLayout layout, RowLayout::Make(1, {TypeId::kBinary, TypeId::kBinary}));
  // Address space without memory behind it: the writer must not copy what it will refuse.
  const size_t size = kMaxRowSize + 1;
  void* pages = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  RowWriter writer(&layout);
  writer.SetVariable(0, "small");
  writer.SetVariable(1, std::string_view(static_cast<const char*>(pages), size));
  std::string bytes = "before";
  const arrow::Status status = writer.Finish(false, &bytes);
  EXPECT_TRUE(status.IsCapacityError()) << status.ToString();
  EXPECT_ERROR_HAS(status, "2147483668 bytes");
  EXPECT_EQ(bytes, "before");
  munmap(pages, size);

  writer.Reset();
  EXPECT_OK(writer.Finish(false, &bytes));
}

TEST(RowLayoutTest, SpecialFloatsKeepTheirBits) {
  ASSERT_OK_AND_ASSIGN(const RowLayout layout, RowLayout::Make(1, {TypeId::kDouble, TypeId::kFloat}));
  for (const double number : {-0.0, std::nan(""), std::numeric_limits<double>::infinity(), 0x1p-149}) {
    const std::string bytes = Encoded(layout, {Value(number), Value(number)});
    for (const size_t field : {0, 1}) {
      ASSERT_OK_AND_ASSIGN(const Value back, ReadField(layout, bytes, field));
      EXPECT_TRUE(SameBits(back, Value(number))) << number;
    }
  }
}

TEST(RowLayoutTest, ValuesNotInTheFormOfTheirTypeAreRefused) {
  ASSERT_OK_AND_ASSIGN(const RowLayout layout,
                       RowLayout::Make(1, {TypeId::kInt8, TypeId::kUtf8, ColumnType::Decimal(3, 1),
                                           ColumnType::Time(TimeUnit::kMicro), TypeId::kUInt16}));
  RowWriter writer(&layout);
  EXPECT_ERROR_HAS(writer.Set(0, Value(128)), "value 128 is not in the form of TINYINT");
  EXPECT_ERROR_HAS(writer.Set(0, Value(1u)), "TINYINT");
  EXPECT_ERROR_HAS(writer.Set(1, Value(1)), "value 1 is not in the form of VARCHAR");
  EXPECT_ERROR_HAS(writer.Set(2, Value(Decimal{1, 2})), "DECIMAL(3,1)");
  EXPECT_ERROR_HAS(writer.Set(2, Value(Decimal{1000, 1})), "value 100.0");
  EXPECT_ERROR_HAS(writer.Set(3, Value(-1)), "TIME");
  EXPECT_ERROR_HAS(writer.Set(4, Value(65'536u)), "USMALLINT");
  std::string bytes;
  ASSERT_OK(writer.Finish(false, &bytes));
  EXPECT_EQ(bytes, Encoded(layout, std::vector<Value>(5))) << "a refused value leaves NULL";
}

TEST(RowLayoutTest, LayoutsThatCannotBeAreRefused) {
  EXPECT_ERROR_HAS(RowLayout::Make(1, {TypeId::kInt8, ColumnType::Decimal(39, 0)}), "field 1: a decimal");
  const arrow::Status status = RowLayout::Make(1, std::vector<ColumnType>(kMaxFields + 1)).status();
  EXPECT_TRUE(status.IsCapacityError()) << status.ToString();
}

}  // namespace
}  // namespace yarrow
