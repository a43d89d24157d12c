#include "row/field_value.h"

#include <cstring>
#include <type_traits>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/type_traits.h"
#include "type/value_check.h"

namespace yarrow {
namespace {

template <class T>
T Load(const char* bytes) {
  T number;
  std::memcpy(&number, bytes, sizeof(number));
  return number;
}

// Whether `held` is in the exact form of the type.
template <class Traits>
bool IsExact(const ColumnType& type, const typename Traits::Held& held) {
  if constexpr (Traits::kKind == TypeKind::kDecimal) {
    return held.scale == type.scale && FitsPrecision(held.unscaled, type.precision);
  } else if constexpr (Traits::kKind == TypeKind::kTime) {
    return IsTimeOfDay(held, type.unit);
  } else if constexpr (std::is_integral_v<typename Traits::Stored>) {
    return static_cast<typename Traits::Held>(static_cast<typename Traits::Stored>(held)) == held;
  } else {
    return true;
  }
}

template <class Traits>
typename Traits::Stored ToStored(const typename Traits::Held& held) {
  if constexpr (Traits::kKind == TypeKind::kDecimal) {
    return held.unscaled;
  } else {
    return static_cast<typename Traits::Stored>(held);
  }
}

bool StoreAny(const Value& value, const ColumnType& type, char* bytes) {
  return VisitType(type.id, [&](auto traits) {
    using Traits = decltype(traits);
    if constexpr (!Traits::kIsVariable) {
      const auto* held = std::get_if<typename Traits::Held>(&value.variant());
      if (held == nullptr || !IsExact<Traits>(type, *held)) return false;
      const auto stored = ToStored<Traits>(*held);
      std::memcpy(bytes, &stored, sizeof(stored));
      return true;
    }
    return false;
  });
}

}  // namespace

const char* CheckFixedBytes(const ColumnType& type, const char* bytes) {
  switch (KindOf(type)) {
    case TypeKind::kBool:
      return Load<uint8_t>(bytes) <= 1 ? nullptr : "a boolean is neither 0 nor 1";
    case TypeKind::kDecimal:
      return FitsPrecision(Load<Int128>(bytes), type.precision) ? nullptr : "a decimal has more digits than its type";
    case TypeKind::kTime:
      return IsTimeOfDay(Load<int64_t>(bytes), type.unit) ? nullptr : "a time of day is not within a day";
    default:
      return nullptr;
  }
}

Value LoadFixedValue(const ColumnType& type, const char* bytes) {
  return VisitType(type.id, [&](auto traits) {
    using Traits = decltype(traits);
    if constexpr (Traits::kKind == TypeKind::kBool) {
      return Value(Load<uint8_t>(bytes) == 1);
    } else if constexpr (Traits::kKind == TypeKind::kDecimal) {
      return Value(Decimal{Load<Int128>(bytes), type.scale});
    } else if constexpr (Traits::kIsVariable) {
      return Value::Null();
    } else {
      return Value(Load<typename Traits::Stored>(bytes));
    }
  });
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
