#include "sql/sql_type.h"

#include <array>
#include <iterator>
#include <string>
#include <utility>

#include "type/type_traits.h"

namespace yarrow::sql {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

// DuckDB's type of the same name; those with parameters need them besides.
LogicalTypeId TypeOfName(TypeId id) {
  static const auto ids = [] {
    std::array<LogicalTypeId, std::size(kTypes)> by_row{};
    for (size_t i = 0; i < by_row.size(); ++i) {
      by_row[i] = duckdb::TransformStringToLogicalTypeId(std::string(kTypes[i].names[0]));
    }
    return by_row;
  }();
  return ids[static_cast<size_t>(id) - 1];
}

LogicalType TimestampType(const ColumnType& type) {
  if (!type.timezone.empty()) {
    return type.unit == TimeUnit::kNano ? LogicalType::TIMESTAMP_NS : LogicalType::TIMESTAMP_TZ;
  }
  switch (type.unit) {
    case TimeUnit::kSecond:
      return LogicalType::TIMESTAMP_S;
    case TimeUnit::kMilli:
      return LogicalType::TIMESTAMP_MS;
    case TimeUnit::kMicro:
      return LogicalType::TIMESTAMP;
    case TimeUnit::kNano:
      return LogicalType::TIMESTAMP_NS;
  }
  return LogicalType::TIMESTAMP;
}

// DuckDB's UUID is a signed integer whose order is that of the bytes: the top bit is flipped.
duckdb::hugeint_t ToHugeint(const Uuid& uuid) {
  uint64_t high = 0, low = 0;
  for (size_t i = 0; i < 8; ++i) {
    high = high << 8 | uuid.bytes[i];
    low = low << 8 | uuid.bytes[8 + i];
  }
  return {static_cast<int64_t>(high ^ (uint64_t{1} << 63)), low};
}

Uuid FromHugeint(const duckdb::hugeint_t& number) {
  Uuid uuid;
  uint64_t high = static_cast<uint64_t>(number.upper) ^ (uint64_t{1} << 63), low = number.lower;
  for (size_t i = 8; i-- > 0;) {
    uuid.bytes[i] = static_cast<uint8_t>(high);
    uuid.bytes[8 + i] = static_cast<uint8_t>(low);
    high >>= 8;
    low >>= 8;
  }
  return uuid;
}

Int128 ToInt128(const duckdb::hugeint_t& number) {
  return static_cast<Int128>(number.upper) * (static_cast<Int128>(1) << 64) + number.lower;
}

// The number behind a date, time or timestamp, whatever its unit.
int64_t Ticks(const duckdb::Value& value) {
  switch (value.type().InternalType()) {
    case duckdb::PhysicalType::INT32:
      return value.GetValueUnsafe<int32_t>();
    default:
      return value.GetValueUnsafe<int64_t>();
  }
}

// Microseconds in a unit of the type, where DuckDB has only those.
int64_t MicrosOf(const ColumnType& type) {
  if (IsSameUnit(type)) return 1;
  return type.unit == TimeUnit::kSecond ? 1'000'000 : 1000;
}

arrow::Result<Value> UnscaledTicks(const duckdb::Value& value, const ColumnType& type) {
  const int64_t ticks = Ticks(value), factor = MicrosOf(type);
  if (!duckdb::Timestamp::IsFinite(duckdb::timestamp_t(ticks))) return Value(ticks);
  if (ticks % factor == 0) return Value(ticks / factor);
  return arrow::Status::Invalid(value.ToString(), " is too fine for a column of type ", type.ToString());
}

Decimal DecimalOf(const duckdb::Value& value, int32_t scale) {
  switch (value.type().InternalType()) {
    case duckdb::PhysicalType::INT16:
      return {value.GetValueUnsafe<int16_t>(), scale};
    case duckdb::PhysicalType::INT32:
      return {value.GetValueUnsafe<int32_t>(), scale};
    case duckdb::PhysicalType::INT64:
      return {value.GetValueUnsafe<int64_t>(), scale};
    default:
      return {ToInt128(value.GetValueUnsafe<duckdb::hugeint_t>()), scale};
  }
}

duckdb::Value DecimalValue(const Decimal& decimal, const ColumnType& type) {
  const auto width = static_cast<uint8_t>(type.precision), scale = static_cast<uint8_t>(type.scale);
  const duckdb::hugeint_t wide(static_cast<int64_t>(decimal.unscaled >> 64), static_cast<uint64_t>(decimal.unscaled));
  if (type.precision <= duckdb::Decimal::MAX_WIDTH_INT64) {
    return duckdb::Value::DECIMAL(static_cast<int64_t>(decimal.unscaled), width, scale);
  }
  return duckdb::Value::DECIMAL(wide, width, scale);
}

duckdb::Value TimestampValue(int64_t ticks, const ColumnType& type) {
  if (!type.timezone.empty() && type.unit != TimeUnit::kNano) {
    const bool is_finite = duckdb::Timestamp::IsFinite(duckdb::timestamp_t(ticks));
    return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(is_finite ? ticks * MicrosOf(type) : ticks));
  }
  switch (type.unit) {
    case TimeUnit::kSecond:
      return duckdb::Value::TIMESTAMPSEC(duckdb::timestamp_sec_t(ticks));
    case TimeUnit::kMilli:
      return duckdb::Value::TIMESTAMPMS(duckdb::timestamp_ms_t(ticks));
    case TimeUnit::kMicro:
      return duckdb::Value::TIMESTAMP(duckdb::timestamp_t(ticks));
    case TimeUnit::kNano:
      break;
  }
  return duckdb::Value::TIMESTAMPNS(duckdb::timestamp_ns_t(ticks));
}

}  // namespace

LogicalType ToLogicalType(const ColumnType& type) {
  switch (KindOf(type)) {
    case TypeKind::kDecimal:
      return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision), static_cast<uint8_t>(type.scale));
    case TypeKind::kTime:
      return type.unit == TimeUnit::kNano ? LogicalType::TIME_NS : LogicalType::TIME;
    case TypeKind::kTimestamp:
      return TimestampType(type);
    default:
      return TypeOfName(type.id);
  }
}

bool IsSameUnit(const ColumnType& type) {
  return type.id != TypeId::kTimestamp || type.timezone.empty() || type.unit == TimeUnit::kMicro ||
         type.unit == TimeUnit::kNano;
}

arrow::Result<ColumnType> FromLogicalType(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::DECIMAL:
      return ColumnType::Decimal(duckdb::DecimalType::GetWidth(type), duckdb::DecimalType::GetScale(type));
    case LogicalTypeId::HUGEINT:
      return ColumnType::Decimal(38, 0);
    case LogicalTypeId::TIME_NS:
      return ColumnType::Time(TimeUnit::kNano);
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
    case LogicalTypeId::TIMESTAMP_TZ:
      return ColumnType::Parse(type.ToString());
    default:
      for (const TypeFacts& row : kTypes) {
        if (TypeOfName(row.id) == type.id()) return ColumnType::Parse(type.ToString());
      }
      return arrow::Status::NotImplemented("columns of type ", type.ToString(),
                                           " cannot be stored; cast to VARCHAR, DECIMAL or one column a field");
  }
}

arrow::Result<Value> FromDuckDb(const duckdb::Value& value, const ColumnType& type) {
  if (value.IsNull()) return Value();
  switch (KindOf(type)) {
    case TypeKind::kBool:
      return Value(value.GetValueUnsafe<bool>());
    case TypeKind::kInteger:
      return IsUnsigned(type) ? Value(value.GetValue<uint64_t>()) : Value(value.GetValue<int64_t>());
    case TypeKind::kReal:
      return Value(value.GetValue<double>());
    case TypeKind::kDecimal:
      return Value(DecimalOf(value, type.scale));
    case TypeKind::kText:
    case TypeKind::kBinary:
      return Value(duckdb::StringValue::Get(value));
    case TypeKind::kDate:
    case TypeKind::kTime:
      return Value(Ticks(value));
    case TypeKind::kTimestamp:
      return UnscaledTicks(value, type);
    case TypeKind::kUuid:
      return Value(FromHugeint(value.GetValueUnsafe<duckdb::hugeint_t>()));
  }
  return Value();
}

duckdb::Value ToDuckDb(const Value& value, const ColumnType& type) {
  const LogicalType logical = ToLogicalType(type);
  if (value.is_null()) return duckdb::Value(logical);
  switch (KindOf(type)) {
    case TypeKind::kBool:
      return duckdb::Value::BOOLEAN(value.get<bool>());
    case TypeKind::kInteger:
      return IsUnsigned(type) ? duckdb::Value::UBIGINT(value.get<uint64_t>()).DefaultCastAs(logical)
                              : duckdb::Value::BIGINT(value.get<int64_t>()).DefaultCastAs(logical);
    case TypeKind::kReal:
      return type.id == TypeId::kFloat ? duckdb::Value::FLOAT(static_cast<float>(value.get<double>()))
                                       : duckdb::Value::DOUBLE(value.get<double>());
    case TypeKind::kDecimal:
      return DecimalValue(value.get<Decimal>(), type);
    case TypeKind::kText:
      return duckdb::Value(value.get<std::string>());
    case TypeKind::kBinary:
      return duckdb::Value::BLOB_RAW(value.get<std::string>());
    case TypeKind::kDate:
      return duckdb::Value::DATE(duckdb::date_t(static_cast<int32_t>(value.get<int64_t>())));
    case TypeKind::kTime:
      return type.unit == TimeUnit::kNano ? duckdb::Value::TIME_NS(duckdb::dtime_ns_t(value.get<int64_t>()))
                                          : duckdb::Value::TIME(duckdb::dtime_t(value.get<int64_t>()));
    case TypeKind::kTimestamp:
      return TimestampValue(value.get<int64_t>(), type);
    case TypeKind::kUuid:
      return duckdb::Value::UUID(ToHugeint(value.get<Uuid>()));
  }
  return duckdb::Value(logical);
}

}  // namespace yarrow::sql
