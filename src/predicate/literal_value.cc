#include "predicate/literal_value.h"

#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <string>

namespace yarrow {
namespace {

using arrow::internal::checked_cast;

enum class Family { kBool, kInteger, kFloat, kDecimal, kText, kBinary, kDate, kTime, kTimestamp, kUuid, kOther };

Family FamilyOf(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return Family::kBool;
    case TypeId::kFloat:
    case TypeId::kDouble:
      return Family::kFloat;
    case TypeId::kDecimal128:
      return Family::kDecimal;
    case TypeId::kUtf8:
      return Family::kText;
    case TypeId::kBinary:
      return Family::kBinary;
    case TypeId::kDate32:
      return Family::kDate;
    case TypeId::kTime64:
      return Family::kTime;
    case TypeId::kTimestamp:
      return Family::kTimestamp;
    case TypeId::kUuid:
      return Family::kUuid;
    default:
      return Family::kInteger;
  }
}

Family FamilyOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return Family::kBool;
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return Family::kFloat;
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return Family::kDecimal;
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return Family::kText;
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return Family::kBinary;
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return Family::kDate;
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return Family::kTime;
    case arrow::Type::TIMESTAMP:
      return Family::kTimestamp;
    case arrow::Type::EXTENSION: {
      const bool is_uuid = checked_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.uuid";
      return is_uuid ? Family::kUuid : Family::kOther;
    }
    default:
      return arrow::is_integer(type.id()) ? Family::kInteger : Family::kOther;
  }
}

// Whether Arrow compares the two by value: its casts between them are exact or fail. Between decimals and floats it
// rounds; half floats, dates with timestamps and the rest are left to it.
bool ComparesExactly(Family column, Family literal) {
  if (column == literal) return column != Family::kOther;
  switch (column) {
    case Family::kInteger:
      return literal == Family::kFloat || literal == Family::kDecimal;
    case Family::kFloat:
    case Family::kDecimal:
      return literal == Family::kInteger;
    case Family::kBinary:
      return literal == Family::kText;
    case Family::kUuid:
      return literal == Family::kBinary;
    default:
      return false;
  }
}

// An integer literal outside the values of an integer column.
std::optional<LiteralPlace> PlaceOutside(const arrow::Scalar& literal, const ColumnType& type) {
  if (FamilyOf(type) != Family::kInteger || FamilyOf(*literal.type) != Family::kInteger) return std::nullopt;
  const bool is_signed = arrow::is_signed_integer(literal.type->id());
  const auto wide = Value::FromScalar(literal, is_signed ? TypeId::kInt64 : TypeId::kUInt64);
  if (!wide.ok()) return std::nullopt;
  const bool is_negative = is_signed && wide->get<int64_t>() < 0;
  return LiteralPlace{is_negative ? LiteralPlace::kBelowAll : LiteralPlace::kAboveAll, {}};
}

}  // namespace

std::optional<LiteralPlace> PlaceLiteral(const arrow::Scalar& literal, const ColumnType& type) {
  if (literal.type->id() == arrow::Type::NA) return LiteralPlace{};
  if (literal.type->id() == arrow::Type::DICTIONARY) {
    const auto decoded = checked_cast<const arrow::DictionaryScalar&>(literal).GetEncodedValue();
    if (!decoded.ok()) return std::nullopt;
    return PlaceLiteral(**decoded, type);
  }
  const Family family = FamilyOf(*literal.type);
  if (!ComparesExactly(FamilyOf(type), family)) return std::nullopt;
  if (!literal.is_valid) return LiteralPlace{};
  if (type.id == TypeId::kBinary && family == Family::kText) {
    return LiteralPlace{LiteralPlace::kValue, Value(checked_cast<const arrow::BaseBinaryScalar&>(literal).view())};
  }
  auto value = Value::FromScalar(literal, type);
  if (!value.ok()) return PlaceOutside(literal, type);
  return LiteralPlace{LiteralPlace::kValue, *std::move(value)};
}

bool IsSetComparable(const arrow::DataType& list_type, const ColumnType& type) {
  if (list_type.id() == arrow::Type::NA || list_type.Equals(*type.ToArrow())) return true;
  const Family column = FamilyOf(type);
  const Family list = FamilyOf(list_type);
  if (column == Family::kUuid) return list == Family::kUuid || list == Family::kBinary;
  return column == list && (column == Family::kInteger || column == Family::kText || column == Family::kBinary);
}

}  // namespace yarrow
