#include "type/calendar.h"

#include <arrow/type.h>
#include <arrow/util/value_parsing.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>

#include "type/value_range.h"
#include "yarrow/value.h"

namespace yarrow {
namespace {

// The calendar repeats every 400 years. So any day is some whole cycles and a day from 1970 to 2369, which <chrono> and
// Arrow's parser can handle.
constexpr int64_t kDaysPerCycle = 146097;
constexpr int64_t kYearsPerCycle = 400;
constexpr int64_t kFirstYear = 1970;
// Beyond all that an int64 of seconds can hold.
constexpr int64_t kMaxYear = 300'000'000'000;

// a / b rounded down, and what is left, for b > 0. Near the least int64 quotient * b would overflow, the remainder does
// not.
int64_t FloorDivide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}
int64_t FloorRemainder(int64_t a, int64_t b) {
  return a % b + (a % b < 0 ? b : 0);
}

// Cuts a date off the front of `text` and gives its days since the epoch.
std::optional<Int128> TakeDate(std::string_view* text) {
  const bool is_signed = text->starts_with('+') || text->starts_with('-');
  const size_t year_start = is_signed ? 1 : 0;
  const size_t year_end = text->find('-', year_start);
  if (year_end == std::string_view::npos || year_end < year_start + 4) return std::nullopt;
  if (!is_signed && year_end != 4) return std::nullopt;
  if (text->size() < year_end + 6) return std::nullopt;
  int64_t year = 0;
  const char* digits_end = text->data() + year_end;
  const auto [end, error] = std::from_chars(text->data() + year_start, digits_end, year);
  if (error != std::errc() || end != digits_end || year < 0 || year > kMaxYear) return std::nullopt;
  if (text->front() == '-') year = -year;

  const int64_t cycles = FloorDivide(year - kFirstYear, kYearsPerCycle);
  const std::string in_first_cycle =
      std::to_string(year - cycles * kYearsPerCycle).append(text->substr(year_end, 6));  // year, "-mm-dd"
  int32_t days = 0;
  if (!arrow::internal::ParseValue<arrow::Date32Type>(in_first_cycle.data(), in_first_cycle.size(), &days)) {
    return std::nullopt;
  }
  text->remove_prefix(year_end + 6);
  return static_cast<Int128>(cycles) * kDaysPerCycle + days;
}

std::string FormatFraction(int64_t units, int64_t units_per_second) {
  if (units == 0) return {};
  std::string digits = std::to_string(units_per_second + units);  // 1 and the fraction with its leading zeros
  digits.front() = '.';
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits;
}

std::string FormatDay(int64_t days) {
  const int64_t cycles = FloorDivide(days, kDaysPerCycle);
  const std::chrono::sys_days day_in_cycle{std::chrono::days(FloorRemainder(days, kDaysPerCycle))};
  const std::chrono::year_month_day date(day_in_cycle);
  const int64_t year = static_cast<int>(date.year()) + cycles * kYearsPerCycle;
  const char* sign = year < 0 ? "-" : (year > 9999 ? "+" : "");
  char text[48];
  std::snprintf(text, sizeof(text), "%s%04lld-%02u-%02u", sign, static_cast<long long>(year < 0 ? -year : year),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

// T: int32_t for dates, int64_t for timestamps.
template <class T>
std::optional<std::string> FormatInfinity(int64_t count) {
  constexpr int64_t kInfinity = std::numeric_limits<T>::max();
  if (count == kInfinity) return "infinity";
  if (count == -kInfinity) return "-infinity";
  return std::nullopt;
}

template <class T>
std::optional<T> ParseInfinity(std::string_view text) {
  constexpr std::string_view kWord = "infinity";
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const auto is_same = [](char c, char lower) { return c == lower || c == lower - 'a' + 'A'; };
  if (!std::equal(text.begin(), text.end(), kWord.begin(), kWord.end(), is_same)) return std::nullopt;
  return is_negative ? -std::numeric_limits<T>::max() : std::numeric_limits<T>::max();
}

}  // namespace

std::optional<int64_t> ConvertUnits(int64_t count, TimeUnit from, TimeUnit to) {
  if (IsInfiniteTimestamp(count)) return count;
  const int64_t from_per_second = UnitsPerSecond(from);
  const int64_t to_per_second = UnitsPerSecond(to);
  if (from_per_second > to_per_second) {
    const int64_t divisor = from_per_second / to_per_second;
    if (count % divisor != 0) return std::nullopt;
    return count / divisor;
  }
  int64_t result = 0;
  if (__builtin_mul_overflow(count, to_per_second / from_per_second, &result)) return std::nullopt;
  return result;
}

std::string FormatDate(int64_t days) {
  const auto infinity = FormatInfinity<int32_t>(days);
  return infinity ? *infinity : FormatDay(days);
}

std::string FormatTime(int64_t units, TimeUnit unit) {
  const int64_t per_second = UnitsPerSecond(unit);
  const auto seconds = static_cast<long long>(units / per_second);
  char text[80];
  std::snprintf(text, sizeof(text), "%02lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60, seconds % 60);
  return text + FormatFraction(units % per_second, per_second);
}

std::string FormatTimestamp(int64_t units, TimeUnit unit) {
  if (const auto infinity = FormatInfinity<int64_t>(units)) return *infinity;
  const int64_t per_day = UnitsPerDay(unit);
  const int64_t days = FloorDivide(units, per_day);
  return FormatDay(days) + " " + FormatTime(FloorRemainder(units, per_day), unit);
}

std::optional<int32_t> ParseDate(std::string_view text) {
  if (const auto infinity = ParseInfinity<int32_t>(text)) return infinity;
  const std::optional<Int128> days = TakeDate(&text);
  if (!days || !text.empty()) return std::nullopt;
  if (*days < std::numeric_limits<int32_t>::min() || *days > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return static_cast<int32_t>(*days);
}

std::optional<int64_t> ParseTime(std::string_view text, TimeUnit unit) {
  if (text == "24:00:00") return UnitsPerDay(unit);
  const arrow::Time64Type type(ToArrowUnit(unit));
  int64_t units = 0;
  if (!arrow::internal::ParseValue(type, text.data(), text.size(), &units)) return std::nullopt;
  return units;
}

std::optional<int64_t> ParseTimestamp(std::string_view text, TimeUnit unit) {
  if (const auto infinity = ParseInfinity<int64_t>(text)) return infinity;
  const std::optional<Int128> days = TakeDate(&text);
  if (!days) return std::nullopt;
  int64_t time_of_day = 0;  // less or more than a day when there is an offset
  if (!text.empty()) {
    const std::string on_first_day = std::string("1970-01-01").append(text);
    if (!arrow::internal::ParseTimestampISO8601(on_first_day.data(), on_first_day.size(), ToArrowUnit(unit),
                                                &time_of_day)) {
      return std::nullopt;
    }
  }
  const Int128 units = *days * UnitsPerDay(unit) + time_of_day;
  if (units < std::numeric_limits<int64_t>::min() || units > std::numeric_limits<int64_t>::max()) return std::nullopt;
  return static_cast<int64_t>(units);
}

}  // namespace yarrow
