#include "yarrow/type.h"

#include <arrow/extension/uuid.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include "type/calendar.h"
#include "type/decimal.h"

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
    case arrow::Type::BOOL:
      return TypeId::kBool;
    case arrow::Type::INT8:
      return TypeId::kInt8;
    case arrow::Type::INT16:
      return TypeId::kInt16;
    case arrow::Type::INT32:
      return TypeId::kInt32;
    case arrow::Type::INT64:
      return TypeId::kInt64;
    case arrow::Type::UINT8:
      return TypeId::kUInt8;
    case arrow::Type::UINT16:
      return TypeId::kUInt16;
    case arrow::Type::UINT32:
      return TypeId::kUInt32;
    case arrow::Type::UINT64:
      return TypeId::kUInt64;
    case arrow::Type::FLOAT:
      return TypeId::kFloat;
    case arrow::Type::DOUBLE:
      return TypeId::kDouble;
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return FromArrowDecimalType(checked_cast<const arrow::DecimalType&>(type));
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return TypeId::kUtf8;
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return TypeId::kBinary;
    case arrow::Type::DATE32:
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
      break;
  }
  return arrow::Status::NotImplemented("no column type for the Arrow type ", type.ToString());
}

std::shared_ptr<arrow::DataType> ColumnType::ToArrow() const {
  switch (id) {
    case TypeId::kBool:
      return arrow::boolean();
    case TypeId::kInt8:
      return arrow::int8();
    case TypeId::kInt16:
      return arrow::int16();
    case TypeId::kInt32:
      return arrow::int32();
    case TypeId::kInt64:
      return arrow::int64();
    case TypeId::kUInt8:
      return arrow::uint8();
    case TypeId::kUInt16:
      return arrow::uint16();
    case TypeId::kUInt32:
      return arrow::uint32();
    case TypeId::kUInt64:
      return arrow::uint64();
    case TypeId::kFloat:
      return arrow::float32();
    case TypeId::kDouble:
      return arrow::float64();
    case TypeId::kDecimal128:
      return arrow::decimal128(precision, scale);
    case TypeId::kUtf8:
      return arrow::utf8();
    case TypeId::kBinary:
      return arrow::binary();
    case TypeId::kDate32:
      return arrow::date32();
    case TypeId::kTime64:
      return arrow::time64(ToArrowUnit(unit));
    case TypeId::kTimestamp:
      return arrow::timestamp(ToArrowUnit(unit), timezone);
    case TypeId::kUuid: {
      static const std::shared_ptr<arrow::DataType> uuid = arrow::extension::uuid();
      return uuid;
    }
  }
  return nullptr;
}

arrow::Status ColumnType::Validate() const {
  if (id < TypeId::kBool || id > TypeId::kUuid) {
    return arrow::Status::Invalid("unknown column type number ", static_cast<int>(id),
                                  ": was the database written by a newer version?");
  }
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
  switch (id) {
    case TypeId::kBool:
    case TypeId::kInt8:
    case TypeId::kUInt8:
      return 1;
    case TypeId::kInt16:
    case TypeId::kUInt16:
      return 2;
    case TypeId::kInt32:
    case TypeId::kUInt32:
    case TypeId::kFloat:
    case TypeId::kDate32:
      return 4;
    case TypeId::kInt64:
    case TypeId::kUInt64:
    case TypeId::kDouble:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
      return 8;
    case TypeId::kDecimal128:
    case TypeId::kUuid:
      return 16;
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return 0;
  }
  return 0;
}

}  // namespace yarrow
