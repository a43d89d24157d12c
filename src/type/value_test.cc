#include "yarrow/value.h"

#include <cmath>

#include "arrow_assert.h"
#include "random_seed.h"
#include "type/decimal.h"
#include "type/value_check.h"
#include "value_generator.h"

namespace yarrow {
namespace {

using test::ValueGenerator;

bool Same(const Value& a, const Value& b) {
  return a.variant().index() == b.variant().index() && std::is_eq(CompareValues(a, b));
}

// The same value in another C++ type, where there is one.
std::vector<Value> OtherForms(Int128 number) {
  std::vector<Value> forms = {Value(Decimal{number, 0}), Value(Decimal{number * 100, 2})};
  if (number >= INT64_MIN && number <= INT64_MAX) forms.emplace_back(static_cast<int64_t>(number));
  if (number >= 0 && number <= UINT64_MAX) forms.emplace_back(static_cast<uint64_t>(number));
  if (static_cast<Int128>(static_cast<double>(number)) == number) forms.emplace_back(static_cast<double>(number));
  return forms;
}

TEST(ValueCastTest, IntegersAreRangeCheckedFromEveryForm) {
  for (int id = static_cast<int>(TypeId::kInt8); id <= static_cast<int>(TypeId::kUInt64); ++id) {
    const ColumnType type(static_cast<TypeId>(id));
    const bool is_unsigned = type.id >= TypeId::kUInt8;
    const IntegerRange range = RangeOf(type);
    for (const Int128 number : {range.least, range.greatest, Int128{0}, Int128{1}}) {
      const Value exact = is_unsigned ? Value(static_cast<uint64_t>(number)) : Value(static_cast<int64_t>(number));
      for (const Value& form : OtherForms(number)) {
        ASSERT_OK_AND_ASSIGN(const Value cast, form.CastTo(type));
        EXPECT_TRUE(Same(cast, exact)) << form.ToString() << " as " << type.ToString();
      }
    }
    for (const Int128 number : {range.least - 1, range.greatest + 1}) {
      for (const Value& form : OtherForms(number)) {
        EXPECT_ERROR_HAS(form.CastTo(type), "out of range of " + type.ToString());
      }
    }
    EXPECT_ERROR_HAS(Value(1.5).CastTo(type), "value 1.5 does not fit exactly into " + type.ToString());
    EXPECT_ERROR_HAS(Value(std::nan("")).CastTo(type), "value nan");
    EXPECT_ERROR_HAS(Value(Decimal{15, 1}).CastTo(type), "value 1.5");
    EXPECT_ERROR_HAS(Value(true).CastTo(type), "value true is a boolean, not " + type.ToString());
    EXPECT_ERROR_HAS(Value("1").CastTo(type), "use Value::Parse");
  }
}

TEST(ValueCastTest, DoublesOnlyWhenExact) {
  const int64_t exact = int64_t{1} << 53;
  ASSERT_OK_AND_ASSIGN(const Value cast, Value(exact).CastTo(TypeId::kDouble));
  EXPECT_EQ(cast.get<double>(), 0x1p53);
  EXPECT_ERROR_HAS(Value(exact + 1).CastTo(TypeId::kDouble), "9007199254740993 does not fit exactly into DOUBLE");
  EXPECT_ERROR_HAS(Value(UINT64_MAX).CastTo(TypeId::kDouble), "does not fit exactly");
  ASSERT_OK_AND_ASSIGN(const Value least, Value(INT64_MIN).CastTo(TypeId::kDouble));
  EXPECT_EQ(least.get<double>(), -0x1p63);
  ASSERT_OK_AND_ASSIGN(const Value fraction, Value(Decimal{-1375, 3}).CastTo(TypeId::kDouble));
  EXPECT_EQ(fraction.get<double>(), -1.375);
  EXPECT_ERROR_HAS(Value(Decimal{1, 1}).CastTo(TypeId::kDouble), "value 0.1 does not fit exactly");
}

TEST(ValueCastTest, FloatsMustRoundTrip) {
  EXPECT_OK(Value(0.5).CastTo(TypeId::kFloat).status());
  EXPECT_OK(Value(1e300 * 1e300).CastTo(TypeId::kFloat).status());
  ASSERT_OK_AND_ASSIGN(const Value nan, Value(std::nan("")).CastTo(TypeId::kFloat));
  EXPECT_TRUE(std::isnan(nan.get<double>()));
  EXPECT_OK(Value(0.1f).CastTo(TypeId::kFloat).status());
  EXPECT_ERROR_HAS(Value(0.1).CastTo(TypeId::kFloat), "value 0.1 does not fit exactly into FLOAT");
  EXPECT_ERROR_HAS(Value(1e300).CastTo(TypeId::kFloat), "FLOAT");
  EXPECT_ERROR_HAS(Value((1 << 24) + 1).CastTo(TypeId::kFloat), "16777217");
}

TEST(ValueCastTest, DecimalsRescaleExactly) {
  const ColumnType type = ColumnType::Decimal(5, 2);
  const std::pair<Value, int> fits[] = {{Value(999), 99900},          {Value(uint8_t{3}), 300},
                                        {Value(Decimal{15, 1}), 150}, {Value(Decimal{-12300, 4}), -123},
                                        {Value(2.75), 275},           {Value(-0.0), 0}};
  for (const auto& [value, unscaled] : fits) {
    ASSERT_OK_AND_ASSIGN(const Value cast, value.CastTo(type));
    EXPECT_TRUE(Same(cast, Value(Decimal{unscaled, 2}))) << value.ToString();
    EXPECT_EQ(cast.get<Decimal>().scale, 2);
  }
  EXPECT_ERROR_HAS(Value(1000).CastTo(type), "value 1000 is out of range of DECIMAL(5,2)");
  EXPECT_ERROR_HAS(Value(UINT64_MAX).CastTo(ColumnType::Decimal(38, 20)), "out of range");
  EXPECT_ERROR_HAS(Value(Decimal{1, 3}).CastTo(type), "value 0.001 does not fit exactly");
  EXPECT_ERROR_HAS(Value(0.1).CastTo(type), "value 0.1 does not fit exactly");
  EXPECT_ERROR_HAS(Value(1e300).CastTo(type), "1e+300");
  EXPECT_ERROR_HAS(Value(INFINITY).CastTo(type), "inf");
  ASSERT_OK_AND_ASSIGN(const Value widest, Value(0x1p-38).CastTo(ColumnType::Decimal(38, 38)));
  EXPECT_EQ(widest.ToString(), "0.00000000000363797880709171295166015625");
}

TEST(ValueCastTest, DecimalAndDoubleAgreeWhereBothAreExact) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (int round = 0; round < test::Rounds(20'000); ++round) {
    const double number = std::ldexp(static_cast<double>(generator.AnyInteger(INT32_MIN, INT32_MAX)),
                                     -static_cast<int>(generator.Below(30)));
    const std::optional<Int128> unscaled = DecimalFromDouble(number, 28);
    if (!unscaled) continue;
    EXPECT_EQ(DoubleFromDecimal(*unscaled, 28), number);
  }
}

TEST(ValueCastTest, TextBytesAndTimes) {
  EXPECT_OK(Value("é").CastTo(TypeId::kUtf8).status());
  EXPECT_ERROR_HAS(Value("a\xFF").CastTo(TypeId::kUtf8), "a\\xff is not valid UTF-8");
  EXPECT_OK(Value("a\xFF").CastTo(TypeId::kBinary).status());
  EXPECT_ERROR_HAS(Value(1).CastTo(TypeId::kUtf8), "value 1 is an integer, not VARCHAR");
  EXPECT_OK(Value(INT32_MIN).CastTo(TypeId::kDate32).status());
  EXPECT_ERROR_HAS(Value(int64_t{1} << 31).CastTo(TypeId::kDate32), "out of range of DATE");
  EXPECT_ERROR_HAS(Value(1.0).CastTo(TypeId::kDate32), "floating-point number, not DATE");
  EXPECT_ERROR_HAS(Value(86'400'000'001).CastTo(ColumnType::Time(TimeUnit::kMicro)), "out of range of TIME");
  EXPECT_OK(Value(86'400'000'000).CastTo(ColumnType::Time(TimeUnit::kNano)).status());
  EXPECT_ERROR_HAS(Value(-1).CastTo(ColumnType::Time(TimeUnit::kNano)), "out of range of TIME_NS");
  ASSERT_OK_AND_ASSIGN(const Value time, Value(7u).CastTo(ColumnType::Timestamp(TimeUnit::kNano)));
  EXPECT_TRUE(Same(time, Value(7)));
  EXPECT_ERROR_HAS(Value("x").CastTo(TypeId::kUuid), "not UUID");
}

TEST(ValueCastTest, ExactFormsAndNullStayAsTheyAre) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (const ColumnType& type : test::AllColumnTypes()) {
    ASSERT_OK_AND_ASSIGN(const Value null, Value::Null().CastTo(type));
    EXPECT_TRUE(null.is_null());
    for (int round = 0; round < test::Rounds(200); ++round) {
      const Value value = generator.AnyValue(type);
      ASSERT_OK_AND_ASSIGN(const Value cast, value.CastTo(type));
      ASSERT_TRUE(Same(cast, value)) << value.ToString(type) << " as " << type.ToString();
    }
  }
}

TEST(CompareValuesTest, SqlOrder) {
  const double nan = std::nan("");
  const std::vector<std::vector<Value>> ascending = {
      {Value(-INFINITY), Value(-1.0), Value(0.0), Value(5e-324), Value(INFINITY), Value(nan), Value::Null()},
      {Value(false), Value(true), Value::Null()},
      {Value(INT64_MIN), Value(-1), Value(0), Value(INT64_MAX), Value::Null()},
      {Value(0u), Value(UINT64_MAX)},
      {Value(""), Value(std::string(1, '\0')), Value("a"), Value(std::string("a\0", 2)), Value("a\x01"), Value("b"),
       Value("\xFF"), Value::Null()},
      {Value(Decimal{-PowerOfTen(38), 3}), Value(Decimal{-1, 3}), Value(Decimal{PowerOfTen(38), 3})},
      {Value(Uuid{}), Value(Uuid{{0, 1}}), Value(Uuid{{0xFF}}), Value::Null()},
  };
  for (const auto& values : ascending) {
    for (size_t i = 0; i < values.size(); ++i) {
      for (size_t j = 0; j < values.size(); ++j) {
        EXPECT_EQ(CompareValues(values[i], values[j]), i <=> j) << values[i].ToString() << ", " << values[j].ToString();
      }
    }
  }
  EXPECT_TRUE(std::is_eq(CompareValues(Value(-0.0), Value(0.0))));
  EXPECT_TRUE(std::is_eq(CompareValues(Value(nan), Value(-nan))));
}

}  // namespace
}  // namespace yarrow
