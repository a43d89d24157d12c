// Dates, times of day and timestamps as text (proleptic Gregorian calendar, UTC). All functions are pure.
//
// Years outside 0000 to 9999 are written with a sign and at least four digits (ISO 8601's expanded form), so that every
// int64 has a text that reads back to it.
//
// The greatest date or timestamp is "infinity", the one as far below zero "-infinity", as in DuckDB.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "yarrow/type.h"

namespace yarrow {

constexpr arrow::TimeUnit::type ToArrowUnit(TimeUnit unit) {
  return static_cast<arrow::TimeUnit::type>(unit);
}
constexpr int64_t UnitsPerSecond(TimeUnit unit) {
  constexpr int64_t kUnitsPerSecond[] = {1, 1'000, 1'000'000, 1'000'000'000};
  return kUnitsPerSecond[static_cast<size_t>(unit)];
}
constexpr int64_t UnitsPerDay(TimeUnit unit) {
  return 86400 * UnitsPerSecond(unit);
}
// 24:00:00, the end of the day, is one too, as in DuckDB and PostgreSQL.
constexpr bool IsTimeOfDay(int64_t units, TimeUnit unit) {
  return units >= 0 && units <= UnitsPerDay(unit);
}

// `count` in units `from`, in units `to`; nothing when inexact or out of range.
std::optional<int64_t> ConvertUnits(int64_t count, TimeUnit from, TimeUnit to);

// "2024-02-29", from days since 1970-01-01.
std::string FormatDate(int64_t days);
// "23:59:59.5", from units since midnight; the fraction without trailing zeros.
std::string FormatTime(int64_t units, TimeUnit unit);
// "2024-02-29 23:59:59.5", from units since the epoch.
std::string FormatTimestamp(int64_t units, TimeUnit unit);

// Infinity and -infinity in any case of letters, too; so does ParseTimestamp.
std::optional<int32_t> ParseDate(std::string_view text);
// hh:mm, hh:mm:ss or with a fraction of no more digits than the unit has.
std::optional<int64_t> ParseTime(std::string_view text, TimeUnit unit);
// A date, or a date and a time ("T" or a blank between), perhaps with Z, +hh, +hhmm or +hh:mm, which is converted to
// UTC.
std::optional<int64_t> ParseTimestamp(std::string_view text, TimeUnit unit);

}  // namespace yarrow
