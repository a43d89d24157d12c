#include "cli/where_literal.h"

#include <arrow/util/decimal.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "cli/where_lexer.h"

namespace yarrow::cli {
namespace {

using Kind = WhereLiteral::Kind;
using Place = PlacedLiteral::Place;

constexpr int32_t kMaxExponent = 76;

bool IsExactNumber(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kInt8:
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUInt8:
    case TypeId::kUInt16:
    case TypeId::kUInt32:
    case TypeId::kUInt64:
    case TypeId::kDecimal128:
      return true;
    default:
      return false;
  }
}

bool CanCompare(Kind kind, const ColumnType& type) {
  switch (kind) {
    case Kind::kNull:
    case Kind::kText:  // read as a value of the column's type
      return true;
    case Kind::kBool:
      return type.id == TypeId::kBool;
    case Kind::kNumber:
      return IsExactNumber(type) || type.id == TypeId::kFloat || type.id == TypeId::kDouble;
    case Kind::kTime:
      return type.id == TypeId::kTime64;
    case Kind::kDate:
    case Kind::kTimestamp:
      return type.id == TypeId::kDate32 || type.id == TypeId::kTimestamp;
  }
  return false;
}

std::string KindName(Kind kind) {
  switch (kind) {
    case Kind::kBool:
      return "BOOLEAN";
    case Kind::kNumber:
      return "a number";
    case Kind::kDate:
      return "a DATE";
    case Kind::kTime:
      return "a TIME";
    case Kind::kTimestamp:
      return "a TIMESTAMP";
    default:
      return "text";
  }
}

arrow::Status Mismatch(const WhereLiteral& literal, const WhereColumn& column) {
  const bool wants_quotes = literal.kind == Kind::kNumber && column.type.is_variable();
  return WhereError(literal.position, literal.text + " is " + KindName(literal.kind) + ", but column " + column.name +
                                          " is " + column.type.ToString() +
                                          (wants_quotes ? ": write '" + literal.text + "'" : ""));
}

// The largest integer not above decimal * 10^`digits`; nothing when it has more than 38 digits or so.
struct Floor {
  Int128 integer = 0;
  bool is_exact = true;
};

std::optional<Floor> FloorOf(arrow::Decimal256 decimal, int32_t scale, int32_t digits) {
  Floor floor;
  bool is_rounded_up = false;
  if (scale <= digits) {
    if (digits - scale > kMaxExponent || !decimal.FitsInPrecision(kMaxExponent - (digits - scale))) return std::nullopt;
    decimal = arrow::Decimal256(decimal.IncreaseScaleBy(digits - scale));
  } else {
    const int32_t reduction = std::min(scale - digits, kMaxExponent);
    const arrow::Decimal256 reduced(decimal.ReduceScaleBy(reduction, /*round=*/false));
    floor.is_exact = arrow::Decimal256(reduced.IncreaseScaleBy(reduction)) == decimal;
    is_rounded_up = !floor.is_exact && decimal.IsNegative();
    decimal = reduced;
  }
  const auto words = decimal.native_endian_array();
  const arrow::Decimal128 narrow(static_cast<int64_t>(words[1]), words[0]);
  if (arrow::Decimal256(narrow) != decimal) return std::nullopt;
  floor.integer = static_cast<Int128>(narrow.high_bits()) * (static_cast<Int128>(1) << 64) +
                  static_cast<Int128>(narrow.low_bits()) - (is_rounded_up ? 1 : 0);
  return floor;
}

// A number compared with an integer or decimal column.
arrow::Result<PlacedLiteral> PlaceNumber(const WhereLiteral& literal, const WhereColumn& column) {
  const Place outside = literal.text.front() == '-' ? Place::kBelowAll : Place::kAboveAll;
  arrow::Decimal256 decimal;
  int32_t precision = 0;
  int32_t scale = 0;
  if (!arrow::Decimal256::FromString(literal.text, &decimal, &precision, &scale).ok()) {
    double real = 0;
    std::from_chars(literal.text.data(), literal.text.data() + literal.text.size(), real);
    if (std::fabs(real) > 1e38) return PlacedLiteral{outside, {}};
    return WhereError(literal.position, literal.text + " has too many digits");
  }
  const std::optional<Floor> floor = FloorOf(decimal, scale, column.type.scale);
  if (!floor) return PlacedLiteral{outside, {}};
  auto value = Value(Decimal{floor->integer, column.type.scale}).CastTo(column.type);
  if (!value.ok()) return PlacedLiteral{outside, {}};
  return PlacedLiteral{floor->is_exact ? Place::kAt : Place::kJustAbove, *std::move(value)};
}

int64_t UnitsPerSecond(TimeUnit unit) {
  int64_t units = 1;
  for (int i = 0; i < static_cast<int>(unit); ++i) units *= 1000;
  return units;
}

// A moment finer than the column's type tells apart.
arrow::Result<PlacedLiteral> PlaceMoment(const WhereLiteral& literal, const WhereColumn& column) {
  const ColumnType fine = ColumnType::Timestamp(TimeUnit::kMicro, column.type.timezone);
  ARROW_ASSIGN_OR_RAISE(const Value value, Value::Parse(literal.text, fine));
  const int64_t per_second = UnitsPerSecond(TimeUnit::kMicro);
  const int64_t step =
      column.type.id == TypeId::kDate32 ? 86400 * per_second : per_second / UnitsPerSecond(column.type.unit);
  if (step == 0) return Value::Parse(literal.text, column.type).status();
  const int64_t units = value.get<int64_t>();
  const int64_t floor = units / step - (units % step < 0 ? 1 : 0);
  return PlacedLiteral{units % step == 0 ? Place::kAt : Place::kJustAbove, Value(floor)};
}

}  // namespace

arrow::Result<PlacedLiteral> PlaceLiteral(const WhereLiteral& literal, const WhereColumn& column) {
  if (literal.kind == Kind::kNull) return PlacedLiteral{};
  if (!CanCompare(literal.kind, column.type)) return Mismatch(literal, column);
  if (literal.kind == Kind::kNumber && IsExactNumber(column.type)) return PlaceNumber(literal, column);
  auto value = Value::Parse(literal.text, column.type);
  if (value.ok()) return PlacedLiteral{Place::kAt, *std::move(value)};
  if (column.type.id == TypeId::kDate32 || column.type.id == TypeId::kTimestamp) {
    const auto moment = PlaceMoment(literal, column);
    if (moment.ok()) return moment;
  }
  return WhereError(literal.position, value.status().message() + " (column " + column.name + ")");
}

}  // namespace yarrow::cli
