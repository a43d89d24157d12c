#include "cli/type_inference.h"

#include <arrow/array.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "yarrow/value.h"

namespace yarrow::cli {
namespace {

enum Kind : uint32_t {
  kBoolean = 1 << 0,
  kInteger = 1 << 1,
  kLongInteger = 1 << 2,  // not every double around it is an integer
  kReal = 1 << 3,
  kRealWord = 1 << 4,  // nan, inf: among numbers only
  kDate = 1 << 5,
  kTime = 1 << 6,
  kLocal = 1 << 7,
  kLocalNano = 1 << 8,
  kInstant = 1 << 9,
  kInstantNano = 1 << 10,
  kInfinity = 1 << 11,  // among numbers, dates and timestamps only
  kText = 1 << 12,
};

constexpr int64_t kExactInDouble = 1LL << 53;

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

template <class T>
bool ParsesWhole(std::string_view text, T* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// Of text that starts with a digit, sign or point.
Kind KindOfNumber(std::string_view text) {
  int64_t integer = 0;
  if (ParsesWhole(text, &integer)) {
    return integer > kExactInDouble || integer < -kExactInDouble ? kLongInteger : kInteger;
  }
  double real = 0;
  // An integer beyond 64 bits is taken for a code: as a number it would lose digits.
  const bool is_written_as_real = text.find_first_of(".eE") != std::string_view::npos;
  return is_written_as_real && ParsesWhole(text, &real) && std::isfinite(real) ? kReal : kText;
}

Kind KindOfTime(std::string_view text) {
  constexpr size_t kSeconds = 8;  // hh:mm:ss
  const bool has_shape = text.size() >= kSeconds && text[2] == ':' && text[5] == ':';
  return has_shape && Value::Parse(text, ColumnType::Time(TimeUnit::kMicro)).ok() ? kTime : kText;
}

// Of text that starts like YYYY-.
Kind KindOfDateOrTimestamp(std::string_view text) {
  constexpr size_t kDateSize = 10;
  if (text.size() < kDateSize || text[7] != '-') return kText;
  if (text.size() == kDateSize) return Value::Parse(text, TypeId::kDate32).ok() ? kDate : kText;
  const bool has_zone = text.find_first_of("Z+-", kDateSize) != std::string_view::npos;
  const std::string_view zone = has_zone ? "UTC" : "";
  if (Value::Parse(text, ColumnType::Timestamp(TimeUnit::kMicro, std::string(zone))).ok()) {
    return has_zone ? kInstant : kLocal;
  }
  if (Value::Parse(text, ColumnType::Timestamp(TimeUnit::kNano, std::string(zone))).ok()) {
    return has_zone ? kInstantNano : kLocalNano;
  }
  return kText;
}

Kind KindOfWord(std::string_view text) {
  if (EqualsIgnoringCase(text, "true") || EqualsIgnoringCase(text, "false")) return kBoolean;
  for (const std::string_view word : {"nan", "inf", "-inf"}) {
    if (EqualsIgnoringCase(text, word)) return kRealWord;
  }
  if (EqualsIgnoringCase(text, "infinity") || EqualsIgnoringCase(text, "-infinity")) return kInfinity;
  return kText;
}

Kind KindOf(std::string_view text) {
  if (text.empty()) return kText;
  const char first = text.front();
  if (IsDigit(first)) {
    if (text.size() > 4 && text[4] == '-') return KindOfDateOrTimestamp(text);
    if (text.size() > 2 && text[2] == ':') return KindOfTime(text);
    return KindOfNumber(text);
  }
  const bool is_signed_number =
      text.size() > 1 && (first == '-' || first == '.') && (IsDigit(text[1]) || text[1] == '.');
  return is_signed_number ? KindOfNumber(text) : KindOfWord(text);
}

}  // namespace

std::string_view TrimBlanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

void TypeInference::Add(std::string_view cell) {
  const Kind kind = KindOf(TrimBlanks(cell));
  // A quoted NULL spelling is NULL in whatever the other cells make of the column.
  if (kind == kText && dialect_->IsNull(cell)) return;
  kinds_ |= kind;
}

void TypeInference::Add(const arrow::BinaryArray& cells) {
  for (int64_t row = 0; row < cells.length(); ++row) {
    if ((kinds_ & kText) != 0) return;  // no other cell can change that
    if (!cells.IsNull(row)) Add(cells.GetView(row));
  }
}

ColumnType TypeInference::type() const {
  const auto only = [this](uint32_t kinds) { return kinds_ != 0 && (kinds_ & ~kinds) == 0; };
  if (only(kBoolean)) return TypeId::kBool;
  if (only(kInteger | kLongInteger)) return TypeId::kInt64;
  if (only(kRealWord | kInfinity)) return TypeId::kUtf8;
  if (only(kInteger | kReal | kRealWord | kInfinity)) return TypeId::kDouble;
  if (only(kTime)) return ColumnType::Time(TimeUnit::kMicro);
  if (only(kDate | kInfinity)) return TypeId::kDate32;
  if (only(kDate | kLocal | kInfinity)) return ColumnType::Timestamp(TimeUnit::kMicro);
  if (only(kDate | kLocal | kLocalNano | kInfinity)) return ColumnType::Timestamp(TimeUnit::kNano);
  if (only(kInstant | kInfinity)) return ColumnType::Timestamp(TimeUnit::kMicro, "UTC");
  if (only(kInstant | kInstantNano | kInfinity)) return ColumnType::Timestamp(TimeUnit::kNano, "UTC");
  return TypeId::kUtf8;
}

}  // namespace yarrow::cli
