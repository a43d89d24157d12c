#include "row/field_value.h"

#include <cstring>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/value_check.h"

namespace yarrow {
namespace {

template <class T>
T Load(const char* bytes) {
  T number;
  std::memcpy(&number, bytes, sizeof(number));
  return number;
}

// Stores the number that `value` holds as a Held, if a Stored can hold it.
template <class Held, class Stored>
bool Store(const Value& value, char* bytes) {
  const Held* held = std::get_if<Held>(&value.variant());
  if (held == nullptr) return false;
  const auto stored = static_cast<Stored>(*held);
  if constexpr (std::is_integral_v<Stored>) {
    if (static_cast<Held>(stored) != *held) return false;
  }
  std::memcpy(bytes, &stored, sizeof(stored));
  return true;
}

bool StoreDecimal(const Value& value, const ColumnType& type, char* bytes) {
  const Decimal* decimal = std::get_if<Decimal>(&value.variant());
  if (decimal == nullptr || decimal->scale != type.scale || !FitsPrecision(decimal->unscaled, type.precision)) {
    return false;
  }
  std::memcpy(bytes, &decimal->unscaled, sizeof(decimal->unscaled));
  return true;
}

bool StoreTime(const Value& value, const ColumnType& type, char* bytes) {
  const int64_t* units = std::get_if<int64_t>(&value.variant());
  if (units == nullptr || !IsTimeOfDay(*units, type.unit)) return false;
  std::memcpy(bytes, units, sizeof(*units));
  return true;
}

bool StoreUuid(const Value& value, char* bytes) {
  const Uuid* uuid = std::get_if<Uuid>(&value.variant());
  if (uuid == nullptr) return false;
  std::memcpy(bytes, uuid->bytes.data(), uuid->bytes.size());
  return true;
}

bool StoreAny(const Value& value, const ColumnType& type, char* bytes) {
  switch (type.id) {
    case TypeId::kBool:
      return Store<bool, bool>(value, bytes);
    case TypeId::kInt8:
      return Store<int64_t, int8_t>(value, bytes);
    case TypeId::kInt16:
      return Store<int64_t, int16_t>(value, bytes);
    case TypeId::kInt32:
    case TypeId::kDate32:
      return Store<int64_t, int32_t>(value, bytes);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return Store<int64_t, int64_t>(value, bytes);
    case TypeId::kTime64:
      return StoreTime(value, type, bytes);
    case TypeId::kUInt8:
      return Store<uint64_t, uint8_t>(value, bytes);
    case TypeId::kUInt16:
      return Store<uint64_t, uint16_t>(value, bytes);
    case TypeId::kUInt32:
      return Store<uint64_t, uint32_t>(value, bytes);
    case TypeId::kUInt64:
      return Store<uint64_t, uint64_t>(value, bytes);
    case TypeId::kFloat:
      return Store<double, float>(value, bytes);
    case TypeId::kDouble:
      return Store<double, double>(value, bytes);
    case TypeId::kDecimal128:
      return StoreDecimal(value, type, bytes);
    case TypeId::kUuid:
      return StoreUuid(value, bytes);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return false;
  }
  return false;
}

}  // namespace

const char* CheckFixedBytes(const ColumnType& type, const char* bytes) {
  switch (type.id) {
    case TypeId::kBool:
      return Load<uint8_t>(bytes) <= 1 ? nullptr : "a boolean is neither 0 nor 1";
    case TypeId::kDecimal128:
      return FitsPrecision(Load<Int128>(bytes), type.precision) ? nullptr : "a decimal has more digits than its type";
    case TypeId::kTime64:
      return IsTimeOfDay(Load<int64_t>(bytes), type.unit) ? nullptr : "a time of day is not within a day";
    default:
      return nullptr;
  }
}

Value LoadFixedValue(const ColumnType& type, const char* bytes) {
  switch (type.id) {
    case TypeId::kBool:
      return Value(Load<uint8_t>(bytes) == 1);
    case TypeId::kInt8:
      return Value(Load<int8_t>(bytes));
    case TypeId::kInt16:
      return Value(Load<int16_t>(bytes));
    case TypeId::kInt32:
    case TypeId::kDate32:
      return Value(Load<int32_t>(bytes));
    case TypeId::kInt64:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
      return Value(Load<int64_t>(bytes));
    case TypeId::kUInt8:
      return Value(Load<uint8_t>(bytes));
    case TypeId::kUInt16:
      return Value(Load<uint16_t>(bytes));
    case TypeId::kUInt32:
      return Value(Load<uint32_t>(bytes));
    case TypeId::kUInt64:
      return Value(Load<uint64_t>(bytes));
    case TypeId::kFloat:
      return Value(Load<float>(bytes));
    case TypeId::kDouble:
      return Value(Load<double>(bytes));
    case TypeId::kDecimal128:
      return Value(Decimal{Load<Int128>(bytes), type.scale});
    case TypeId::kUuid:
      return Value(Load<Uuid>(bytes));
    case TypeId::kUtf8:
    case TypeId::kBinary:
      break;
  }
  return Value::Null();
}

arrow::Status StoreFixedValue(const Value& value, const ColumnType& type, char* bytes) {
  if (StoreAny(value, type, bytes)) return arrow::Status::OK();
  return arrow::Status::TypeError("value ", value.ToString(), " is not in the form of ", type.ToString(),
                                  ": use Value::CastTo first");
}

const char* CheckVariableBytes(const ColumnType& type, std::string_view bytes) {
  return type.id != TypeId::kUtf8 || IsUtf8(bytes) ? nullptr : "text is not valid UTF-8";
}

}  // namespace yarrow
