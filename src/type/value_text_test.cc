#include <arrow/type.h>
#include <arrow/util/value_parsing.h>

#include <cmath>

#include "arrow_assert.h"
#include "random_seed.h"
#include "type/calendar.h"
#include "type/value_range.h"
#include "value_generator.h"
#include "yarrow/value.h"

namespace yarrow {
namespace {

using test::ValueGenerator;

struct TextCase {
  ColumnType type;
  const char* text;
  Value value;
  const char* shown = nullptr;  // when it differs from the text
};

TEST(ValueTextTest, EveryValueReadsBack) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (const ColumnType& type : test::AllColumnTypes()) {
    if (type.is_nested()) continue;  // those are not read from text
    for (int round = 0; round < test::Rounds(500); ++round) {
      const Value value = generator.AnyValue(type);
      const std::string text = value.ToString(type);
      ASSERT_OK_AND_ASSIGN(const Value parsed, Value::Parse(text, type));
      ASSERT_EQ(parsed.variant().index(), value.variant().index());
      ASSERT_TRUE(std::is_eq(CompareValues(parsed, value))) << text << " as " << type.ToString();
    }
  }
}

TEST(ValueTextTest, KnownForms) {
  const ColumnType micros = ColumnType::Timestamp(TimeUnit::kMicro);
  const ColumnType zoned = ColumnType::Timestamp(TimeUnit::kSecond, "UTC");
  const ColumnType time = ColumnType::Time(TimeUnit::kMicro);
  const std::string bytes("a\0\xFF\\", 4);
  const TextCase cases[] = {
      {TypeId::kBool, "true", Value(true)},
      {TypeId::kBool, "FALSE", Value(false), "false"},
      {TypeId::kBool, "1", Value(true), "true"},
      {TypeId::kInt8, "-128", Value(-128)},
      {TypeId::kUInt64, "18446744073709551615", Value(UINT64_MAX)},
      {TypeId::kDouble, "0.1", Value(0.1)},
      {TypeId::kDouble, "-inf", Value(-INFINITY)},
      {TypeId::kFloat, "0.1", Value(0.1f)},
      {ColumnType::Decimal(6, 2), "-12.5", Value(Decimal{-1250, 2}), "-12.50"},
      {ColumnType::Decimal(6, 2), "1e3", Value(Decimal{100000, 2}), "1000.00"},
      {ColumnType::Decimal(9, 9), "-0.000000001", Value(Decimal{-1, 9})},
      {ColumnType::Decimal(9, 2), ".5", Value(Decimal{50, 2}), "0.50"},
      {TypeId::kUtf8, "NULL", Value("NULL")},
      {TypeId::kUtf8, "", Value("")},
      {TypeId::kBinary, "a\\x00\\xFF\\x5c", Value(bytes), "a\\x00\\xff\\x5c"},
      {TypeId::kDate32, "2024-02-29", Value(19782)},
      {TypeId::kDate32, "1969-12-31", Value(-1)},
      {TypeId::kDate32, "0000-01-01", Value(-719528)},
      {TypeId::kDate32, "-0001-12-31", Value(-719529)},
      {TypeId::kDate32, "+10000-01-01", Value(2932897)},
      {time, "23:59:59.999999", Value(86399999999)},
      {time, "07:05", Value(25500000000), "07:05:00"},
      {micros, "1969-12-31 23:59:59.999999", Value(-1)},
      {TypeId::kDate32, "infinity", Value(INT32_MAX)},
      {TypeId::kDate32, "-Infinity", Value(-INT32_MAX), "-infinity"},
      {micros, "INFINITY", Value(INT64_MAX), "infinity"},
      {micros, "-infinity", Value(-INT64_MAX)},
      {zoned, "infinity", Value(INT64_MAX)},
      {ColumnType::Timestamp(TimeUnit::kNano), "-infinity", Value(-INT64_MAX)},
      {micros, "2024-02-29T12:00:00.5Z", Value(1709208000500000), "2024-02-29 12:00:00.5"},
      {micros, "2024-02-29 12:00:00+02:30", Value(1709199000000000), "2024-02-29 09:30:00"},
      {zoned, "2024-02-29", Value(1709164800), "2024-02-29 00:00:00Z"},
      {TypeId::kUuid, "00112233-4455-6677-8899-aabbccddeeff",
       Value(Uuid{{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}})},
  };
  for (const TextCase& c : cases) {
    ASSERT_OK_AND_ASSIGN(const Value parsed, Value::Parse(c.text, c.type));
    EXPECT_TRUE(std::is_eq(CompareValues(parsed, c.value))) << c.text;
    EXPECT_EQ(parsed.ToString(c.type), c.shown != nullptr ? c.shown : c.text);
  }
  EXPECT_EQ(Value::Null().ToString(TypeId::kInt8), "NULL");
  EXPECT_EQ(Value(bytes).ToString(), "a\\x00\\xff\\x5c");
}

TEST(ValueTextTest, OtherTextIsAnErrorNamingTextAndType) {
  const std::pair<ColumnType, const char*> cases[] = {
      {TypeId::kBool, "yes"},
      {TypeId::kInt8, "128"},
      {TypeId::kInt8, "0x1"},
      {TypeId::kInt32, ""},
      {TypeId::kInt32, " 1"},
      {TypeId::kInt32, "1.0"},
      {TypeId::kUInt8, "-1"},
      {TypeId::kInt64, "9223372036854775808"},
      {TypeId::kDouble, "1,5"},
      {TypeId::kDouble, "1e999"},
      {ColumnType::Decimal(4, 2), "100"},
      {ColumnType::Decimal(4, 2), "1.234"},
      {ColumnType::Decimal(4, 2), "abc"},
      {ColumnType::Decimal(38, 0), "1e-99999"},
      {TypeId::kBinary, "\\xZZ"},
      {TypeId::kBinary, "\\x1"},
      {TypeId::kBinary, "é"},
      {TypeId::kDate32, "2023-02-29"},
      {TypeId::kDate32, "2023-1-1"},
      {TypeId::kDate32, "20230101"},
      {TypeId::kDate32, "12345-01-01"},
      {TypeId::kDate32, "+99999999-01-01"},
      {TypeId::kDate32, "+99999999999999999999-01-01"},
      {TypeId::kDate32, "2023-01-01 "},
      {TypeId::kDate32, "inf"},
      {ColumnType::Timestamp(TimeUnit::kMicro), "--infinity"},
      {ColumnType::Timestamp(TimeUnit::kMicro), "infinityZ"},
      {ColumnType::Time(TimeUnit::kMicro), "infinity"},
      {ColumnType::Time(TimeUnit::kMicro), "24:00:01"},
      {ColumnType::Time(TimeUnit::kMicro), "24:00:00.5"},
      {ColumnType::Time(TimeUnit::kMicro), "12:00:00.1234567"},
      {ColumnType::Timestamp(TimeUnit::kSecond), "2024-01-01 00:00:00.5"},
      {ColumnType::Timestamp(TimeUnit::kNano), "2300-01-01"},
      {ColumnType::Timestamp(TimeUnit::kMicro), "2024-01-01 25:00"},
      {ColumnType::Timestamp(TimeUnit::kMicro), "2024-01-01x"},
      {TypeId::kUuid, "00112233445566778899aabbccddee"},
      {TypeId::kUuid, "00112233-4455-6677-8899_aabbccddeeff"},
      {TypeId::kUuid, "g0112233445566778899aabbccddeeff"},
  };
  for (const auto& [type, text] : cases) {
    EXPECT_ERROR_HAS(Value::Parse(text, type), std::string("cannot read '") + text + "' as " + type.ToString());
  }
  EXPECT_ERROR_HAS(Value::Parse("\xFF", TypeId::kUtf8), "cannot read '\\xff' as VARCHAR: it is not valid UTF-8");
}

TEST(ValueTextTest, RandomTextNeverCrashes) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (int round = 0; round < test::Rounds(50'000); ++round) {
    const ColumnType type = generator.AnyType();
    std::string text = generator.AnyValue(generator.OneIn(4) ? generator.AnyType() : type).ToString(type);
    for (uint64_t n = generator.Below(4); n > 0 && !text.empty(); --n) {
      const size_t at = generator.Below(text.size());
      if (generator.OneIn(3)) {
        text.erase(at, generator.Below(4));
      } else {
        text[at] = "0123456789-+:. TZeE\\x'\xFF"[generator.Below(23)];
      }
    }
    const auto parsed = Value::Parse(text, type);
    // Timestamps are read as far as they go, though a new row may not have them all.
    if (parsed.ok() && type.id != TypeId::kTimestamp) ASSERT_OK(parsed->CastTo(type).status());
  }
}

TEST(CalendarTest, AgreesWithArrowOnFourDigitYears) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (int round = 0; round < test::Rounds(20'000); ++round) {
    const auto units = static_cast<int64_t>(generator.AnyInteger(-60'000'000'000'000'000, 250'000'000'000'000'000));
    const std::string text = FormatTimestamp(units, TimeUnit::kMicro);
    int64_t parsed = 0;
    ASSERT_TRUE(arrow::internal::ParseTimestampISO8601(text.data(), text.size(), arrow::TimeUnit::MICRO, &parsed))
        << text;
    ASSERT_EQ(parsed, units) << text;
    ASSERT_EQ(ParseTimestamp(text, TimeUnit::kMicro), units) << text;
  }
}

TEST(CalendarTest, ExtremesOfEveryUnit) {
  EXPECT_EQ(FormatTimestamp(INT64_MIN, TimeUnit::kNano), "1677-09-21 00:12:43.145224192");
  EXPECT_EQ(FormatTimestamp(INT64_MAX - 1, TimeUnit::kMicro), "+294247-01-10 04:00:54.775806");
  for (const TimeUnit unit : {TimeUnit::kSecond, TimeUnit::kMilli, TimeUnit::kMicro, TimeUnit::kNano}) {
    for (const int64_t units : {INT64_MIN, INT64_MIN + 1, int64_t{-1}, INT64_MAX}) {
      EXPECT_EQ(ParseTimestamp(FormatTimestamp(units, unit), unit), units);
    }
  }
  EXPECT_EQ(ParseTimestamp("+294247-01-10 04:00:54.775808", TimeUnit::kMicro), std::nullopt);
  EXPECT_EQ(FormatDate(INT64_MIN), "-25252734927764585-06-07");
}

TEST(CalendarTest, UnitsConvertExactlyOrNotAtAll) {
  EXPECT_EQ(ConvertUnits(-5, TimeUnit::kSecond, TimeUnit::kNano), -5'000'000'000);
  EXPECT_EQ(ConvertUnits(-5'000, TimeUnit::kMicro, TimeUnit::kMilli), -5);
  EXPECT_EQ(ConvertUnits(-5'001, TimeUnit::kMicro, TimeUnit::kMilli), std::nullopt);
  EXPECT_EQ(ConvertUnits(INT64_MAX - 1, TimeUnit::kSecond, TimeUnit::kMilli), std::nullopt);
  for (const int64_t infinite : {INT64_MAX, -INT64_MAX}) {
    EXPECT_EQ(ConvertUnits(infinite, TimeUnit::kSecond, TimeUnit::kMilli), infinite);
    EXPECT_EQ(ConvertUnits(infinite, TimeUnit::kNano, TimeUnit::kSecond), infinite);
  }
}

// Those that DuckDB shows: it takes timestamps apart into days and the time since midnight.
TEST(CalendarTest, NewRowsHaveTimestampsThatSqlCanShow) {
  const auto range = [](TimeUnit unit) {
    const TimestampRange of_unit = TimestampsOf(unit);
    return FormatTimestamp(of_unit.least, unit) + " " + FormatTimestamp(of_unit.greatest, unit);
  };
  EXPECT_EQ(range(TimeUnit::kSecond), "-290308-12-22 00:00:00 +294247-01-10 04:00:54");
  EXPECT_EQ(range(TimeUnit::kMilli), "-290308-12-22 00:00:00 +294247-01-10 04:00:54.775");
  EXPECT_EQ(range(TimeUnit::kMicro), "-290308-12-22 00:00:00 +294247-01-10 04:00:54.775806");
  EXPECT_EQ(range(TimeUnit::kNano), "1677-09-22 00:00:00 2262-04-11 23:47:16.854775806");
  const ColumnType seconds = ColumnType::Timestamp(TimeUnit::kSecond);
  EXPECT_EQ(Value(INT64_MAX).CastTo(seconds)->get<int64_t>(), INT64_MAX);
  EXPECT_EQ(Value(-INT64_MAX).CastTo(seconds)->get<int64_t>(), -INT64_MAX);
  EXPECT_ERROR_HAS(Value(int64_t{9'223'372'036'855}).CastTo(seconds), "out of range of TIMESTAMP_S (it has ");
  EXPECT_ERROR_HAS(Value(INT64_MIN).CastTo(seconds), "out of range of TIMESTAMP_S");
  EXPECT_ERROR_HAS(Value(int64_t{86'400'000'001}).CastTo(ColumnType::Time(TimeUnit::kMicro)),
                   "out of range of TIME (a day ends at 24:00:00)");
}

}  // namespace
}  // namespace yarrow
