// Which timestamps a new row may have. Pure functions.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "type/calendar.h"

namespace yarrow {

// Timestamps without end: the greatest number and the one as far below zero, whatever the unit.
constexpr bool IsInfiniteTimestamp(int64_t units) {
  return units == std::numeric_limits<int64_t>::max() || units == -std::numeric_limits<int64_t>::max();
}

// The finite timestamps of a unit: those that SQL can show. DuckDB counts days from midnight and microseconds (of
// TIMESTAMP_NS nanoseconds) in 64 bits, so the first day begins below, and coarser units end where microseconds do.
struct TimestampRange {
  int64_t least;
  int64_t greatest;
};
constexpr TimestampRange TimestampsOf(TimeUnit unit) {
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max() - 1;
  if (unit == TimeUnit::kNano) return {kLast / UnitsPerDay(unit) * -UnitsPerDay(unit), kLast};
  const int64_t per_unit = UnitsPerSecond(TimeUnit::kMicro) / UnitsPerSecond(unit);
  return {kLast / UnitsPerDay(TimeUnit::kMicro) * -UnitsPerDay(unit), kLast / per_unit};
}
constexpr bool IsTimestamp(int64_t units, TimeUnit unit) {
  const TimestampRange range = TimestampsOf(unit);
  return (units >= range.least && units <= range.greatest) || IsInfiniteTimestamp(units);
}

// For messages, where people may not know the range: " (a day ends at 23:59:59.999999)"; empty for most types.
std::string RangeHint(const ColumnType& type);

}  // namespace yarrow
