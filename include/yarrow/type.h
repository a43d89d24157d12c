// Column types: what a column of a Yarrow table can hold, and how its values lie in memory.
//
// A ColumnType is a small immutable value; copying one is cheap and thread-safe.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace yarrow {

// Stored in the catalog: never renumber, never reuse.
enum class TypeId : uint8_t {
  kBool = 1,
  kInt8 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kUInt8 = 6,
  kUInt16 = 7,
  kUInt32 = 8,
  kUInt64 = 9,
  kFloat = 10,
  kDouble = 11,
  kDecimal128 = 12,
  kUtf8 = 13,
  kBinary = 14,
  kDate32 = 15,
  kTime64 = 16,
  kTimestamp = 17,
  kUuid = 18,
};

// Stored in the catalog: never renumber. Same order as arrow::TimeUnit.
enum class TimeUnit : uint8_t { kSecond = 0, kMilli = 1, kMicro = 2, kNano = 3 };

struct ColumnType {
  TypeId id = TypeId::kInt64;
  int32_t precision = 0;             // kDecimal128: 1 to 38
  int32_t scale = 0;                 // kDecimal128: 0 to precision
  TimeUnit unit = TimeUnit::kMicro;  // kTimestamp: any; kTime64: kMicro or kNano
  std::string timezone;              // kTimestamp: empty for local time, else the zone's name ("UTC")

  ColumnType() = default;
  ColumnType(TypeId type_id) : id(type_id) {}  // NOLINT: every plain type is its id
  static ColumnType Decimal(int32_t precision, int32_t scale);
  static ColumnType Time(TimeUnit unit);
  static ColumnType Timestamp(TimeUnit unit, std::string timezone = {});

  // The type a column gets to hold Arrow values of `type`: large and view strings become kUtf8 / kBinary, decimals of
  // any width up to 38 digits kDecimal128, time32 kTime64, date64 kDate32, fixed-size binary kBinary, dictionaries
  // their value type. NotImplemented, naming the type, for everything else.
  static arrow::Result<ColumnType> FromArrow(const arrow::DataType& type);

  // The Arrow type of a column of this type; the same object each time for the types without parameters.
  std::shared_ptr<arrow::DataType> ToArrow() const;

  // Parses the SQL name of a type, any case, with DuckDB's aliases: BIGINT, VARCHAR, DECIMAL(10,2), TIMESTAMP_NS,
  // TIMESTAMPTZ, ... Invalid, naming the text and the known types, otherwise.
  static arrow::Result<ColumnType> Parse(std::string_view sql_name);

  // The SQL name (DuckDB's): "BIGINT", "DECIMAL(10,2)", "TIMESTAMP WITH TIME ZONE". Parse(ToString()) is the identity
  // but for zones other than UTC, written "TIMESTAMP_NS WITH TIME ZONE 'Europe/Paris'", and units likewise.
  std::string ToString() const;

  // Whether the parameters are in the ranges above. Invalid, saying which is not.
  arrow::Status Validate() const;

  bool is_variable() const { return id == TypeId::kUtf8 || id == TypeId::kBinary; }

  // Bytes of one value: 1 (bool, int8), 2, 4, 8 or 16 (decimal128, uuid); 0 for text and binary.
  int fixed_width() const;

  friend bool operator==(const ColumnType&, const ColumnType&) = default;
};

}  // namespace yarrow
