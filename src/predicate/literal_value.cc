#include "predicate/literal_value.h"

#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <string>

#include "type/type_traits.h"

namespace yarrow {
namespace {

using arrow::internal::checked_cast;

// What a literal is; nothing for those that are left to Arrow: dictionaries and types that no column has.
std::optional<TypeKind> LiteralKind(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) return std::nullopt;
  return arrow::is_decimal(type.id()) ? TypeKind::kDecimal : KindOf(type);
}

// Whether Arrow compares the two by value: its casts between them are exact or fail. Between decimals and floats it
// rounds; half floats, dates with timestamps and the rest are left to it.
bool ComparesExactly(TypeKind column, TypeKind literal) {
  if (column == literal) return true;
  switch (column) {
    case TypeKind::kInteger:
      return literal == TypeKind::kReal || literal == TypeKind::kDecimal;
    case TypeKind::kReal:
    case TypeKind::kDecimal:
      return literal == TypeKind::kInteger;
    case TypeKind::kBinary:
      return literal == TypeKind::kText;
    case TypeKind::kUuid:
      return literal == TypeKind::kBinary;
    case TypeKind::kHugeint:
      return literal == TypeKind::kInteger || literal == TypeKind::kDecimal;
    case TypeKind::kTimeTz:
    case TypeKind::kBit:
    case TypeKind::kBignum:
    case TypeKind::kEnum:
      return literal == TypeKind::kText;
    default:
      return false;
  }
}

// An integer literal outside the values of an integer column.
std::optional<LiteralPlace> PlaceOutside(const arrow::Scalar& literal, const ColumnType& type) {
  if (!IsInteger(type) || !arrow::is_integer(literal.type->id())) return std::nullopt;
  const bool is_signed = arrow::is_signed_integer(literal.type->id());
  const auto wide = Value::FromScalar(literal, is_signed ? TypeId::kInt64 : TypeId::kUInt64);
  if (!wide.ok()) return std::nullopt;
  const bool is_negative = is_signed && wide->get<int64_t>() < 0;
  return LiteralPlace{is_negative ? LiteralPlace::kBelowAll : LiteralPlace::kAboveAll, {}};
}

}  // namespace

std::optional<LiteralPlace> PlaceLiteral(const arrow::Scalar& literal, const ColumnType& type) {
  if (!HasOrder(type)) return std::nullopt;
  if (literal.type->id() == arrow::Type::NA) return LiteralPlace{};
  if (literal.type->id() == arrow::Type::DICTIONARY) {
    const auto decoded = checked_cast<const arrow::DictionaryScalar&>(literal).GetEncodedValue();
    if (!decoded.ok()) return std::nullopt;
    return PlaceLiteral(**decoded, type);
  }
  const std::optional<TypeKind> kind = LiteralKind(*literal.type);
  if (!kind.has_value() || !ComparesExactly(KindOf(type), *kind)) return std::nullopt;
  if (!literal.is_valid) return LiteralPlace{};
  if (type.id == TypeId::kBinary && *kind == TypeKind::kText) {
    return LiteralPlace{LiteralPlace::kValue, Value(checked_cast<const arrow::BaseBinaryScalar&>(literal).view())};
  }
  auto value = Value::FromScalar(literal, type);
  if (!value.ok()) return PlaceOutside(literal, type);
  return LiteralPlace{LiteralPlace::kValue, *std::move(value)};
}

bool IsSetComparable(const arrow::DataType& list_type, const ColumnType& type) {
  if (!HasOrder(type)) return false;
  if (list_type.id() == arrow::Type::NA || list_type.Equals(*type.ToArrow())) return true;
  const TypeKind column = KindOf(type);
  const std::optional<TypeKind> list = LiteralKind(list_type);
  if (column == TypeKind::kUuid) return list == TypeKind::kUuid || list == TypeKind::kBinary;
  return column == list && (column == TypeKind::kInteger || column == TypeKind::kText || column == TypeKind::kBinary);
}

}  // namespace yarrow
