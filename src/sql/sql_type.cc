#include "sql/sql_type.h"

#include <duckdb/common/types/geometry_crs.hpp>
#include <duckdb/common/vector_operations/vector_operations.hpp>

#include <array>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sql/stored_vectors.h"
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

// The number behind a date, time or timestamp, whatever its unit.
int64_t Ticks(const duckdb::Value& value) {
  switch (value.type().InternalType()) {
    case duckdb::PhysicalType::INT32:
      return value.GetValueUnsafe<int32_t>();
    default:
      return value.GetValueUnsafe<int64_t>();
  }
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

LogicalType EnumType(const ColumnType& type) {
  const std::vector<std::string>& labels = type.labels();
  duckdb::Vector values(LogicalType::VARCHAR, labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    duckdb::FlatVector::GetData<duckdb::string_t>(values)[i] = duckdb::StringVector::AddString(values, labels[i]);
  }
  return LogicalType::ENUM(values, labels.size());
}

duckdb::child_list_t<LogicalType> MemberTypes(const ColumnType& type) {
  duckdb::child_list_t<LogicalType> types;
  for (const TypeMember& member : type.members()) types.emplace_back(member.name, ToLogicalType(member.type));
  return types;
}

LogicalType MakeDetailedType(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kEnum:
      return EnumType(type);
    case TypeId::kList:
      return LogicalType::LIST(ToLogicalType(type.members()[0].type));
    case TypeId::kArray:
      return LogicalType::ARRAY(ToLogicalType(type.members()[0].type), type.array_size());
    case TypeId::kStruct:
      return LogicalType::STRUCT(MemberTypes(type));
    case TypeId::kMap:
      return LogicalType::MAP(ToLogicalType(type.members()[0].type), ToLogicalType(type.members()[1].type));
    case TypeId::kUnion:
      return LogicalType::UNION(MemberTypes(type));
    case TypeId::kGeometry:
      return LogicalType::GEOMETRY(type.coordinate_system());
    default:
      return LogicalType::VARIANT();
  }
}

// Types with details, which take long to make, as long as columns have them.
class DetailedTypes {
 public:
  LogicalType Find(const ColumnType& type) {
    {
      const std::lock_guard lock(mutex_);
      const auto known = types_.find(type.details.get());
      if (known != types_.end() && known->second.details.lock() == type.details) return known->second.type;
    }
    const LogicalType made = MakeDetailedType(type);
    const std::lock_guard lock(mutex_);
    if (types_.size() >= kMost) std::erase_if(types_, [](const auto& entry) { return entry.second.details.expired(); });
    if (types_.size() >= kMost) types_.clear();
    types_.insert_or_assign(type.details.get(), Known{type.details, made});
    return made;
  }

 private:
  static constexpr size_t kMost = 4096;
  struct Known {
    std::weak_ptr<const TypeDetails> details;
    LogicalType type;
  };
  std::mutex mutex_;
  std::unordered_map<const TypeDetails*, Known> types_;
};

LogicalType DetailedType(const ColumnType& type) {
  static auto* const types = new DetailedTypes;  // outlives every thread
  return types->Find(type);
}

arrow::Result<ColumnType> MembersFrom(const LogicalType& type, bool is_union) {
  std::vector<TypeMember> members;
  const auto take = [&](const std::string& name, const LogicalType& member) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(ColumnType taken, FromLogicalType(member));
    members.push_back({name, std::move(taken)});
    return arrow::Status::OK();
  };
  if (is_union) {
    for (duckdb::idx_t i = 0; i < duckdb::UnionType::GetMemberCount(type); ++i) {
      ARROW_RETURN_NOT_OK(take(duckdb::UnionType::GetMemberName(type, i), duckdb::UnionType::GetMemberType(type, i)));
    }
    return ColumnType::Union(std::move(members));
  }
  if (duckdb::StructType::IsUnnamed(type)) {
    return arrow::Status::Invalid(
        "A table cannot be created from an unnamed struct: give its fields names, as in "
        "{'a': 1} or struct_pack(a := 1)");
  }
  for (const auto& [name, member] : duckdb::StructType::GetChildTypes(type)) ARROW_RETURN_NOT_OK(take(name, member));
  return ColumnType::Struct(std::move(members));
}

ColumnType EnumFrom(const LogicalType& type) {
  std::vector<std::string> labels;
  for (duckdb::idx_t i = 0; i < duckdb::EnumType::GetSize(type); ++i) {
    labels.push_back(duckdb::EnumType::GetString(type, i).GetString());
  }
  return ColumnType::Enum(std::move(labels));
}

arrow::Status NoColumnType(const LogicalType& type) {
  if (type.id() == duckdb::LogicalTypeId::TYPE) {
    return arrow::Status::Invalid("A table cannot be created with a 'TYPE' column");
  }
  return arrow::Status::NotImplemented("no column can have the type ", type.ToString());
}

uint64_t EnumNumber(const duckdb::Value& value) {
  switch (value.type().InternalType()) {
    case duckdb::PhysicalType::UINT8:
      return value.GetValueUnsafe<uint8_t>();
    case duckdb::PhysicalType::UINT16:
      return value.GetValueUnsafe<uint16_t>();
    default:
      return value.GetValueUnsafe<uint32_t>();
  }
}

// A value of a nested type has its bytes from a vector of it alone.
std::string NestedBytes(const duckdb::Value& value, const ColumnType& type) {
  duckdb::Vector one(value);
  duckdb::Vector flat(value.type(), 1);
  duckdb::VectorOperations::Copy(one, flat, 1, 0, 0);
  std::string bytes;
  AppendNestedValue(flat, 0, type, &bytes);
  return bytes;
}

duckdb::Value NestedValue(const std::string& bytes, const ColumnType& type) {
  duckdb::Vector one(ToLogicalType(type), 1);
  if (!PutNestedValue(bytes, type, &one, 0)) {
    throw duckdb::InvalidInputException("the bytes of a value of type %s are damaged", type.ToString());
  }
  return one.GetValue(0);
}

// Text or bytes, as they are, of a type that holds such.
duckdb::Value TextValue(const std::string& bytes, const LogicalType& type) {
  duckdb::Value value = type.id() == LogicalTypeId::VARCHAR ? duckdb::Value(bytes) : duckdb::Value::BLOB_RAW(bytes);
  value.Reinterpret(type);
  return value;
}

duckdb::hugeint_t FromInt128(Int128 number) {
  return {static_cast<int64_t>(number >> 64), static_cast<uint64_t>(number)};
}

UInt128 ToUInt128(const duckdb::uhugeint_t& number) {
  return static_cast<UInt128>(number.upper) << 64 | number.lower;
}

}  // namespace

// The top bit is flipped.
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

duckdb::dtime_tz_t TimeTzFromSorted(uint64_t number) {
  const uint64_t west = number & duckdb::dtime_tz_t::OFFSET_MASK;
  return duckdb::dtime_tz_t(number - duckdb::dtime_tz_t::encode_micros(west * duckdb::dtime_tz_t::OFFSET_MICROS));
}

int64_t MicrosOf(const ColumnType& type) {
  if (IsSameUnit(type)) return 1;
  return type.unit == TimeUnit::kSecond ? 1'000'000 : 1000;
}

LogicalType ToLogicalType(const ColumnType& type) {
  switch (KindOf(type)) {
    case TypeKind::kDecimal:
      return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision), static_cast<uint8_t>(type.scale));
    case TypeKind::kTime:
      return type.unit == TimeUnit::kNano ? LogicalType::TIME_NS : LogicalType::TIME;
    case TypeKind::kTimestamp:
      return TimestampType(type);
    case TypeKind::kEnum:
    case TypeKind::kNested:
      return DetailedType(type);
    default:
      if (type.id == TypeId::kJson) return LogicalType::JSON();
      if (type.id != TypeId::kGeometry) return TypeOfName(type.id);
      return type.details == nullptr ? LogicalType::GEOMETRY() : DetailedType(type);
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
    case LogicalTypeId::VARCHAR:
      return type.IsJSONType() ? TypeId::kJson : TypeId::kUtf8;
    case LogicalTypeId::ENUM:
      return EnumFrom(type);
    case LogicalTypeId::LIST: {
      ARROW_ASSIGN_OR_RAISE(ColumnType element, FromLogicalType(duckdb::ListType::GetChildType(type)));
      return ColumnType::List(std::move(element));
    }
    case LogicalTypeId::ARRAY: {
      ARROW_ASSIGN_OR_RAISE(ColumnType element, FromLogicalType(duckdb::ArrayType::GetChildType(type)));
      return ColumnType::Array(std::move(element), static_cast<uint32_t>(duckdb::ArrayType::GetSize(type)));
    }
    case LogicalTypeId::STRUCT:
    case LogicalTypeId::UNION:
      return MembersFrom(type, type.id() == LogicalTypeId::UNION);
    case LogicalTypeId::MAP: {
      ARROW_ASSIGN_OR_RAISE(ColumnType key, FromLogicalType(duckdb::MapType::KeyType(type)));
      ARROW_ASSIGN_OR_RAISE(ColumnType value, FromLogicalType(duckdb::MapType::ValueType(type)));
      return ColumnType::Map(std::move(key), std::move(value));
    }
    case LogicalTypeId::VARIANT:
      return ColumnType::Variant();
    case LogicalTypeId::GEOMETRY:
      return duckdb::GeoType::HasCRS(type) ? ColumnType::Geometry(duckdb::GeoType::GetCRS(type).GetDefinition())
                                           : ColumnType(TypeId::kGeometry);
    case LogicalTypeId::TIME_NS:
      return ColumnType::Time(TimeUnit::kNano);
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
    case LogicalTypeId::TIMESTAMP_TZ:
      return ColumnType::Parse(type.ToString());
    default:
      for (const TypeFacts& row : kTypes) {
        if (TypeOfName(row.id) == type.id()) return ColumnType(row.id);
      }
      return NoColumnType(type);
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
    case TypeKind::kHugeint:
      if (type.id == TypeId::kHugeint) return Value(ToInt128(value.GetValueUnsafe<duckdb::hugeint_t>()));
      return Value(ToUInt128(value.GetValueUnsafe<duckdb::uhugeint_t>()));
    case TypeKind::kInterval: {
      const auto interval = value.GetValueUnsafe<duckdb::interval_t>();
      return Value(Interval{interval.months, interval.days, interval.micros});
    }
    case TypeKind::kTimeTz:
      return Value(uint64_t{value.GetValueUnsafe<duckdb::dtime_tz_t>().sort_key()});
    case TypeKind::kBit:
    case TypeKind::kBignum:
      return Value(duckdb::StringValue::Get(value));
    case TypeKind::kEnum:
      return Value(static_cast<uint64_t>(EnumNumber(value)));
    case TypeKind::kNested:
      return Value(NestedBytes(value, type));
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
    case TypeKind::kBinary:
    case TypeKind::kBit:
    case TypeKind::kBignum:
      return TextValue(value.get<std::string>(), logical);
    case TypeKind::kDate:
      return duckdb::Value::DATE(duckdb::date_t(static_cast<int32_t>(value.get<int64_t>())));
    case TypeKind::kTime:
      return type.unit == TimeUnit::kNano ? duckdb::Value::TIME_NS(duckdb::dtime_ns_t(value.get<int64_t>()))
                                          : duckdb::Value::TIME(duckdb::dtime_t(value.get<int64_t>()));
    case TypeKind::kTimestamp:
      return TimestampValue(value.get<int64_t>(), type);
    case TypeKind::kUuid:
      return duckdb::Value::UUID(ToHugeint(value.get<Uuid>()));
    case TypeKind::kHugeint: {
      if (type.id == TypeId::kHugeint) return duckdb::Value::HUGEINT(FromInt128(value.get<Int128>()));
      const UInt128 number = value.get<UInt128>();
      return duckdb::Value::UHUGEINT({static_cast<uint64_t>(number >> 64), static_cast<uint64_t>(number)});
    }
    case TypeKind::kInterval: {
      const auto& interval = value.get<Interval>();
      return duckdb::Value::INTERVAL(interval.months, interval.days, interval.micros);
    }
    case TypeKind::kTimeTz:
      return duckdb::Value::TIMETZ(TimeTzFromSorted(value.get<uint64_t>()));
    case TypeKind::kEnum:
      return duckdb::Value::ENUM(value.get<uint64_t>(), logical);
    case TypeKind::kNested:
      return NestedValue(value.get<std::string>(), type);
  }
  return duckdb::Value(logical);
}

}  // namespace yarrow::sql
