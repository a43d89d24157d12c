// The table of the column types: a row a type, which says all that code asks about a type by its number.
//
// What is done for a type is written once, for any row, and run for the row of a column:
//
//   VisitType(type.id, [&](auto traits) {
//     using Traits = decltype(traits);
//     if constexpr (Traits::kKind == TypeKind::kInteger) { ... Traits::Stored ... }
//   });
//
// so that no other code lists the types. A new type is a new row and, if it is of no kind here, a new kind: the
// compiler then names the places that have to know of it.
#pragma once

#include <arrow/type_fwd.h>
#include <arrow/util/unreachable.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "yarrow/value.h"

namespace yarrow {

// What the values of a type are. Text and binary have a length each; the values of all others have one width.
enum class TypeKind : uint8_t {
  kBool,
  kInteger,
  kReal,
  kDecimal,
  kText,
  kBinary,
  kDate,
  kTime,
  kTimestamp,
  kUuid,
  kHugeint,
  kInterval,
  kTimeTz,
  kBit,
  kBignum,
  kEnum,
  kNested,
};

// A row of the table:
//   id        TypeId
//   kind      TypeKind
//   Stored    the C++ type of the bytes in rows (little-endian) and, but for bools, in the arrays of batches. Uuid: 16
//             bytes that sort as the values do, where there is an order
//   Held      what a Value holds
//   Arrow     the class of the Arrow type: arrow::TypeTraits has its arrays, builders and scalars
//   names     in SQL, DuckDB's: the one that ToString gives, then aliases, in upper case. INT1 to INT8 count bytes (as
//             in PostgreSQL), INT16 to INT64 and UINT8 to UINT64 count bits. Times and timestamps have more by unit.
// Parquet lays values down by their Arrow type, and DuckDB has types of the same names.
//
// clang-format off
#define YARROW_COLUMN_TYPES(ROW)                                                                                      \
  ROW(kBool,       kBool,      uint8_t,          bool,        BooleanType,    "BOOLEAN", "BOOL", "LOGICAL")           \
  ROW(kInt8,       kInteger,   int8_t,           int64_t,     Int8Type,       "TINYINT", "INT1")                      \
  ROW(kInt16,      kInteger,   int16_t,          int64_t,     Int16Type,      "SMALLINT", "INT2", "INT16", "SHORT")   \
  ROW(kInt32,      kInteger,   int32_t,          int64_t,     Int32Type,      "INTEGER", "INT", "INT4", "INT32",      \
                                                                              "SIGNED", "INTEGRAL")                   \
  ROW(kInt64,      kInteger,   int64_t,          int64_t,     Int64Type,      "BIGINT", "INT8", "INT64", "LONG",      \
                                                                              "OID")                                  \
  ROW(kUInt8,      kInteger,   uint8_t,          uint64_t,    UInt8Type,      "UTINYINT", "UINT8")                    \
  ROW(kUInt16,     kInteger,   uint16_t,         uint64_t,    UInt16Type,     "USMALLINT", "UINT16")                  \
  ROW(kUInt32,     kInteger,   uint32_t,         uint64_t,    UInt32Type,     "UINTEGER", "UINT32")                   \
  ROW(kUInt64,     kInteger,   uint64_t,         uint64_t,    UInt64Type,     "UBIGINT", "UINT64")                    \
  ROW(kFloat,      kReal,      float,            double,      FloatType,      "FLOAT", "FLOAT4", "REAL")              \
  ROW(kDouble,     kReal,      double,           double,      DoubleType,     "DOUBLE", "FLOAT8", "DOUBLE PRECISION") \
  ROW(kDecimal128, kDecimal,   Int128,           Decimal,     Decimal128Type, "DECIMAL", "NUMERIC", "DEC")            \
  ROW(kUtf8,       kText,      std::string_view, std::string, StringType,     "VARCHAR", "CHAR", "BPCHAR",            \
                                                                              "NVARCHAR", "TEXT", "STRING")           \
  ROW(kBinary,     kBinary,    std::string_view, std::string, BinaryType,     "BLOB", "BYTEA", "BINARY", "VARBINARY") \
  ROW(kDate32,     kDate,      int32_t,          int64_t,     Date32Type,     "DATE")                                 \
  ROW(kTime64,     kTime,      int64_t,          int64_t,     Time64Type,     "TIME")                                 \
  ROW(kTimestamp,  kTimestamp, int64_t,          int64_t,     TimestampType,  "TIMESTAMP")                            \
  ROW(kUuid,       kUuid,      Uuid,             Uuid,        ExtensionType,  "UUID", "GUID")                         \
  ROW(kHugeint,    kHugeint,   Uuid,             Int128,      Decimal256Type, "HUGEINT", "INT128")                    \
  ROW(kUHugeint,   kHugeint,   Uuid,             UInt128,     Decimal256Type, "UHUGEINT", "UINT128")                  \
  ROW(kInterval,   kInterval,  Uuid,             Interval,    MonthDayNanoIntervalType, "INTERVAL")                   \
  ROW(kTimeTz,     kTimeTz,    uint64_t,         uint64_t,    StringType,     "TIME WITH TIME ZONE", "TIMETZ")        \
  ROW(kBit,        kBit,       std::string_view, std::string, StringType,     "BIT", "BITSTRING")                     \
  ROW(kBignum,     kBignum,    std::string_view, std::string, StringType,     "BIGNUM")                               \
  ROW(kJson,       kText,      std::string_view, std::string, ExtensionType,  "JSON")                                 \
  ROW(kGeometry,   kBinary,    std::string_view, std::string, BinaryType,     "GEOMETRY")                             \
  ROW(kEnum,       kEnum,      uint32_t,         uint64_t,    DictionaryType, "ENUM")                                 \
  ROW(kList,       kNested,    std::string_view, std::string, ListType,       "LIST")                                 \
  ROW(kArray,      kNested,    std::string_view, std::string, FixedSizeListType, "ARRAY")                             \
  ROW(kStruct,     kNested,    std::string_view, std::string, StructType,     "STRUCT", "ROW")                        \
  ROW(kMap,        kNested,    std::string_view, std::string, MapType,        "MAP")                                  \
  ROW(kUnion,      kNested,    std::string_view, std::string, StructType,     "UNION")                                \
  ROW(kVariant,    kNested,    std::string_view, std::string, StructType,     "VARIANT")
// clang-format on

// The row of a type, for the compiler.
template <TypeId id>
struct TypeTraits;

#define YARROW_TYPE_TRAITS(ID, KIND, STORED, HELD, ARROW, ...)                        \
  template <>                                                                         \
  struct TypeTraits<TypeId::ID> {                                                     \
    static constexpr TypeId kId = TypeId::ID;                                         \
    static constexpr TypeKind kKind = TypeKind::KIND;                                 \
    using Stored = STORED;                                                            \
    using Held = HELD;                                                                \
    using ArrowType = arrow::ARROW;                                                   \
    static constexpr bool kIsVariable = std::is_same_v<Stored, std::string_view>;     \
    static constexpr int kWidth = kIsVariable ? 0 : static_cast<int>(sizeof(STORED)); \
    static constexpr std::string_view kNames[] = {__VA_ARGS__};                       \
  };
YARROW_COLUMN_TYPES(YARROW_TYPE_TRAITS)
#undef YARROW_TYPE_TRAITS

// The same, for a type that is known when the program runs.
struct TypeFacts {
  TypeId id;
  TypeKind kind;
  int width;  // bytes of a value; 0 for text and binary
  bool is_unsigned;
  std::span<const std::string_view> names;
};

#define YARROW_TYPE_FACTS(ID, ...)                                                                                     \
  TypeFacts{TypeId::ID, TypeTraits<TypeId::ID>::kKind, TypeTraits<TypeId::ID>::kWidth,                                 \
            TypeTraits<TypeId::ID>::kKind == TypeKind::kInteger && std::is_unsigned_v<TypeTraits<TypeId::ID>::Stored>, \
            TypeTraits<TypeId::ID>::kNames},
inline constexpr TypeFacts kTypes[] = {YARROW_COLUMN_TYPES(YARROW_TYPE_FACTS)};  // by id, the first is 1
#undef YARROW_TYPE_FACTS

static_assert(
    [] {
      for (size_t i = 0; i < std::size(kTypes); ++i) {
        if (static_cast<size_t>(kTypes[i].id) != i + 1) return false;
      }
      return true;
    }(),
    "the rows stand in the order of the ids");

// False for a number that is no type: of a newer Yarrow, or damaged.
constexpr bool IsKnownType(TypeId id) {
  return id >= kTypes[0].id && static_cast<size_t>(id) <= std::size(kTypes);
}

// REQUIRES: IsKnownType(id), which ColumnType::Validate checks; so do those below.
constexpr const TypeFacts& FactsOf(TypeId id) {
  return kTypes[static_cast<size_t>(id) - 1];
}
inline TypeKind KindOf(const ColumnType& type) {
  return FactsOf(type.id).kind;
}
inline bool IsInteger(const ColumnType& type) {
  return KindOf(type) == TypeKind::kInteger;
}
inline bool IsUnsigned(const ColumnType& type) {
  return FactsOf(type.id).is_unsigned;
}
inline bool IsReal(const ColumnType& type) {
  return KindOf(type) == TypeKind::kReal;
}
inline bool IsText(const ColumnType& type) {
  return KindOf(type) == TypeKind::kText;
}
// Whether values compare by the bytes that rows store, so that columns can be key columns and predicates on rows and
// their bounds compare them.
inline bool HasOrder(const ColumnType& type) {
  return KindOf(type) != TypeKind::kInterval && KindOf(type) != TypeKind::kNested;
}

// How the refusal of a key or index over such values begins, in DuckDB's words.
inline std::string KeyTypeRefusal(const ColumnType& type) {
  return "Invalid Type [" + type.ToString() + "]: Invalid type for index key.";
}
// Whether the arrays of batches are those that programs get: columns of the other types are converted at the edge of
// the database (batch/user_batch.h) and lie in Parquet as text or nested.
inline bool IsBatchTypeArrow(const ColumnType& type) {
  return type.id <= TypeId::kUuid || type.id == TypeId::kGeometry;
}
// The type of the arrays of batches: that of ToArrow but where IsBatchTypeArrow says no.
std::shared_ptr<arrow::DataType> BatchType(const ColumnType& type);
// The LIST, ARRAY or STRUCT as which values of a nested type are laid out: itself, or that of a MAP, UNION or VARIANT.
const ColumnType& LayoutOf(const ColumnType& type);

// Counted in days or units of time.
inline bool IsTemporal(const ColumnType& type) {
  const TypeKind kind = KindOf(type);
  return kind == TypeKind::kDate || kind == TypeKind::kTime || kind == TypeKind::kTimestamp;
}

// visit(TypeTraits<id>()), whose result must have the same type for every row.
template <class Visit>
constexpr auto VisitType(TypeId id, Visit&& visit) {
  switch (id) {
#define YARROW_VISIT_TYPE(ID, ...) \
  case TypeId::ID:                 \
    return visit(TypeTraits<TypeId::ID>());
    YARROW_COLUMN_TYPES(YARROW_VISIT_TYPE)
#undef YARROW_VISIT_TYPE
  }
  arrow::Unreachable("a column type that ColumnType::Validate was not asked about");
}

// The error for a number that is no type.
arrow::Status UnknownType(TypeId id);

// The kind of the column that FromArrow gives for an Arrow type; nothing where there is none.
std::optional<TypeKind> KindOf(const arrow::DataType& type);

}  // namespace yarrow
