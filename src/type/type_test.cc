#include "yarrow/type.h"

#include <arrow/extension/uuid.h>
#include <arrow/type.h>

#include "arrow_assert.h"
#include "value_generator.h"

namespace yarrow {
namespace {

TEST(ColumnTypeTest, EveryNameReadsBack) {
  std::vector<ColumnType> types = test::AllColumnTypes();
  types.push_back(ColumnType::Timestamp(TimeUnit::kNano, "it's 'here'"));
  for (const ColumnType& type : types) {
    ASSERT_OK(type.Validate());
    ASSERT_OK_AND_ASSIGN(const ColumnType parsed, ColumnType::Parse(type.ToString()));
    EXPECT_EQ(parsed, type) << type.ToString();
  }
}

TEST(ColumnTypeTest, EveryTypeGoesToArrowAndBack) {
  for (const ColumnType& type : test::AllColumnTypes()) {
    // Of the others Arrow does not tell from text, a struct or one another.
    if (type.id > TypeId::kHugeint && type.id != TypeId::kInterval && type.id != TypeId::kJson) continue;
    ASSERT_OK_AND_ASSIGN(const ColumnType back, ColumnType::FromArrow(*type.ToArrow()));
    EXPECT_EQ(back, type) << type.ToString();
  }
  EXPECT_EQ(ColumnType(TypeId::kUuid).ToArrow().get(), ColumnType(TypeId::kUuid).ToArrow().get());
}

TEST(ColumnTypeTest, SqlNamesAreDuckDbs) {
  const std::pair<const char*, ColumnType> names[] = {
      {"BOOLEAN", TypeId::kBool},
      {"TINYINT", TypeId::kInt8},
      {"SMALLINT", TypeId::kInt16},
      {"INTEGER", TypeId::kInt32},
      {"BIGINT", TypeId::kInt64},
      {"UTINYINT", TypeId::kUInt8},
      {"USMALLINT", TypeId::kUInt16},
      {"UINTEGER", TypeId::kUInt32},
      {"UBIGINT", TypeId::kUInt64},
      {"FLOAT", TypeId::kFloat},
      {"DOUBLE", TypeId::kDouble},
      {"DECIMAL(10,2)", ColumnType::Decimal(10, 2)},
      {"VARCHAR", TypeId::kUtf8},
      {"BLOB", TypeId::kBinary},
      {"DATE", TypeId::kDate32},
      {"TIME", ColumnType::Time(TimeUnit::kMicro)},
      {"TIME_NS", ColumnType::Time(TimeUnit::kNano)},
      {"TIMESTAMP", ColumnType::Timestamp(TimeUnit::kMicro)},
      {"TIMESTAMP_S", ColumnType::Timestamp(TimeUnit::kSecond)},
      {"TIMESTAMP_MS", ColumnType::Timestamp(TimeUnit::kMilli)},
      {"TIMESTAMP_NS", ColumnType::Timestamp(TimeUnit::kNano)},
      {"TIMESTAMP WITH TIME ZONE", ColumnType::Timestamp(TimeUnit::kMicro, "UTC")},
      {"TIMESTAMP_NS WITH TIME ZONE 'Europe/Paris'", ColumnType::Timestamp(TimeUnit::kNano, "Europe/Paris")},
      {"UUID", TypeId::kUuid},
      {"HUGEINT", TypeId::kHugeint},
      {"INTERVAL", TypeId::kInterval},
      {"TIME WITH TIME ZONE", TypeId::kTimeTz},
      {"JSON", TypeId::kJson},
      {"ENUM('a', 'it''s')", ColumnType::Enum({"a", "it's"})},
      {"GEOMETRY", TypeId::kGeometry},
      {"GEOMETRY('OGC:CRS84')", ColumnType::Geometry("OGC:CRS84")},
      {"GEOMETRY('GEOGCRS[\"it''s, (odd)\"]')[]", ColumnType::List(ColumnType::Geometry("GEOGCRS[\"it's, (odd)\"]"))},
      {"INTEGER[]", ColumnType::List(TypeId::kInt32)},
      {"INTEGER[3][]", ColumnType::List(ColumnType::Array(TypeId::kInt32, 3))},
      {"STRUCT(a INTEGER, \"b \"\"c\" DECIMAL(10,2)[])",
       ColumnType::Struct({{"a", TypeId::kInt32}, {"b \"c", ColumnType::List(ColumnType::Decimal(10, 2))}})},
      {"MAP(VARCHAR, TIMESTAMP_NS WITH TIME ZONE 'a, b')",
       ColumnType::Map(TypeId::kUtf8, ColumnType::Timestamp(TimeUnit::kNano, "a, b"))},
      {"UNION(num BIGINT, str VARCHAR)", ColumnType::Union({{"num", TypeId::kInt64}, {"str", TypeId::kUtf8}})},
      {"VARIANT", ColumnType::Variant()},
  };
  for (const auto& [name, type] : names) EXPECT_EQ(type.ToString(), name);
}

TEST(ColumnTypeTest, AliasesAndSpellings) {
  const std::pair<const char*, ColumnType> aliases[] = {
      {"int8", TypeId::kInt64},  // bytes, as in PostgreSQL
      {"int16", TypeId::kInt16},
      {"uint8", TypeId::kUInt8},
      {"Real", TypeId::kFloat},
      {"double  precision", TypeId::kDouble},
      {" text ", TypeId::kUtf8},
      {"varchar(20)", TypeId::kUtf8},
      {"bytea", TypeId::kBinary},
      {"decimal", ColumnType::Decimal(18, 3)},
      {"NUMERIC ( 5 )", ColumnType::Decimal(5, 0)},
      {"dec(38 , 38)", ColumnType::Decimal(38, 38)},
      {"timestamptz", ColumnType::Timestamp(TimeUnit::kMicro, "UTC")},
      {"timestamp without time zone", ColumnType::Timestamp(TimeUnit::kMicro)},
      {"timestamp_ms with time zone", ColumnType::Timestamp(TimeUnit::kMilli, "UTC")},
      {"datetime", ColumnType::Timestamp(TimeUnit::kMicro)},
      {"time without time zone", ColumnType::Time(TimeUnit::kMicro)},
  };
  for (const auto& [name, type] : aliases) {
    ASSERT_OK_AND_ASSIGN(const ColumnType parsed, ColumnType::Parse(name));
    EXPECT_EQ(parsed, type) << name;
  }
}

TEST(ColumnTypeTest, UnknownNamesAreErrorsThatListTheKnown) {
  for (const char* name : {"",
                           "BIGINTEGER",
                           "BIGINT(3)",
                           "VARCHAR(2,3)",
                           "VARCHAR(",
                           "VARCHAR(x)",
                           "DATE 'x'",
                           "TIME_NS WITH TIME ZONE",
                           "INT[",
                           "INT[]]",
                           "STRUCT(a)",
                           "STRUCT(a INT",
                           "MAP(INT)",
                           "ENUM(a)",
                           "ENUM('a'",
                           "UNION(a INT,)",
                           "TIMESTAMP 'UTC'",
                           "TIMESTAMP WITH TIME ZONE ''",
                           "TIMESTAMP WITH TIME ZONE 'UTC",
                           "INT;",
                           "DECIMAL(1,2,3)",
                           "DECIMAL(99999999999)"}) {
    EXPECT_ERROR_HAS(ColumnType::Parse(name), std::string("unknown column type '") + name + "'");
    EXPECT_ERROR_HAS(ColumnType::Parse(name), "BIGINT");
  }
  EXPECT_ERROR_HAS(ColumnType::Parse("DECIMAL(39,0)"), "1 to 38 digits, not 39");
  EXPECT_ERROR_HAS(ColumnType::Parse("DECIMAL(0)"), "1 to 38 digits, not 0");
  EXPECT_ERROR_HAS(ColumnType::Parse("DECIMAL(4,5)"), "0 to 4, not 5");
  EXPECT_ERROR_HAS(ColumnType::Parse("DECIMAL(4,5)[]"), "0 to 4, not 5");
  EXPECT_ERROR_HAS(ColumnType::Parse("ENUM('a', 'a')"), "the label 'a' twice");
  EXPECT_ERROR_HAS(ColumnType::Parse("INT[0]"), "1 element or more");
  EXPECT_ERROR_HAS(ColumnType(TypeId::kStruct).Validate(), "has no parts");
  const std::string deep = "INT" + std::string(5000, '[') + std::string(5000, ']');
  EXPECT_ERROR_HAS(ColumnType::Parse(deep), "unknown column type");
}

TEST(ColumnTypeTest, OtherArrowTypesTakeTheNearestColumnType) {
  const std::pair<std::shared_ptr<arrow::DataType>, ColumnType> types[] = {
      {arrow::large_utf8(), TypeId::kUtf8},
      {arrow::utf8_view(), TypeId::kUtf8},
      {arrow::large_binary(), TypeId::kBinary},
      {arrow::binary_view(), TypeId::kBinary},
      {arrow::fixed_size_binary(16), TypeId::kBinary},
      {arrow::date64(), TypeId::kDate32},
      {arrow::time32(arrow::TimeUnit::SECOND), ColumnType::Time(TimeUnit::kMicro)},
      {arrow::decimal32(9, 2), ColumnType::Decimal(9, 2)},
      {arrow::decimal64(18, 2), ColumnType::Decimal(18, 2)},
      {arrow::decimal256(38, 2), ColumnType::Decimal(38, 2)},
      {arrow::dictionary(arrow::int8(), arrow::utf8()), TypeId::kUtf8},
      {arrow::extension::uuid(), TypeId::kUuid},
      {arrow::large_list(arrow::large_utf8()), ColumnType::List(TypeId::kUtf8)},
  };
  for (const auto& [arrow_type, type] : types) {
    ASSERT_OK_AND_ASSIGN(const ColumnType made, ColumnType::FromArrow(*arrow_type));
    EXPECT_EQ(made, type) << arrow_type->ToString();
  }
  const std::shared_ptr<arrow::DataType> refused[] = {arrow::null(),
                                                      arrow::float16(),
                                                      arrow::decimal256(39, 2),
                                                      arrow::decimal128(5, -2),
                                                      arrow::decimal128(2, 5),
                                                      arrow::list(arrow::float16()),
                                                      arrow::struct_({}),
                                                      arrow::duration(arrow::TimeUnit::NANO)};
  for (const auto& arrow_type : refused) {
    const arrow::Status status = ColumnType::FromArrow(*arrow_type).status();
    EXPECT_TRUE(status.IsNotImplemented()) << status.ToString();
    EXPECT_ERROR_HAS(status, arrow_type->num_fields() > 0              ? "halffloat"
                             : arrow_type->id() == arrow::Type::STRUCT ? "struct"
                                                                       : arrow_type->ToString());
  }
}

TEST(ColumnTypeTest, ValidateChecksParameters) {
  EXPECT_ERROR_HAS(ColumnType(static_cast<TypeId>(0)).Validate(), "unknown column type number 0");
  EXPECT_ERROR_HAS(ColumnType(static_cast<TypeId>(34)).Validate(), "unknown column type number 34");
  EXPECT_ERROR_HAS(ColumnType(TypeId::kDecimal128).Validate(), "1 to 38 digits");
  EXPECT_ERROR_HAS(ColumnType::Decimal(5, 6).Validate(), "scale");
  EXPECT_ERROR_HAS(ColumnType::Time(TimeUnit::kSecond).Validate(), "time of day");
  EXPECT_ERROR_HAS(ColumnType::Timestamp(static_cast<TimeUnit>(4)).Validate(), "unknown time unit number 4");
}

TEST(ColumnTypeTest, WidthsAreThoseOfArrow) {
  for (const ColumnType& type : test::AllColumnTypes()) {
    if (type.id == TypeId::kBool) {
      EXPECT_EQ(type.fixed_width(), 1);
    } else if (type.id == TypeId::kUuid) {
      EXPECT_EQ(type.fixed_width(), 16);
    } else {
      EXPECT_EQ(type.fixed_width(), std::max(0, BatchType(type)->byte_width())) << type.ToString();
    }
  }
}

}  // namespace
}  // namespace yarrow
