// Values to and from Arrow scalars.
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>

#include <optional>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/type_traits.h"
#include "yarrow/value.h"

namespace yarrow {
namespace {

using arrow::internal::checked_cast;

template <class ArrowScalar>
Value Number(const arrow::Scalar& scalar) {
  return Value(checked_cast<const ArrowScalar&>(scalar).value);
}

// The value of a bool, integer or real scalar, whose Arrow types are those of ours.
std::optional<Value> FromNumber(const arrow::Scalar& scalar) {
  std::optional<Value> value;
  const arrow::Result<ColumnType> own = ColumnType::FromArrow(*scalar.type);
  if (!own.ok()) return value;
  VisitType(own->id, [&](auto traits) {
    using Traits = decltype(traits);
    constexpr TypeKind kKind = Traits::kKind;
    if constexpr (kKind == TypeKind::kBool || kKind == TypeKind::kInteger || kKind == TypeKind::kReal) {
      value = Number<typename arrow::TypeTraits<typename Traits::ArrowType>::ScalarType>(scalar);
    }
  });
  return value;
}

template <class ArrowScalar>
Value NumberOfDecimal(const arrow::Scalar& scalar) {
  const int32_t scale = checked_cast<const arrow::DecimalType&>(*scalar.type).scale();
  return Value(Decimal{checked_cast<const ArrowScalar&>(scalar).value.value(), scale});
}

arrow::Result<Value> FromDecimal256(const arrow::Scalar& scalar) {
  const arrow::Decimal256& wide = checked_cast<const arrow::Decimal256Scalar&>(scalar).value;
  const auto words = wide.native_endian_array();
  const arrow::Decimal128 narrow(static_cast<int64_t>(words[1]), words[0]);
  if (arrow::Decimal256(narrow) != wide) {
    return arrow::Status::Invalid("decimal ", scalar.ToString(), " has more than 38 digits");
  }
  return Value(Decimal{FromArrowDecimal(narrow), checked_cast<const arrow::DecimalType&>(*scalar.type).scale()});
}

arrow::Status WrongType(const arrow::Scalar& scalar, const ColumnType& type) {
  return arrow::Status::TypeError("Arrow value ", scalar.ToString(), " of type ", scalar.type->ToString(), " is not ",
                                  type.ToString());
}

// `count` in units `from` as a value of the time or timestamp type.
arrow::Result<Value> FromUnits(int64_t count, arrow::TimeUnit::type from, const arrow::Scalar& scalar,
                               const ColumnType& type) {
  const std::optional<int64_t> units = ConvertUnits(count, static_cast<TimeUnit>(from), type.unit);
  if (!units) {
    return arrow::Status::Invalid("Arrow value ", scalar.ToString(), " of type ", scalar.type->ToString(),
                                  " has no exact form in ", type.ToString());
  }
  return Value(*units).CastTo(type);
}

arrow::Result<Value> FromTimestamp(const arrow::TimestampScalar& scalar, const ColumnType& type) {
  const auto& arrow_type = checked_cast<const arrow::TimestampType&>(*scalar.type);
  // An instant and a local time are different things; which zone shows an instant makes no difference.
  if (type.id != TypeId::kTimestamp || arrow_type.timezone().empty() != type.timezone.empty()) {
    return WrongType(scalar, type);
  }
  return FromUnits(scalar.value, arrow_type.unit(), scalar, type);
}

template <class ArrowScalar>
arrow::Result<Value> FromTime(const arrow::Scalar& scalar, const ColumnType& type) {
  if (type.id != TypeId::kTime64) return WrongType(scalar, type);
  const auto unit = checked_cast<const arrow::TimeType&>(*scalar.type).unit();
  return FromUnits(checked_cast<const ArrowScalar&>(scalar).value, unit, scalar, type);
}

arrow::Result<Value> FromDate(const arrow::Scalar& scalar, const ColumnType& type) {
  if (type.id != TypeId::kDate32) return WrongType(scalar, type);
  if (scalar.type->id() == arrow::Type::DATE32) return Number<arrow::Date32Scalar>(scalar).CastTo(type);
  const int64_t millis = checked_cast<const arrow::Date64Scalar&>(scalar).value;
  const int64_t millis_per_day = UnitsPerDay(TimeUnit::kMilli);
  if (millis % millis_per_day != 0) {
    return arrow::Status::Invalid("date64 value ", millis, " is not a whole number of days");
  }
  return Value(millis / millis_per_day).CastTo(type);
}

// Text only goes into text columns and bytes into bytes; both into a UUID only as its 16 bytes.
arrow::Result<Value> FromBytes(const arrow::BaseBinaryScalar& scalar, const ColumnType& type) {
  const std::string_view bytes = scalar.view();
  const bool is_text = arrow::is_string(scalar.type->id()) || scalar.type->id() == arrow::Type::STRING_VIEW;
  if (type.id == TypeId::kUuid && !is_text && bytes.size() == sizeof(Uuid::bytes)) {
    Uuid uuid;
    bytes.copy(reinterpret_cast<char*>(uuid.bytes.data()), uuid.bytes.size());
    return Value(uuid);
  }
  if (type.id != (is_text ? TypeId::kUtf8 : TypeId::kBinary)) return WrongType(scalar, type);
  return Value(bytes).CastTo(type);
}

}  // namespace

arrow::Result<Value> Value::FromScalar(const arrow::Scalar& scalar, const ColumnType& type) {
  if (!scalar.is_valid) return Null();
  switch (scalar.type->id()) {
    case arrow::Type::DECIMAL32:
      return NumberOfDecimal<arrow::Decimal32Scalar>(scalar).CastTo(type);
    case arrow::Type::DECIMAL64:
      return NumberOfDecimal<arrow::Decimal64Scalar>(scalar).CastTo(type);
    case arrow::Type::DECIMAL128: {
      const auto& decimal = checked_cast<const arrow::Decimal128Scalar&>(scalar);
      const int32_t scale = checked_cast<const arrow::DecimalType&>(*scalar.type).scale();
      return Value(Decimal{FromArrowDecimal(decimal.value), scale}).CastTo(type);
    }
    case arrow::Type::DECIMAL256: {
      ARROW_ASSIGN_OR_RAISE(const Value decimal, FromDecimal256(scalar));
      return decimal.CastTo(type);
    }
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return FromBytes(checked_cast<const arrow::BaseBinaryScalar&>(scalar), type);
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return FromDate(scalar, type);
    case arrow::Type::TIME32:
      return FromTime<arrow::Time32Scalar>(scalar, type);
    case arrow::Type::TIME64:
      return FromTime<arrow::Time64Scalar>(scalar, type);
    case arrow::Type::TIMESTAMP:
      return FromTimestamp(checked_cast<const arrow::TimestampScalar&>(scalar), type);
    case arrow::Type::DICTIONARY: {
      ARROW_ASSIGN_OR_RAISE(const auto value, checked_cast<const arrow::DictionaryScalar&>(scalar).GetEncodedValue());
      return FromScalar(*value, type);
    }
    case arrow::Type::EXTENSION: {
      const auto& extension = checked_cast<const arrow::ExtensionType&>(*scalar.type);
      if (extension.extension_name() != "arrow.uuid" || type.id != TypeId::kUuid) break;
      return FromScalar(*checked_cast<const arrow::ExtensionScalar&>(scalar).value, type);
    }
    default: {
      const std::optional<Value> number = FromNumber(scalar);
      if (number.has_value()) return number->CastTo(type);
    }
  }
  return WrongType(scalar, type);
}

arrow::Result<std::shared_ptr<arrow::Scalar>> Value::ToScalar(const ColumnType& type) const {
  if (!IsKnownType(type.id)) return UnknownType(type.id);
  const std::shared_ptr<arrow::DataType> arrow_type = type.ToArrow();
  if (is_null()) return arrow::MakeNullScalar(arrow_type);
  return VisitType(type.id, [&](auto traits) -> arrow::Result<std::shared_ptr<arrow::Scalar>> {
    using Traits = decltype(traits);
    const auto& held = get<typename Traits::Held>();
    if constexpr (Traits::kIsVariable) {
      return arrow::MakeScalar(arrow_type, arrow::Buffer::FromString(held));
    } else if constexpr (Traits::kKind == TypeKind::kDecimal) {
      return arrow::MakeScalar(arrow_type, ToArrowDecimal(held.unscaled));
    } else if constexpr (Traits::kKind == TypeKind::kUuid) {
      const std::string bytes(held.bytes.begin(), held.bytes.end());
      auto storage = std::make_shared<arrow::FixedSizeBinaryScalar>(arrow::Buffer::FromString(bytes),
                                                                    arrow::fixed_size_binary(Traits::kWidth));
      return std::make_shared<arrow::ExtensionScalar>(std::move(storage), arrow_type);
    } else if constexpr (Traits::kKind == TypeKind::kBool) {
      return arrow::MakeScalar(arrow_type, held);
    } else {
      return arrow::MakeScalar(arrow_type, static_cast<typename Traits::Stored>(held));
    }
  });
}

}  // namespace yarrow
