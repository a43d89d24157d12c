#include "yarrow/type.h"

#include <arrow/extension/uuid.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/type_traits.h"

namespace yarrow {
namespace {

using arrow::internal::checked_cast;

arrow::Result<ColumnType> FromArrowDecimalType(const arrow::DecimalType& type) {
  if (type.precision() > kMaxDecimalPrecision || type.scale() < 0 || type.scale() > type.precision()) {
    return arrow::Status::NotImplemented("no column type for the Arrow type ", type.ToString(),
                                         ": decimals have 1 to 38 digits and a scale from 0 to their precision");
  }
  return ColumnType::Decimal(type.precision(), type.scale());
}

constexpr arrow::Type::type ArrowIdOf(TypeId id) {
  return VisitType(id, [](auto traits) { return decltype(traits)::ArrowType::type_id; });
}

TimeUnit FromArrowUnit(arrow::TimeUnit::type unit) {
  return static_cast<TimeUnit>(unit);
}

}  // namespace

ColumnType ColumnType::Decimal(int32_t precision, int32_t scale) {
  ColumnType type(TypeId::kDecimal128);
  type.precision = precision;
  type.scale = scale;
  return type;
}

ColumnType ColumnType::Time(TimeUnit unit) {
  ColumnType type(TypeId::kTime64);
  type.unit = unit;
  return type;
}

ColumnType ColumnType::Timestamp(TimeUnit unit, std::string timezone) {
  ColumnType type(TypeId::kTimestamp);
  type.unit = unit;
  type.timezone = std::move(timezone);
  return type;
}

arrow::Result<ColumnType> ColumnType::FromArrow(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return FromArrowDecimalType(checked_cast<const arrow::DecimalType&>(type));
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return TypeId::kUtf8;
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return TypeId::kBinary;
    case arrow::Type::DATE64:
      return TypeId::kDate32;
    case arrow::Type::TIME32:
      return Time(TimeUnit::kMicro);
    case arrow::Type::TIME64:
      return Time(FromArrowUnit(checked_cast<const arrow::Time64Type&>(type).unit()));
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = checked_cast<const arrow::TimestampType&>(type);
      return Timestamp(FromArrowUnit(timestamp.unit()), timestamp.timezone());
    }
    case arrow::Type::DICTIONARY:
      return FromArrow(*checked_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::EXTENSION:
      if (checked_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.uuid") return TypeId::kUuid;
      break;
    default:
      for (const TypeFacts& row : kTypes) {
        if (ArrowIdOf(row.id) == type.id()) return row.id;
      }
  }
  return arrow::Status::NotImplemented("no column type for the Arrow type ", type.ToString());
}

std::shared_ptr<arrow::DataType> ColumnType::ToArrow() const {
  if (!IsKnownType(id)) return nullptr;
  return VisitType(id, [this](auto traits) -> std::shared_ptr<arrow::DataType> {
    using Traits = decltype(traits);
    if constexpr (Traits::kKind == TypeKind::kDecimal) {
      return arrow::decimal128(precision, scale);
    } else if constexpr (Traits::kKind == TypeKind::kTime) {
      return arrow::time64(ToArrowUnit(unit));
    } else if constexpr (Traits::kKind == TypeKind::kTimestamp) {
      return arrow::timestamp(ToArrowUnit(unit), timezone);
    } else if constexpr (Traits::kKind == TypeKind::kUuid) {
      static const std::shared_ptr<arrow::DataType> uuid = arrow::extension::uuid();
      return uuid;
    } else {
      return arrow::TypeTraits<typename Traits::ArrowType>::type_singleton();
    }
  });
}

arrow::Status ColumnType::Validate() const {
  if (!IsKnownType(id)) return UnknownType(id);
  if (unit > TimeUnit::kNano) return arrow::Status::Invalid("unknown time unit number ", static_cast<int>(unit));
  if (id == TypeId::kDecimal128) {
    if (precision < 1 || precision > kMaxDecimalPrecision) {
      return arrow::Status::Invalid("a decimal has 1 to 38 digits, not ", precision);
    }
    if (scale < 0 || scale > precision) {
      return arrow::Status::Invalid("the scale of a decimal with ", precision, " digits is 0 to ", precision, ", not ",
                                    scale);
    }
  }
  if (id == TypeId::kTime64 && unit != TimeUnit::kMicro && unit != TimeUnit::kNano) {
    return arrow::Status::Invalid("the unit of a time of day is microseconds or nanoseconds");
  }
  return arrow::Status::OK();
}

int ColumnType::fixed_width() const {
  return IsKnownType(id) ? FactsOf(id).width : 0;
}

arrow::Status UnknownType(TypeId id) {
  return arrow::Status::Invalid("unknown column type number ", static_cast<int>(id),
                                ": was the database written by a newer version?");
}

std::optional<TypeKind> KindOf(const arrow::DataType& type) {
  const auto column = ColumnType::FromArrow(type);
  if (!column.ok()) return std::nullopt;
  return KindOf(*column);
}

}  // namespace yarrow
