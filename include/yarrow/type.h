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
#include <vector>

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
  kHugeint = 19,
  kUHugeint = 20,
  kInterval = 21,
  kTimeTz = 22,
  kBit = 23,
  kBignum = 24,
  kJson = 25,
  kGeometry = 26,
  kEnum = 27,
  kList = 28,
  kArray = 29,
  kStruct = 30,
  kMap = 31,
  kUnion = 32,
  kVariant = 33,
};

// Stored in the catalog: never renumber. Same order as arrow::TimeUnit.
enum class TimeUnit : uint8_t { kSecond = 0, kMilli = 1, kMicro = 2, kNano = 3 };

struct TypeMember;
struct TypeDetails;

struct ColumnType {
  TypeId id = TypeId::kInt64;
  int32_t precision = 0;             // kDecimal128: 1 to 38
  int32_t scale = 0;                 // kDecimal128: 0 to precision
  TimeUnit unit = TimeUnit::kMicro;  // kTimestamp: any; kTime64: kMicro or kNano
  std::string timezone;              // kTimestamp: empty for local time, else the zone's name ("UTC")
  // Of nested types, kEnum, and kGeometry with a coordinate system; null for the others.
  std::shared_ptr<const TypeDetails> details;

  ColumnType() = default;
  ColumnType(TypeId type_id) : id(type_id) {}  // NOLINT: every plain type is its id
  static ColumnType Decimal(int32_t precision, int32_t scale);
  static ColumnType Time(TimeUnit unit);
  static ColumnType Timestamp(TimeUnit unit, std::string timezone = {});

  // Labels in their order, which is that of the values.
  static ColumnType Enum(std::vector<std::string> labels);
  // A coordinate system as DuckDB has it: 'OGC:CRS84', PROJJSON or WKT2. Values are the same whatever it is. Empty: the
  // plain GEOMETRY.
  static ColumnType Geometry(std::string coordinate_system);
  // The nested types, of any types.
  static ColumnType List(ColumnType element);
  static ColumnType Array(ColumnType element, uint32_t size);
  static ColumnType Struct(std::vector<TypeMember> members);
  static ColumnType Map(ColumnType key, ColumnType value);
  static ColumnType Union(std::vector<TypeMember> members);
  static ColumnType Variant();

  // The type a column gets to hold Arrow values of `type`: large and view strings become kUtf8 / kBinary, decimals of
  // any width up to 38 digits kDecimal128, those of 39 digits and scale 0 kHugeint, time32 kTime64, date64 kDate32,
  // fixed-size binary kBinary, dictionaries their value type, lists, structs and maps nested types.
  // NotImplemented, naming the type, for everything else.
  static arrow::Result<ColumnType> FromArrow(const arrow::DataType& type);

  // The Arrow type in which programs get and give a column of this type; the same object each time for the types
  // without parameters. HUGEINT and UHUGEINT are decimal256(39, 0), INTERVAL month_day_nano_interval, TIMETZ, BIT and
  // BIGNUM text, JSON the extension arrow.json, GEOMETRY WKB, ENUM a dictionary of texts, UNION a struct of its tag
  // and members, VARIANT a struct as DuckDB lays it out.
  std::shared_ptr<arrow::DataType> ToArrow() const;

  // Parses the SQL name of a type, any case, with DuckDB's aliases: BIGINT, VARCHAR, DECIMAL(10,2), TIMESTAMP_NS,
  // TIMESTAMPTZ, ENUM('a', 'b'), GEOMETRY('OGC:CRS84'), STRUCT(a INTEGER, "b c" VARCHAR[]), MAP(VARCHAR, DOUBLE),
  // INTEGER[3], ... Invalid, naming the text and the known types, otherwise.
  static arrow::Result<ColumnType> Parse(std::string_view sql_name);

  // The SQL name (DuckDB's): "BIGINT", "DECIMAL(10,2)", "TIMESTAMP WITH TIME ZONE". Parse(ToString()) is the identity
  // but for zones other than UTC, written "TIMESTAMP_NS WITH TIME ZONE 'Europe/Paris'", and units likewise.
  std::string ToString() const;

  // Whether the parameters are in the ranges above. Invalid, saying which is not.
  arrow::Status Validate() const;

  // Whether values have a length each: text, binary, BIT, BIGNUM, JSON, GEOMETRY and the nested types.
  bool is_variable() const {
    return id == TypeId::kUtf8 || id == TypeId::kBinary ||
           (id >= TypeId::kBit && id <= TypeId::kVariant && id != TypeId::kEnum);
  }
  // Whether values have values of other types in them.
  bool is_nested() const { return id >= TypeId::kList && id <= TypeId::kVariant; }

  // Of a nested type: the element of a LIST or ARRAY, key and value of a MAP, the fields of a STRUCT, the members of a
  // UNION; none for the other types.
  const std::vector<TypeMember>& members() const;
  // Of an ENUM; none for the other types.
  const std::vector<std::string>& labels() const;
  // Of a GEOMETRY; empty: it says of none, as the other types.
  const std::string& coordinate_system() const;
  // Elements of each value of an ARRAY; 0 for the other types.
  uint32_t array_size() const;

  // Bytes of one value: 1 (bool, int8), 2, 4, 8 or 16 (decimal128, uuid, ...); 0 where is_variable().
  int fixed_width() const;

  friend bool operator==(const ColumnType& a, const ColumnType& b);
};

// A part of a nested type.
struct TypeMember {
  std::string name;  // empty in a LIST or ARRAY
  ColumnType type;
  friend bool operator==(const TypeMember&, const TypeMember&) = default;
};

// What a type has besides its number. Immutable, shared by the copies of the type.
struct TypeDetails {
  std::vector<TypeMember> members = {};
  std::vector<std::string> labels = {};
  uint32_t array_size = 0;
  std::string coordinate_system = {};
  // How values of a MAP, UNION or VARIANT are laid out: as those of this LIST or STRUCT. Null for the other types.
  std::shared_ptr<const ColumnType> layout = nullptr;
};

}  // namespace yarrow
