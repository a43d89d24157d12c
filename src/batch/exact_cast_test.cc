// ExactCast over all pairs of an Arrow type and a column type: equal values or an error, and no error for what fits.
#include "batch/exact_cast.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/extension/uuid.h>
#include <arrow/util/float16.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>

#include "arrow_assert.h"
#include "type/value_range.h"
#include "yarrow/value.h"

namespace yarrow::batch {
namespace {

using arrow::Type;

std::string Digits(Int128 number) {
  if (number == 0) return "0";
  const bool is_negative = number < 0;
  std::string digits;
  for (; number != 0; number /= 10) digits.insert(digits.begin(), static_cast<char>('0' + std::abs(int(number % 10))));
  return (is_negative ? "-" : "") + digits;
}
std::string WithoutZeros(std::string decimal) {
  if (decimal.find('.') == std::string::npos) return decimal;
  decimal.erase(decimal.find_last_not_of('0') + 1);
  if (decimal.back() == '.') decimal.pop_back();
  return decimal == "-0" ? "0" : decimal;
}
// A double has at most 1074 binary places, which are as many decimal ones.
std::string AllDigits(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  char text[1500];
  std::snprintf(text, sizeof(text), "%.1074f", number);
  return WithoutZeros(text);
}
std::string AllDigits(Int128 unscaled, int32_t scale) {
  std::string digits = Digits(unscaled < 0 ? -unscaled : unscaled);
  if (scale < 0) digits.append(static_cast<size_t>(-scale), '0');
  if (scale > 0) {
    if (digits.size() <= static_cast<size_t>(scale))
      digits.insert(0, static_cast<size_t>(scale) + 1 - digits.size(), '0');
    digits.insert(digits.size() - static_cast<size_t>(scale), 1, '.');
  }
  const std::string shown = WithoutZeros(digits);
  return unscaled < 0 && shown != "0" ? "-" + shown : shown;
}
Int128 Nanos(int64_t count, arrow::TimeUnit::type unit) {
  constexpr int64_t kNanos[] = {1'000'000'000, 1'000'000, 1'000, 1};
  return static_cast<Int128>(count) * kNanos[unit];
}

// What a cell means, written out: equal cells of any types have equal meanings.
std::string Meaning(const arrow::Scalar& scalar) {
  const auto number = [](Int128 v) { return Digits(v); };
  switch (scalar.type->id()) {
    case Type::BOOL:
      return static_cast<const arrow::BooleanScalar&>(scalar).value ? "true" : "false";
    case Type::INT8:
      return number(static_cast<const arrow::Int8Scalar&>(scalar).value);
    case Type::INT32:
      return number(static_cast<const arrow::Int32Scalar&>(scalar).value);
    case Type::INT64:
      return number(static_cast<const arrow::Int64Scalar&>(scalar).value);
    case Type::UINT8:
      return number(static_cast<const arrow::UInt8Scalar&>(scalar).value);
    case Type::UINT64:
      return number(static_cast<const arrow::UInt64Scalar&>(scalar).value);
    case Type::INT16:
      return number(static_cast<const arrow::Int16Scalar&>(scalar).value);
    case Type::UINT16:
      return number(static_cast<const arrow::UInt16Scalar&>(scalar).value);
    case Type::UINT32:
      return number(static_cast<const arrow::UInt32Scalar&>(scalar).value);
    case Type::HALF_FLOAT:
      return AllDigits(
          arrow::util::Float16::FromBits(static_cast<const arrow::HalfFloatScalar&>(scalar).value).ToDouble());
    case Type::FLOAT:
      return AllDigits(static_cast<double>(static_cast<const arrow::FloatScalar&>(scalar).value));
    case Type::DOUBLE:
      return AllDigits(static_cast<const arrow::DoubleScalar&>(scalar).value);
    case Type::DECIMAL128: {
      const arrow::Decimal128 v = static_cast<const arrow::Decimal128Scalar&>(scalar).value;
      const Int128 unscaled = static_cast<Int128>(v.high_bits()) * (static_cast<Int128>(1) << 64) + v.low_bits();
      return AllDigits(unscaled, static_cast<const arrow::DecimalType&>(*scalar.type).scale());
    }
    case Type::DATE32:
      return number(
          Nanos(86400 * int64_t{static_cast<const arrow::Date32Scalar&>(scalar).value}, arrow::TimeUnit::SECOND));
    case Type::DATE64:
      return number(Nanos(static_cast<const arrow::Date64Scalar&>(scalar).value, arrow::TimeUnit::MILLI));
    case Type::TIME32:
      return number(Nanos(static_cast<const arrow::Time32Scalar&>(scalar).value,
                          static_cast<const arrow::TimeType&>(*scalar.type).unit()));
    case Type::TIME64:
      return number(Nanos(static_cast<const arrow::Time64Scalar&>(scalar).value,
                          static_cast<const arrow::TimeType&>(*scalar.type).unit()));
    case Type::TIMESTAMP: {
      const int64_t count = static_cast<const arrow::TimestampScalar&>(scalar).value;
      if (IsInfiniteTimestamp(count)) return count > 0 ? "infinity" : "-infinity";
      return number(Nanos(count, static_cast<const arrow::TimestampType&>(*scalar.type).unit()));
    }
    case Type::EXTENSION:
      return Meaning(*static_cast<const arrow::ExtensionScalar&>(scalar).value);
    default:
      return std::string(static_cast<const arrow::BaseBinaryScalar&>(scalar).view());
  }
}

// Whether a value of the type has the meaning of a number or a count of nanoseconds.
bool Fits(const std::string& meaning, const ColumnType& type) {
  const auto whole = [&]() -> std::optional<Int128> {
    if (meaning.find_first_not_of("-0123456789") != std::string::npos || meaning.size() > 38) return std::nullopt;
    Int128 number = 0;
    for (const char c : meaning) number = c == '-' ? number : number * 10 + (c - '0');
    return meaning[0] == '-' ? -number : number;
  };
  const auto in = [&](Int128 least, Int128 greatest, Int128 unit = 1) {
    const auto number = whole();
    return number && *number % unit == 0 && *number / unit >= least && *number / unit <= greatest;
  };
  constexpr Int128 kNanosOfUnit[] = {1'000'000'000, 1'000'000, 1'000, 1};
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  switch (type.id) {
    case TypeId::kInt8:
      return in(-128, 127);
    case TypeId::kInt32:
      return in(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    case TypeId::kInt64:
      return in(std::numeric_limits<int64_t>::min(), kMost);
    case TypeId::kUInt8:
      return in(0, 255);
    case TypeId::kUInt64:
      return in(0, std::numeric_limits<uint64_t>::max());
    case TypeId::kFloat:
      return AllDigits(static_cast<double>(std::strtof(meaning.c_str(), nullptr))) == meaning;
    case TypeId::kDouble:
      return AllDigits(std::strtod(meaning.c_str(), nullptr)) == meaning;
    case TypeId::kDecimal128: {
      const size_t point = std::min(meaning.find('.'), meaning.size());
      const size_t digits = point - (meaning[0] == '-' ? 1 : 0);
      if (meaning.find_first_not_of("-.0123456789") != std::string::npos) return false;
      return meaning.size() <= point + 1 + static_cast<size_t>(type.scale) &&
             (digits <= static_cast<size_t>(type.precision - type.scale) || meaning.starts_with("0") ||
              meaning.starts_with("-0"));
    }
    case TypeId::kDate32:
      return in(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max(), 86400 * kNanosOfUnit[0]);
    case TypeId::kTime64:
      return in(0, 86400 * (kNanosOfUnit[0] / kNanosOfUnit[static_cast<int>(type.unit)]) - 1,
                kNanosOfUnit[static_cast<int>(type.unit)]);
    case TypeId::kTimestamp:
      return meaning.ends_with("infinity") || in(-kMost, kMost, kNanosOfUnit[static_cast<int>(type.unit)]);
    default:
      return true;
  }
}

// Integers and floats at the edges of every type, and such a source of each kind.
std::vector<std::shared_ptr<arrow::Array>> Sources() {
  std::vector<std::shared_ptr<arrow::Array>> sources;
  const auto add = [&]<class Builder>(Builder&& builder, const auto& values) {
    for (const auto& value : values) EXPECT_OK(builder.Append(value));
    EXPECT_OK(builder.AppendNull());
    sources.push_back(*builder.Finish());
  };
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max(), kLeast = std::numeric_limits<int64_t>::min();
  const std::vector<int64_t> wide = {0,
                                     1,
                                     -1,
                                     127,
                                     128,
                                     -128,
                                     -129,
                                     255,
                                     256,
                                     65536,
                                     86399,
                                     86400,
                                     2147483647,
                                     2147483648,
                                     -2147483648,
                                     16777217,
                                     9007199254740992,
                                     9007199254740993,
                                     86400000,
                                     86400000000,
                                     1700000000123456789,
                                     1700000000000000000,
                                     kMost,
                                     -kMost,
                                     kLeast,
                                     kMost - 1};
  std::vector<int32_t> narrow;
  for (const int64_t v : wide) {
    if (v == static_cast<int32_t>(v)) narrow.push_back(static_cast<int32_t>(v));
  }
  const std::vector<double> reals = {
      0.0,    -0.0,   5.5,  -1,   127, 128,      0.1,       1e300,  16777217, 9007199254740992.0,
      9.3e18, 1.8e19, 2.25, 1e-3, NAN, INFINITY, -INFINITY, 3.5e38, 1e-46,    static_cast<double>(0.1f)};
  arrow::MemoryPool* const pool = arrow::default_memory_pool();
  add(arrow::Int8Builder(), std::vector<int8_t>{0, 1, -1, 127, -128});
  add(arrow::UInt8Builder(), std::vector<uint8_t>{0, 127, 128, 255});
  add(arrow::Int32Builder(), narrow);
  add(arrow::Int64Builder(), wide);
  add(arrow::UInt64Builder(),
      std::vector<uint64_t>{0, 255, 256, uint64_t{1} << 63, ~uint64_t{0}, (uint64_t{1} << 53) + 1});
  add(arrow::DoubleBuilder(), reals);
  add(arrow::FloatBuilder(), std::vector<float>{0, -0.0F, 5.5F, 0.1F, 16777216, 3e38F, NAN, INFINITY, 128});
  add(arrow::HalfFloatBuilder(),
      std::vector<uint16_t>{arrow::util::Float16(5.5F).bits(), arrow::util::Float16(100.0F).bits()});
  for (const auto& type : {arrow::decimal128(38, 0), arrow::decimal128(20, 3), arrow::decimal128(38, 38)}) {
    add(arrow::Decimal128Builder(type, pool),
        std::vector<arrow::Decimal128>{arrow::Decimal128(0), arrow::Decimal128(5500), arrow::Decimal128(-1),
                                       arrow::Decimal128(127000), arrow::Decimal128(1234567),
                                       arrow::Decimal128(99999)});
  }
  add(arrow::Date32Builder(), std::vector<int32_t>{0, -1, 19000, 2147483647, -2147483647});
  add(arrow::Date64Builder(), std::vector<int64_t>{0, 86400000, 86400001, -1, kMost});
  for (int unit = 0; unit < 4; ++unit) {
    const auto time_unit = static_cast<arrow::TimeUnit::type>(unit);
    for (const char* zone : {"", "UTC", "Europe/Paris"})
      add(arrow::TimestampBuilder(arrow::timestamp(time_unit, zone), pool), wide);
    if (unit < 2) add(arrow::Time32Builder(arrow::time32(time_unit), pool), std::vector<int32_t>{0, 86399, 86400, -1});
    if (unit >= 2) {
      add(arrow::Time64Builder(arrow::time64(time_unit), pool),
          std::vector<int64_t>{0, 1, 1000, 86399999999, 86400000000, 86399999999999, -1});
    }
  }
  add(arrow::BooleanBuilder(), std::vector<bool>{true, false});
  const std::vector<std::string> texts = {"", "5.5", "x", std::string("a\0b", 3)};
  add(arrow::BinaryBuilder(), texts);
  add(arrow::LargeBinaryBuilder(), texts);
  add(arrow::BinaryViewBuilder(), texts);
  add(arrow::FixedSizeBinaryBuilder(arrow::fixed_size_binary(3)), std::vector<std::string>{"abc", "de\xFF"});
  return sources;
}

std::vector<ColumnType> Targets() {
  std::vector<ColumnType> targets = {TypeId::kBool,
                                     TypeId::kInt8,
                                     TypeId::kInt32,
                                     TypeId::kInt64,
                                     TypeId::kUInt8,
                                     TypeId::kUInt64,
                                     TypeId::kFloat,
                                     TypeId::kDouble,
                                     TypeId::kUtf8,
                                     TypeId::kBinary,
                                     TypeId::kDate32,
                                     TypeId::kUuid,
                                     ColumnType::Decimal(38, 0),
                                     ColumnType::Decimal(5, 2),
                                     ColumnType::Decimal(38, 20),
                                     ColumnType::Time(TimeUnit::kMicro),
                                     ColumnType::Time(TimeUnit::kNano)};
  for (const TimeUnit unit : {TimeUnit::kSecond, TimeUnit::kMilli, TimeUnit::kMicro, TimeUnit::kNano}) {
    targets.push_back(ColumnType::Timestamp(unit));
    targets.push_back(ColumnType::Timestamp(unit, "UTC"));
  }
  return targets;
}

// One cell at a time: so that each is judged by itself, as well as the array as a whole.
TEST(ExactCast, EveryValueIsKeptOrRefused) {
  int kept = 0, refused = 0;
  for (const auto& source : Sources()) {
    for (const ColumnType& type : Targets()) {
      SCOPED_TRACE(source->type()->ToString() + " to " + type.ToString());
      Misfit misfit{-1, {}};
      const auto whole = ExactCast(source, type, &misfit);
      const bool has_cast = whole.ok() || misfit.row >= 0;
      int64_t first_misfit = -1;
      for (int64_t i = 0; i < source->length() && has_cast; ++i) {
        Misfit own{-1, {}};
        const auto cast = ExactCast(source->Slice(i, 1), type, &own);
        ASSERT_OK_AND_ASSIGN(const auto cell, source->GetScalar(i));
        if (!cell->is_valid) {
          ASSERT_OK(cast.status());
          EXPECT_EQ((*cast)->null_count(), 1);
          continue;
        }
        const bool counts_in_unit =
            arrow::is_integer(source->type_id()) &&
            (type.id == TypeId::kDate32 || type.id == TypeId::kTime64 || type.id == TypeId::kTimestamp);
        if (!cast.ok()) {
          ++refused;
          if (first_misfit < 0) first_misfit = i;
          EXPECT_EQ(own.row, 0);
          EXPECT_NE(own.message.find(type.ToString()), std::string::npos) << own.message;
          EXPECT_TRUE(counts_in_unit || type.id == TypeId::kUuid || !Fits(Meaning(*cell), type)) << cell->ToString();
          continue;
        }
        ++kept;
        ASSERT_OK((*cast)->Validate());
        ASSERT_OK_AND_ASSIGN(const auto result, (*cast)->GetScalar(0));
        if (counts_in_unit) {
          EXPECT_EQ(Value::FromScalar(*result, type)->get<int64_t>(),
                    Value::FromScalar(*cell, TypeId::kInt64)->get<int64_t>());
        } else {
          EXPECT_EQ(Meaning(*result), Meaning(*cell));
        }
      }
      EXPECT_EQ(misfit.row, first_misfit);
      EXPECT_EQ(whole.ok(), has_cast && first_misfit < 0);
    }
  }
  EXPECT_GT(kept, 1500);
  EXPECT_GT(refused, 500);
}

TEST(ExactCast, TextIsRead) {
  arrow::StringBuilder builder;
  ASSERT_OK(builder.AppendValues(std::vector<std::string>{"5", "6", "5.5"}));
  const auto texts = *builder.Finish();
  Misfit misfit{-1, {}};
  EXPECT_ERROR_HAS(ExactCast(texts, TypeId::kInt64, &misfit), "cannot read '5.5' as BIGINT");
  EXPECT_EQ(misfit.row, 2);
  ASSERT_OK_AND_ASSIGN(const auto numbers, ExactCast(texts->Slice(0, 2), TypeId::kInt64, &misfit));
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*numbers).Value(1), 6);
  ASSERT_OK_AND_ASSIGN(const auto reals, ExactCast(texts, ColumnType::Decimal(4, 2), &misfit));
  EXPECT_EQ(reals->ToString().find("5.50") != std::string::npos, true);
  ASSERT_OK_AND_ASSIGN(const auto dictionary, arrow::compute::DictionaryEncode(texts));
  ASSERT_OK_AND_ASSIGN(const auto doubles, ExactCast(dictionary.make_array(), TypeId::kDouble, &misfit));
  EXPECT_EQ(static_cast<const arrow::DoubleArray&>(*doubles).Value(2), 5.5);
}

TEST(ExactCast, OtherKindsAreRefusedEvenWithoutValues) {
  Misfit misfit{-1, {}};
  const auto refuse = [&](const std::shared_ptr<arrow::DataType>& from, const ColumnType& to) {
    EXPECT_ERROR_HAS(ExactCast(*arrow::MakeArrayOfNull(from, 2), to, &misfit), "no cast from " + from->ToString());
    EXPECT_EQ(misfit.row, -1);
  };
  refuse(arrow::boolean(), TypeId::kInt32);
  refuse(arrow::int64(), TypeId::kBool);
  refuse(arrow::float64(), TypeId::kDate32);
  refuse(arrow::timestamp(arrow::TimeUnit::MICRO), ColumnType::Timestamp(TimeUnit::kMicro, "UTC"));
  refuse(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), ColumnType::Timestamp(TimeUnit::kMicro));
  refuse(arrow::timestamp(arrow::TimeUnit::MICRO), TypeId::kDate32);
  refuse(arrow::timestamp(arrow::TimeUnit::MICRO), TypeId::kInt64);
  refuse(arrow::int64(), TypeId::kUtf8);
  refuse(arrow::duration(arrow::TimeUnit::MICRO), TypeId::kInt64);
  refuse(arrow::list(arrow::int64()), TypeId::kInt64);
  ASSERT_OK(ExactCast(*arrow::MakeArrayOfNull(arrow::null(), 2), TypeId::kUuid, &misfit).status());
}

}  // namespace
}  // namespace yarrow::batch
