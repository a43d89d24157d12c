// Values as text: Value::Parse and Value::ToString.
#include <arrow/type.h>
#include <arrow/util/value_parsing.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "type/bit_text.h"
#include "type/calendar.h"
#include "type/decimal.h"
#include "type/interval.h"
#include "type/nested_value.h"
#include "type/type_traits.h"
#include "type/value_check.h"
#include "type/well_known_binary.h"
#include "type/wide_integer.h"
#include "yarrow/value.h"

namespace yarrow {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr size_t kUuidDigits = 32;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Bytes that stand for themselves in the text form of binary.
bool IsPlainByte(char c) {
  return c >= ' ' && c <= '~' && c != '\\' && c != '\'' && c != '"';
}

std::string FormatBinary(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    if (IsPlainByte(c)) {
      text += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      text += {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    }
  }
  return text;
}

std::optional<std::string> ParseBinary(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      if (static_cast<uint8_t>(text[i]) >= 0x80) return std::nullopt;
      bytes += text[i];
      continue;
    }
    if (text.size() - i < 4 || text[i + 1] != 'x') return std::nullopt;
    const int high = HexDigit(text[i + 2]);
    const int low = HexDigit(text[i + 3]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
    i += 3;
  }
  return bytes;
}

std::string FormatUuid(const Uuid& uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += {kHexDigits[uuid.bytes[i] >> 4], kHexDigits[uuid.bytes[i] & 15]};
  }
  return text;
}

// 32 hex digits, plain or as 8-4-4-4-12.
std::optional<Uuid> ParseUuid(std::string_view text) {
  const bool has_hyphens = text.size() == kUuidDigits + 4;
  if (!has_hyphens && text.size() != kUuidDigits) return std::nullopt;
  Uuid uuid;
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (has_hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return std::nullopt;
    uuid.bytes[digits / 2] = static_cast<uint8_t>(uuid.bytes[digits / 2] << 4 | digit);
    ++digits;
  }
  return uuid;
}

// The whole of `text` as a T; locale-free.
template <class T>
std::optional<T> ParseNumber(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The shortest text that reads back to the same number.
template <class T>
std::string FormatReal(T number) {
  if (number != number) return "nan";
  char text[64];
  return std::string(text, std::to_chars(text, text + sizeof(text), number).ptr);
}

std::optional<bool> ParseBool(std::string_view text) {
  bool value = false;
  if (!arrow::internal::ParseValue<arrow::BooleanType>(text.data(), text.size(), &value)) return std::nullopt;
  return value;
}

arrow::Status NotParsed(std::string_view text, const ColumnType& type, std::string_view remedy = {}) {
  // Bytes that are not UTF-8 would spoil the message.
  const std::string shown = IsUtf8(text) ? std::string(text) : FormatBinary(text);
  return arrow::Status::Invalid("cannot read '", shown, "' as ", type.ToString(), remedy);
}

template <class T>
arrow::Result<Value> OrError(std::optional<T> parsed, std::string_view text, const ColumnType& type,
                             std::string_view remedy = {}) {
  if (!parsed) return NotParsed(text, type, remedy);
  return Value(*std::move(parsed));
}

template <class T>
arrow::Result<Value> ParseInteger(std::string_view text, const ColumnType& type) {
  const std::optional<T> number = ParseNumber<T>(text);
  const IntegerRange range = RangeOf(type);
  if (!number) return NotParsed(text, type);
  if (*number < range.least || *number > range.greatest) return NotParsed(text, type, ": it is out of range");
  return Value(*number);
}

arrow::Result<Value> ParseDecimal(std::string_view text, const ColumnType& type) {
  arrow::Decimal128 decimal;
  int32_t precision = 0;
  int32_t scale = 0;
  const arrow::Status status = arrow::Decimal128::FromString(text, &decimal, &precision, &scale);
  if (!status.ok()) return NotParsed(text, type);
  const std::optional<Int128> unscaled = Rescale(FromArrowDecimal(decimal), scale, type.scale);
  if (!unscaled || !FitsPrecision(*unscaled, type.precision)) {
    return NotParsed(text, type, ": too many digits");
  }
  return Value(Decimal{*unscaled, type.scale});
}

arrow::Result<Value> ParseFloat(std::string_view text, const ColumnType& type) {
  if (type.id == TypeId::kDouble) return OrError(ParseNumber<double>(text), text, type);
  return OrError(ParseNumber<float>(text), text, type);
}

arrow::Result<Value> ParseText(std::string_view text, const ColumnType& type) {
  if (!IsUtf8(text)) return NotParsed(text, type, ": it is not valid UTF-8");
  return Value(text);
}

// Without an exponent, unlike Arrow's own text of small numbers.
std::string FormatDecimal(const Decimal& decimal) {
  const arrow::Decimal128 unscaled = ToArrowDecimal(decimal.unscaled);
  if (decimal.scale < 0 || decimal.scale > kMaxDecimalPrecision) return unscaled.ToString(decimal.scale);
  std::string digits = unscaled.ToIntegerString();
  if (decimal.scale == 0) return digits;
  const size_t sign = decimal.unscaled < 0 ? 1 : 0;
  const size_t least = static_cast<size_t>(decimal.scale) + 1;  // one digit before the point
  if (digits.size() - sign < least) digits.insert(sign, least - (digits.size() - sign), '0');
  return digits.insert(digits.size() - static_cast<size_t>(decimal.scale), 1, '.');
}

// A value by what it holds.
struct ShowUntyped {
  std::string operator()(std::monostate) const { return "NULL"; }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(int64_t v) const { return std::to_string(v); }
  std::string operator()(uint64_t v) const { return std::to_string(v); }
  std::string operator()(double v) const { return FormatReal(v); }
  std::string operator()(const Decimal& v) const { return FormatDecimal(v); }
  std::string operator()(const std::string& v) const { return IsUtf8(v) ? v : FormatBinary(v); }
  std::string operator()(const Uuid& v) const { return FormatUuid(v); }
  std::string operator()(Int128 v) const { return FormatInteger(v); }
  std::string operator()(UInt128 v) const { return FormatInteger(v); }
  std::string operator()(const Interval& v) const { return FormatInterval(v); }
};

arrow::Result<Value> ParseBytes(std::string_view text, const ColumnType& type) {
  return OrError(ParseBinary(text), text, type, ": write bytes beyond ASCII as \\xHH");
}

arrow::Result<Value> ParseGeometry(std::string_view text, const ColumnType& type) {
  const auto bytes = ParseBinary(text);
  if (bytes && IsWellKnownBinary(*bytes)) return Value(*bytes);
  return NotParsed(text, type, ": it is no little-endian WKB, with bytes beyond ASCII as \\xHH; SQL reads WKT");
}

arrow::Result<Value> ParseLabel(std::string_view text, const ColumnType& type) {
  const std::vector<std::string>& labels = type.labels();
  const auto label = std::ranges::find(labels, text);
  if (label == labels.end()) return NotParsed(text, type, ": it is none of the labels");
  return Value(static_cast<uint64_t>(label - labels.begin()));
}

// The text of a type that holds one thing and shows as another; nothing for the others.
std::optional<std::string> FormatByType(const Value& value, const ColumnType& type) {
  const auto* bytes = std::get_if<std::string>(&value.variant());
  const auto* number = std::get_if<uint64_t>(&value.variant());
  switch (type.id) {
    case TypeId::kBinary:
    case TypeId::kGeometry:
      return bytes == nullptr ? std::nullopt : std::optional(FormatBinary(*bytes));
    case TypeId::kBit:
      return bytes == nullptr || !IsBits(*bytes) ? std::nullopt : std::optional(FormatBits(*bytes));
    case TypeId::kBignum:
      return bytes == nullptr || !IsBignum(*bytes) ? std::nullopt : std::optional(FormatBignum(*bytes));
    case TypeId::kTimeTz:
      return number == nullptr || !IsTimeTz(*number) ? std::nullopt : std::optional(FormatTimeTz(*number));
    case TypeId::kEnum:
      if (number == nullptr || *number >= type.labels().size()) return std::nullopt;
      return type.labels()[static_cast<size_t>(*number)];
    default:
      if (bytes == nullptr || !type.is_nested()) return std::nullopt;
      return FormatNestedValue(type, *bytes);
  }
}

}  // namespace

arrow::Result<Value> Value::Parse(std::string_view text, const ColumnType& type) {
  if (!IsKnownType(type.id)) return UnknownType(type.id);
  switch (KindOf(type)) {
    case TypeKind::kBool:
      return OrError(ParseBool(text), text, type);
    case TypeKind::kInteger:
      return IsUnsigned(type) ? ParseInteger<uint64_t>(text, type) : ParseInteger<int64_t>(text, type);
    case TypeKind::kReal:
      return ParseFloat(text, type);
    case TypeKind::kDecimal:
      return ParseDecimal(text, type);
    case TypeKind::kText:
      return ParseText(text, type);
    case TypeKind::kBinary:
      return type.id == TypeId::kGeometry ? ParseGeometry(text, type) : ParseBytes(text, type);
    case TypeKind::kDate:
      return OrError(ParseDate(text), text, type, ": a date is YYYY-MM-DD");
    case TypeKind::kTime:
      return OrError(ParseTime(text, type.unit), text, type, ": a time is hh:mm:ss.fraction");
    case TypeKind::kTimestamp:
      return OrError(ParseTimestamp(text, type.unit), text, type, ": a timestamp is YYYY-MM-DD hh:mm:ss.fraction");
    case TypeKind::kUuid:
      return OrError(ParseUuid(text), text, type);
    case TypeKind::kHugeint:
      if (type.id == TypeId::kHugeint) return OrError(ParseHugeint(text), text, type);
      return OrError(ParseUHugeint(text), text, type);
    case TypeKind::kInterval:
      return OrError(ParseInterval(text), text, type, ": an interval is 1 year 2 months 3 days hh:mm:ss.fraction");
    case TypeKind::kTimeTz:
      return OrError(ParseTimeTz(text), text, type, ": a time with time zone is hh:mm:ss.fraction+hh:mm");
    case TypeKind::kBit:
      return OrError(ParseBits(text), text, type, ": a string of bits has the digits 0 and 1");
    case TypeKind::kBignum:
      return OrError(ParseBignum(text), text, type);
    case TypeKind::kEnum:
      return ParseLabel(text, type);
    case TypeKind::kNested:
      return NotParsed(text, type, ": values of nested types are not read from text here; use SQL");
  }
  return UnknownType(type.id);
}

std::string Value::ToString(const ColumnType& type) const {
  if (auto text = FormatByType(*this, type)) return *std::move(text);
  if (const auto* real = std::get_if<double>(&v_); real != nullptr && type.id == TypeId::kFloat) {
    return FormatReal(static_cast<float>(*real));
  }
  if (const auto* integer = std::get_if<int64_t>(&v_)) {
    if (type.id == TypeId::kDate32) return FormatDate(*integer);
    if (type.id == TypeId::kTime64) return FormatTime(*integer, type.unit);
    if (type.id == TypeId::kTimestamp) {
      const std::string text = FormatTimestamp(*integer, type.unit);
      return type.timezone.empty() || text.ends_with("infinity") ? text : text + "Z";
    }
  }
  return ToString();
}

std::string Value::ToString() const {
  return std::visit(ShowUntyped(), v_);
}

}  // namespace yarrow
