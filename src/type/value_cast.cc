// Value::CastTo: exact conversion into the form of a column's type.
#include <arrow/util/utf8.h>

#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/field_value.h"
#include "type/interval.h"
#include "type/type_traits.h"
#include "type/value_check.h"
#include "type/value_range.h"
#include "yarrow/value.h"

namespace yarrow {
namespace {

arrow::Status WrongKind(const Value& value, const ColumnType& type) {
  constexpr std::array<const char*, std::variant_size_v<Value::Variant>> kKinds = {
      "NULL",       "a boolean",     "an integer", "an unsigned integer", "a floating-point number",
      "a decimal",  "text or bytes", "a UUID",     "a HUGEINT",           "a UHUGEINT",
      "an interval"};
  const bool is_text = std::holds_alternative<std::string>(value.variant());
  return arrow::Status::TypeError("value ", value.ToString(), " is ", kKinds[value.variant().index()], ", not ",
                                  type.ToString(), is_text ? ": use Value::Parse to read a value from text" : "");
}

arrow::Status OutOfRange(const Value& value, const ColumnType& type) {
  return arrow::Status::Invalid("value ", value.ToString(), " is out of range of ", type.ToString(), RangeHint(type));
}

arrow::Status Inexact(const Value& value, const ColumnType& type) {
  return arrow::Status::Invalid("value ", value.ToString(), " does not fit exactly into ", type.ToString(),
                                ": round it, or use a wider column type");
}

// Any number as an integer; nothing if it has a fraction or more than 128 bits.
struct WholeNumber {
  std::optional<Int128> operator()(int64_t v) const { return v; }
  std::optional<Int128> operator()(uint64_t v) const { return v; }
  std::optional<Int128> operator()(double v) const { return DecimalFromDouble(v, 0); }
  std::optional<Int128> operator()(const Decimal& v) const { return Rescale(v.unscaled, v.scale, 0); }
  std::optional<Int128> operator()(Int128 v) const { return v; }
  std::optional<Int128> operator()(UInt128 v) const {
    return v >> 127 == 0 ? std::optional(static_cast<Int128>(v)) : std::nullopt;
  }
  template <class T>
  std::optional<Int128> operator()(const T&) const {
    return std::nullopt;
  }
};

bool IsNumber(const Value& value) {
  const auto& v = value.variant();
  return std::holds_alternative<int64_t>(v) || std::holds_alternative<uint64_t>(v) ||
         std::holds_alternative<double>(v) || std::holds_alternative<Decimal>(v) || std::holds_alternative<Int128>(v) ||
         std::holds_alternative<UInt128>(v);
}

bool HoldsInteger(const Value& value) {
  return std::holds_alternative<int64_t>(value.variant()) || std::holds_alternative<uint64_t>(value.variant());
}

arrow::Result<Value> CastToInteger(const Value& value, const ColumnType& type) {
  // A fractional number of days or microseconds is a mistake rather than a date.
  if (IsTemporal(type) ? !HoldsInteger(value) : !IsNumber(value)) return WrongKind(value, type);
  const std::optional<Int128> number = std::visit(WholeNumber(), value.variant());
  if (!number) return Inexact(value, type);
  const IntegerRange range = RangeOf(type);
  if (*number < range.least || *number > range.greatest) {
    const auto* units = std::get_if<int64_t>(&value.variant());
    const bool is_infinite = KindOf(type) == TypeKind::kTimestamp && units != nullptr && IsInfiniteTimestamp(*units);
    if (!is_infinite) return OutOfRange(value, type);
  }
  if (IsUnsigned(type)) return Value(static_cast<uint64_t>(*number));
  return Value(static_cast<int64_t>(*number));
}

arrow::Result<Value> CastToDouble(const Value& value, const ColumnType& type) {
  if (!IsNumber(value)) return WrongKind(value, type);
  std::optional<double> number;
  if (const auto* real = std::get_if<double>(&value.variant())) {
    number = *real;
  } else if (const auto* decimal = std::get_if<Decimal>(&value.variant())) {
    number = DoubleFromDecimal(decimal->unscaled, decimal->scale);
  } else {
    const std::optional<Int128> whole = std::visit(WholeNumber(), value.variant());
    number = whole ? DoubleFromDecimal(*whole, 0) : std::nullopt;
  }
  if (!number) return Inexact(value, type);
  if (type.id == TypeId::kFloat && !IsFloat(*number)) return Inexact(value, type);
  return Value(*number);
}

arrow::Result<Value> CastToDecimal(const Value& value, const ColumnType& type) {
  if (!IsNumber(value)) return WrongKind(value, type);
  std::optional<Int128> unscaled;
  if (const auto* real = std::get_if<double>(&value.variant())) {
    unscaled = DecimalFromDouble(*real, type.scale);
  } else if (const auto* decimal = std::get_if<Decimal>(&value.variant())) {
    unscaled = Rescale(decimal->unscaled, decimal->scale, type.scale);
  } else {
    const std::optional<Int128> whole = std::visit(WholeNumber(), value.variant());
    unscaled = whole ? Rescale(*whole, 0, type.scale) : std::nullopt;
    if (!unscaled) return OutOfRange(value, type);
  }
  if (!unscaled) return Inexact(value, type);
  if (!FitsPrecision(*unscaled, type.precision)) return OutOfRange(value, type);
  return Value(Decimal{*unscaled, type.scale});
}

arrow::Result<Value> CastToHugeint(const Value& value, const ColumnType& type) {
  if (!IsNumber(value)) return WrongKind(value, type);
  const bool is_unsigned = type.id == TypeId::kUHugeint;
  if (is_unsigned && std::holds_alternative<UInt128>(value.variant())) return value;
  const std::optional<Int128> number = std::visit(WholeNumber(), value.variant());
  const bool is_too_wide = std::holds_alternative<UInt128>(value.variant());
  if (!number && !is_too_wide) return Inexact(value, type);
  if (!number || (is_unsigned && *number < 0)) return OutOfRange(value, type);
  return is_unsigned ? Value(static_cast<UInt128>(*number)) : Value(*number);
}

// A label, or the number of one.
arrow::Result<Value> CastToEnum(const Value& value, const ColumnType& type) {
  if (const auto* label = std::get_if<std::string>(&value.variant())) return Value::Parse(*label, type);
  const auto* number = std::get_if<uint64_t>(&value.variant());
  if (number == nullptr) return WrongKind(value, type);
  return *number < type.labels().size() ? arrow::Result<Value>(value) : OutOfRange(value, type);
}

arrow::Result<Value> CastToTimeTz(const Value& value, const ColumnType& type) {
  const auto* number = std::get_if<uint64_t>(&value.variant());
  if (number == nullptr) return WrongKind(value, type);
  return IsTimeTz(*number) ? arrow::Result<Value>(value) : OutOfRange(value, type);
}

// Bytes that are checked to be those of a value.
arrow::Result<Value> CastBytes(const Value& value, const ColumnType& type) {
  const auto* bytes = std::get_if<std::string>(&value.variant());
  if (bytes == nullptr) return WrongKind(value, type);
  const char* const flaw = CheckVariableBytes(type, *bytes);
  if (flaw == nullptr) return value;
  return arrow::Status::Invalid("value ", value.ToString(TypeId::kBinary), " is no ", type.ToString(), ": ", flaw,
                                type.is_nested() ? "; make it by Value::Nested" : "; make it by Value::Parse");
}

template <class T>
arrow::Result<Value> Keep(const Value& value, const ColumnType& type) {
  if (!std::holds_alternative<T>(value.variant())) return WrongKind(value, type);
  return value;
}

}  // namespace

IntegerRange RangeOf(const ColumnType& type) {
  return VisitType(type.id, [&type](auto traits) -> IntegerRange {
    using Traits = decltype(traits);
    if constexpr (Traits::kKind == TypeKind::kInteger || Traits::kKind == TypeKind::kDate) {
      using Limits = std::numeric_limits<typename Traits::Stored>;
      return {Limits::min(), Limits::max()};
    } else if constexpr (Traits::kKind == TypeKind::kTimestamp) {
      return {TimestampsOf(type.unit).least, TimestampsOf(type.unit).greatest};
    } else if constexpr (Traits::kKind == TypeKind::kTime) {
      return {0, UnitsPerDay(type.unit)};
    } else {
      return {0, -1};
    }
  });
}

std::string RangeHint(const ColumnType& type) {
  if (type.id == TypeId::kTime64) return " (a day ends at " + FormatTime(UnitsPerDay(type.unit), type.unit) + ")";
  if (type.id != TypeId::kTimestamp) return "";
  const TimestampRange range = TimestampsOf(type.unit);
  return " (it has " + FormatTimestamp(range.least, type.unit) + " to " + FormatTimestamp(range.greatest, type.unit) +
         ", infinity and -infinity)";
}

bool IsFloat(double number) {
  return std::isnan(number) || std::isinf(number) ||
         (std::fabs(number) <= std::numeric_limits<float>::max() && static_cast<float>(number) == number);
}

bool IsUtf8(std::string_view text) {
  static std::once_flag once;
  std::call_once(once, arrow::util::InitializeUTF8);
  return arrow::util::ValidateUTF8(text);
}

arrow::Result<Value> Value::CastTo(const ColumnType& type) const {
  if (is_null()) return Null();
  if (!IsKnownType(type.id)) return UnknownType(type.id);
  switch (KindOf(type)) {
    case TypeKind::kBool:
      return Keep<bool>(*this, type);
    case TypeKind::kInteger:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
      return CastToInteger(*this, type);
    case TypeKind::kReal:
      return CastToDouble(*this, type);
    case TypeKind::kDecimal:
      return CastToDecimal(*this, type);
    case TypeKind::kText:
      if (const auto* text = std::get_if<std::string>(&v_); text != nullptr && !IsUtf8(*text)) {
        return arrow::Status::Invalid("value ", ToString(), " is not valid UTF-8: use a BLOB column for bytes");
      }
      return Keep<std::string>(*this, type);
    case TypeKind::kBinary:
      return type.id == TypeId::kGeometry ? CastBytes(*this, type) : Keep<std::string>(*this, type);
    case TypeKind::kUuid:
      return Keep<Uuid>(*this, type);
    case TypeKind::kHugeint:
      return CastToHugeint(*this, type);
    case TypeKind::kInterval:
      return Keep<Interval>(*this, type);
    case TypeKind::kTimeTz:
      return CastToTimeTz(*this, type);
    case TypeKind::kEnum:
      return CastToEnum(*this, type);
    case TypeKind::kBit:
    case TypeKind::kBignum:
    case TypeKind::kNested:
      return CastBytes(*this, type);
  }
  return UnknownType(type.id);
}

}  // namespace yarrow
