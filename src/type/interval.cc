#include "type/interval.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdio>
#include <limits>

#include "type/calendar.h"

namespace yarrow {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;
constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;
constexpr int32_t kGreatestOffset = 16 * 3600 - 1;  // of a time zone, in seconds, either way
constexpr int kOffsetBits = 24;
constexpr uint64_t kOffsetMask = (uint64_t{1} << kOffsetBits) - 1;

Int128 MicrosOf(const Interval& interval) {
  return (Int128{interval.months} * 30 + interval.days) * kMicrosPerDay + interval.micros;
}

void AppendUnits(int32_t count, const char* name, std::string* out) {
  if (count == 0) return;
  *out += (out->empty() ? "" : " ") + std::to_string(count) + " " + name + (count == 1 ? "" : "s");
}

// hh:mm:ss.ffffff of any number of hours.
std::string FormatMicros(int64_t micros) {
  const uint64_t size = micros < 0 ? -static_cast<uint64_t>(micros) : static_cast<uint64_t>(micros);
  const uint64_t hours = size / kMicrosPerHour;
  const std::string text = (hours < 10 ? "0" : "") + std::to_string(hours) +
                           FormatTime(static_cast<int64_t>(size % kMicrosPerHour), TimeUnit::kMicro).substr(2);
  return (micros < 0 ? "-" : "") + text;
}

std::optional<int64_t> ParseMicros(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon < 2) return std::nullopt;
  uint64_t hours = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + colon, hours);
  const auto rest = ParseTime("00" + std::string(text.substr(colon)), TimeUnit::kMicro);
  if (error != std::errc() || end != text.data() + colon || !rest) return std::nullopt;
  const Int128 micros = (Int128{hours} * kMicrosPerHour + *rest) * (is_negative ? -1 : 1);
  if (micros < std::numeric_limits<int64_t>::min() || micros > std::numeric_limits<int64_t>::max()) return std::nullopt;
  return static_cast<int64_t>(micros);
}

// Takes "12 months" off, if it is there, and adds to *sum what it is in units of one of `per` a unit.
bool TakeUnits(std::string_view* text, std::string_view name, int64_t per, int64_t* sum) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error != std::errc() || count < std::numeric_limits<int32_t>::min() ||
      count > std::numeric_limits<int32_t>::max()) {
    return false;
  }
  std::string_view rest = text->substr(static_cast<size_t>(end - text->data()));
  if (!rest.starts_with(' ') || !rest.substr(1).starts_with(name)) return false;
  rest.remove_prefix(1 + name.size());
  if (rest.starts_with('s')) rest.remove_prefix(1);
  if (!rest.empty() && !rest.starts_with(' ')) return false;
  if (!rest.empty()) rest.remove_prefix(1);
  *sum += count * per;
  *text = rest;
  return true;
}

bool FitsInt32(int64_t number) {
  return number >= std::numeric_limits<int32_t>::min() && number <= std::numeric_limits<int32_t>::max();
}

// Seconds east of UTC, from "+02:30:15"; the minutes and seconds may be left out.
std::optional<int32_t> ParseOffset(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const int32_t sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  int32_t seconds = 0;
  for (int32_t unit = 3600; !text.empty(); unit /= 60) {
    int32_t part = 0;
    if (unit == 0 || text.size() < 2) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 2, part);
    if (error != std::errc() || end != text.data() + 2 || (unit < 3600 && part > 59)) return std::nullopt;
    seconds += part * unit;
    text.remove_prefix(2);
    if (text.starts_with(':') && text.size() > 1) text.remove_prefix(1);
  }
  if (seconds > kGreatestOffset) return std::nullopt;
  return sign * seconds;
}

}  // namespace

std::weak_ordering CompareIntervals(const Interval& a, const Interval& b) {
  const Int128 left = MicrosOf(a), right = MicrosOf(b);
  if (left == right) return std::weak_ordering::equivalent;
  return left < right ? std::weak_ordering::less : std::weak_ordering::greater;
}

Uuid ToBytes(const Interval& interval) {
  return std::bit_cast<Uuid>(interval);
}

Interval IntervalFromBytes(const Uuid& bytes) {
  return std::bit_cast<Interval>(bytes);
}

std::string FormatInterval(const Interval& interval) {
  std::string text;
  AppendUnits(interval.months / 12, "year", &text);
  AppendUnits(interval.months % 12, "month", &text);
  AppendUnits(interval.days, "day", &text);
  if (interval.micros != 0 || text.empty()) text += (text.empty() ? "" : " ") + FormatMicros(interval.micros);
  return text;
}

std::optional<Interval> ParseInterval(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t months = 0, days = 0;
  TakeUnits(&text, "year", 12, &months);
  TakeUnits(&text, "month", 1, &months);
  TakeUnits(&text, "day", 1, &days);
  const std::optional<int64_t> micros = text.empty() ? std::optional<int64_t>(0) : ParseMicros(text);
  if (!micros || !FitsInt32(months) || !FitsInt32(days)) return std::nullopt;
  return Interval{static_cast<int32_t>(months), static_cast<int32_t>(days), *micros};
}

bool IsTimeTz(uint64_t number) {
  const auto west = static_cast<int64_t>(number & kOffsetMask);
  const auto micros = static_cast<int64_t>(number >> kOffsetBits) - west * kMicrosPerSecond;
  return west <= 2 * int64_t{kGreatestOffset} && micros >= 0 && micros <= kMicrosPerDay;
}

std::string FormatTimeTz(uint64_t number) {
  const auto west = static_cast<int64_t>(number & kOffsetMask);
  const int64_t micros = static_cast<int64_t>(number >> kOffsetBits) - west * kMicrosPerSecond;
  const auto offset = static_cast<int>(kGreatestOffset - west);
  const int size = offset < 0 ? -offset : offset;
  char zone[32];
  std::snprintf(zone, sizeof(zone), "%c%02d:%02d:%02d", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60, size % 60);
  std::string_view shown = zone;
  if (shown.ends_with(":00")) shown.remove_suffix(3);
  if (shown.size() == 6 && shown.ends_with(":00")) shown.remove_suffix(3);
  return FormatTime(micros, TimeUnit::kMicro).append(shown);
}

std::optional<uint64_t> ParseTimeTz(std::string_view text) {
  const size_t zone = std::min(text.find_first_of("+-"), text.size());
  const auto micros = ParseTime(text.substr(0, zone), TimeUnit::kMicro);
  const std::optional<int32_t> offset = zone == text.size() ? 0 : ParseOffset(text.substr(zone));
  if (!micros || !offset) return std::nullopt;
  const auto west = static_cast<uint64_t>(kGreatestOffset - *offset);
  return (static_cast<uint64_t>(*micros) + west * kMicrosPerSecond) << kOffsetBits | west;
}

}  // namespace yarrow
