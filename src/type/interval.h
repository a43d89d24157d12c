// Spans of time, and times of day in a time zone. Pure functions.
//
// An Interval lies in rows and batches as months and days (int32) and microseconds (int64), little-endian.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "yarrow/value.h"

namespace yarrow {

// As if a month had 30 days and a day 24 hours, which is SQL's order.
std::weak_ordering CompareIntervals(const Interval& a, const Interval& b);

Uuid ToBytes(const Interval& interval);
Interval IntervalFromBytes(const Uuid& bytes);

// "1 year 2 months -3 days 04:05:06.789", as DuckDB writes it.
std::string FormatInterval(const Interval& interval);
std::optional<Interval> ParseInterval(std::string_view text);

// The number of a time with time zone, see yarrow/value.h: it sorts by the moment, then by the zone from east to west.
bool IsTimeTz(uint64_t number);
// "12:34:56.5+02:30". REQUIRES: IsTimeTz(number).
std::string FormatTimeTz(uint64_t number);
std::optional<uint64_t> ParseTimeTz(std::string_view text);

}  // namespace yarrow
