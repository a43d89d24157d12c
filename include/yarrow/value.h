// Value: one typed cell, as programs hand it in and get it out of single-row operations.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <array>
#include <compare>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "yarrow/type.h"

namespace yarrow {

// 128-bit two's complement integer: a HUGEINT, or the unscaled value of a decimal.
__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

struct Uuid {
  std::array<uint8_t, 16> bytes{};  // in text order
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

struct Decimal {
  Int128 unscaled = 0;
  int32_t scale = 0;
};

// A span of time. Its parts have signs of their own; a month is no number of days.
struct Interval {
  int32_t months = 0;
  int32_t days = 0;
  int64_t micros = 0;
};

// Owns its bytes. A Value does not know its column; CastTo gives it the exact form of a column's type, which is:
//   null                                          std::monostate
//   bool                                          bool
//   signed integers, date32 (days), time64 and
//     timestamp (units since midnight / epoch)    int64_t
//   unsigned integers                             uint64_t
//   float, double                                 double
//   decimal128                                    Decimal (scale of the column)
//   utf8, binary, json, geometry (WKB)            std::string
//   uuid                                          Uuid
//   hugeint, uhugeint                             Int128, UInt128
//   interval                                      Interval
//   time with time zone                           uint64_t; it is made by Parse. Bits 24 and up: microseconds since
//                                                   midnight UTC plus 15:59:59 h; bits 0 to 23: seconds that the zone
//                                                   is west of UTC plus 57599
//   enum                                          uint64_t: the number of the label; CastTo takes the label itself
//   bit, bignum                                   std::string, bytes as in DuckDB; they are made by Parse
//   nested types                                  std::string, bytes that Nested makes and Members takes apart
class Value {
 public:
  using Variant = std::variant<std::monostate, bool, int64_t, uint64_t, double, Decimal, std::string, Uuid, Int128,
                               UInt128, Interval>;

  Value() = default;  // NULL
  Value(bool v) : v_(v) {}
  Value(std::signed_integral auto v) : v_(static_cast<int64_t>(v)) {}
  Value(std::unsigned_integral auto v) : v_(static_cast<uint64_t>(v)) {}
  Value(double v) : v_(v) {}
  Value(float v) : v_(static_cast<double>(v)) {}
  Value(Decimal v) : v_(v) {}
  Value(Uuid v) : v_(v) {}
  Value(Int128 v) : v_(v) {}
  Value(UInt128 v) : v_(v) {}
  Value(Interval v) : v_(v) {}
  Value(std::string v) : v_(std::move(v)) {}
  Value(std::string_view v) : v_(std::string(v)) {}
  Value(const char* v) : v_(std::string(v)) {}
  static Value Null() { return Value(); }

  bool is_null() const { return v_.index() == 0; }
  const Variant& variant() const { return v_; }
  // REQUIRES: the value holds a T (a value that CastTo returned holds what the table above says).
  template <class T>
  const T& get() const {
    return std::get<T>(v_);
  }

  // A value of a nested type, from values that CastTo takes to the types of its parts: the elements of a LIST or ARRAY,
  // the fields of a STRUCT in order, key, value, key, value ... of a MAP, the number of the member (from 0) and its
  // value of a UNION. Errors name the part. Invalid for a VARIANT: those come from SQL.
  static arrow::Result<Value> Nested(const ColumnType& type, std::span<const Value> parts);
  // The inverse, in the exact forms of the parts' types. REQUIRES: the value is of the type, and not NULL.
  arrow::Result<std::vector<Value>> Parts(const ColumnType& type) const;

  // The same value in the exact form of `type`, or an error that names the value and the type when it does not fit
  // (out of range, inexact, text that is not valid UTF-8, wrong kind). NULL casts to NULL. Text is never parsed here.
  arrow::Result<Value> CastTo(const ColumnType& type) const;

  // Reads the text form of a value (as in CSV, SQL literals without quotes): integers, decimals, floats ("nan", "inf"),
  // true/false, dates, times, timestamps (ISO 8601, "T" or blank, optional "Z"/offset; a timestamp without one is in
  // UTC), UUIDs, text as it is, binary as ASCII with \xHH for any byte, intervals as ToString gives them, labels of an
  // ENUM, BIT as 0s and 1s, GEOMETRY as the binary of its little-endian WKB. Invalid, naming text and type, otherwise;
  // for nested types too.
  static arrow::Result<Value> Parse(std::string_view text, const ColumnType& type);

  // From a scalar of any type that ColumnType::FromArrow takes, with the conversions of CastTo; dates, times,
  // timestamps (other units if exact), text and bytes only into columns of their kind.
  static arrow::Result<Value> FromScalar(const arrow::Scalar& scalar, const ColumnType& type);
  // REQUIRES: the value is in the exact form of `type`.
  arrow::Result<std::shared_ptr<arrow::Scalar>> ToScalar(const ColumnType& type) const;

  // Text form for people and messages; Parse reads it back, but for nested types. NULL is "NULL".
  std::string ToString(const ColumnType& type) const;
  // The same without a type: dates and timestamps show as their number.
  std::string ToString() const;

 private:
  Variant v_;
};

// SQL order of two values in the exact form of one type: NULL last, NaN equal to itself and above all numbers,
// -0.0 equal to 0.0, text and binary by bytes, intervals as if a month had 30 days and a day 24 hours. Of nested types
// some order.
std::weak_ordering CompareValues(const Value& a, const Value& b);

}  // namespace yarrow
