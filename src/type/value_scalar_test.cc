#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/extension/uuid.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "arrow_assert.h"
#include "random_seed.h"
#include "value_generator.h"
#include "yarrow/value.h"

namespace yarrow {
namespace {

TEST(ValueScalarTest, EveryValueGoesToArrowAndBack) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  test::ValueGenerator generator(seed);
  for (const ColumnType& type : test::AllColumnTypes()) {
    for (int round = 0; round < test::Rounds(100); ++round) {
      const Value value = generator.AnyValueOrNull(type);
      ASSERT_OK_AND_ASSIGN(const auto scalar, value.ToScalar(type));
      // Arrow takes the end of a day, 24:00:00, for no time of day.
      const bool has_time = type.ToString().find("TIME") != std::string::npos;
      ASSERT_OK(has_time ? scalar->Validate() : scalar->ValidateFull());
      ASSERT_TRUE(scalar->type->Equals(*type.ToArrow())) << scalar->type->ToString();
      ASSERT_OK_AND_ASSIGN(const Value back, Value::FromScalar(*scalar, type));
      ASSERT_EQ(back.variant().index(), value.variant().index());
      ASSERT_TRUE(std::is_eq(CompareValues(back, value))) << value.ToString(type) << " of " << type.ToString();
    }
  }
}

struct ScalarCase {
  std::shared_ptr<arrow::Scalar> scalar;
  ColumnType type;
  Value value;
};

TEST(ValueScalarTest, OtherArrowTypesConvert) {
  const auto buffer = arrow::Buffer::FromString("ab");
  const std::string uuid_bytes(16, 'u');
  Uuid uuid;
  uuid.bytes.fill('u');
  const auto uuid_storage = std::make_shared<arrow::FixedSizeBinaryScalar>(uuid_bytes);
  const ScalarCase cases[] = {
      {std::make_shared<arrow::Int8Scalar>(-3), TypeId::kInt64, Value(-3)},
      {std::make_shared<arrow::UInt64Scalar>(3), TypeId::kInt8, Value(3)},
      {std::make_shared<arrow::Int64Scalar>(3), TypeId::kDouble, Value(3.0)},
      {std::make_shared<arrow::FloatScalar>(0.5f), TypeId::kDouble, Value(0.5)},
      {std::make_shared<arrow::Int64Scalar>(7), ColumnType::Decimal(9, 2), Value(Decimal{700, 2})},
      {std::make_shared<arrow::Decimal32Scalar>(arrow::Decimal32(-15), arrow::decimal32(5, 1)),
       ColumnType::Decimal(9, 2), Value(Decimal{-150, 2})},
      {std::make_shared<arrow::Decimal64Scalar>(arrow::Decimal64(15), arrow::decimal64(5, 1)),
       ColumnType::Decimal(9, 2), Value(Decimal{150, 2})},
      {std::make_shared<arrow::Decimal256Scalar>(arrow::Decimal256(-15), arrow::decimal256(60, 1)),
       ColumnType::Decimal(9, 2), Value(Decimal{-150, 2})},
      {std::make_shared<arrow::LargeStringScalar>(buffer), TypeId::kUtf8, Value("ab")},
      {std::make_shared<arrow::StringViewScalar>(buffer), TypeId::kUtf8, Value("ab")},
      {std::make_shared<arrow::LargeBinaryScalar>(buffer), TypeId::kBinary, Value("ab")},
      {std::make_shared<arrow::BinaryViewScalar>(buffer), TypeId::kBinary, Value("ab")},
      {std::make_shared<arrow::FixedSizeBinaryScalar>(std::string("ab")), TypeId::kBinary, Value("ab")},
      {uuid_storage, TypeId::kUuid, Value(uuid)},
      {std::make_shared<arrow::ExtensionScalar>(uuid_storage, arrow::extension::uuid()), TypeId::kUuid, Value(uuid)},
      {std::make_shared<arrow::Date64Scalar>(-86'400'000), TypeId::kDate32, Value(-1)},
      {std::make_shared<arrow::Time32Scalar>(5, arrow::TimeUnit::SECOND), ColumnType::Time(TimeUnit::kMicro),
       Value(5'000'000)},
      {std::make_shared<arrow::Time64Scalar>(5'000, arrow::TimeUnit::NANO), ColumnType::Time(TimeUnit::kMicro),
       Value(5)},
      {std::make_shared<arrow::TimestampScalar>(-2, arrow::TimeUnit::MILLI), ColumnType::Timestamp(TimeUnit::kNano),
       Value(-2'000'000)},
      {std::make_shared<arrow::TimestampScalar>(9, arrow::TimeUnit::MICRO, "Europe/Paris"),
       ColumnType::Timestamp(TimeUnit::kMicro, "UTC"), Value(9)},
      {std::make_shared<arrow::Int64Scalar>(9), ColumnType::Timestamp(TimeUnit::kMicro), Value(9)},
  };
  for (const ScalarCase& c : cases) {
    ASSERT_OK_AND_ASSIGN(const Value value, Value::FromScalar(*c.scalar, c.type));
    ASSERT_EQ(value.variant().index(), c.value.variant().index()) << c.scalar->type->ToString();
    EXPECT_TRUE(std::is_eq(CompareValues(value, c.value))) << c.scalar->type->ToString() << ' ' << value.ToString();
  }
}

TEST(ValueScalarTest, DictionaryGivesItsValue) {
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  ASSERT_OK_AND_ASSIGN(const auto words, arrow::MakeArrayFromScalar(arrow::StringScalar("word"), 2));
  const arrow::DictionaryScalar scalar({std::make_shared<arrow::Int8Scalar>(1), words}, type);
  ASSERT_OK_AND_ASSIGN(const Value value, Value::FromScalar(scalar, TypeId::kUtf8));
  EXPECT_EQ(value.get<std::string>(), "word");
}

TEST(ValueScalarTest, WhatDoesNotFitIsAnError) {
  const ScalarCase cases[] = {
      {std::make_shared<arrow::Int64Scalar>(300), TypeId::kInt8, Value()},
      {std::make_shared<arrow::StringScalar>("1"), TypeId::kInt8, Value()},
      {std::make_shared<arrow::StringScalar>("1"), TypeId::kBinary, Value()},
      {std::make_shared<arrow::StringScalar>("\xFF"), TypeId::kUtf8, Value()},
      {std::make_shared<arrow::BinaryScalar>("1"), TypeId::kUtf8, Value()},
      {std::make_shared<arrow::BinaryScalar>("short"), TypeId::kUuid, Value()},
      {std::make_shared<arrow::Date64Scalar>(1), TypeId::kDate32, Value()},
      {std::make_shared<arrow::Date32Scalar>(1), TypeId::kInt32, Value()},
      {std::make_shared<arrow::Date32Scalar>(1), ColumnType::Timestamp(TimeUnit::kMicro), Value()},
      {std::make_shared<arrow::Time64Scalar>(1, arrow::TimeUnit::NANO), ColumnType::Time(TimeUnit::kMicro), Value()},
      {std::make_shared<arrow::Time64Scalar>(1, arrow::TimeUnit::NANO), TypeId::kInt64, Value()},
      {std::make_shared<arrow::TimestampScalar>(1, arrow::TimeUnit::NANO), ColumnType::Timestamp(TimeUnit::kMicro),
       Value()},
      {std::make_shared<arrow::TimestampScalar>(INT64_MAX - 1, arrow::TimeUnit::SECOND),
       ColumnType::Timestamp(TimeUnit::kMicro), Value()},
      {std::make_shared<arrow::TimestampScalar>(1, arrow::TimeUnit::MICRO, "UTC"),
       ColumnType::Timestamp(TimeUnit::kMicro), Value()},
      {std::make_shared<arrow::TimestampScalar>(1, arrow::TimeUnit::MICRO),
       ColumnType::Timestamp(TimeUnit::kMicro, "UTC"), Value()},
      {std::make_shared<arrow::DurationScalar>(1, arrow::TimeUnit::MICRO), TypeId::kInt64, Value()},
      {std::make_shared<arrow::Decimal256Scalar>(arrow::Decimal256::GetMaxValue(76), arrow::decimal256(76, 0)),
       ColumnType::Decimal(38, 0), Value()},
  };
  for (const ScalarCase& c : cases) {
    const auto result = Value::FromScalar(*c.scalar, c.type);
    EXPECT_FALSE(result.ok()) << c.scalar->ToString() << " as " << c.type.ToString();
  }
  EXPECT_ERROR_HAS(Value::FromScalar(*cases[1].scalar, cases[1].type), "of type string is not TINYINT");
}

}  // namespace
}  // namespace yarrow
