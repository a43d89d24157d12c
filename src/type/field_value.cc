#include "type/field_value.h"

#include <cstring>
#include <type_traits>

#include "type/bit_text.h"
#include "type/calendar.h"
#include "type/decimal.h"
#include "type/interval.h"
#include "type/nested_bytes.h"
#include "type/stored_form.h"
#include "type/type_traits.h"
#include "type/value_check.h"
#include "type/well_known_binary.h"
#include "type/wide_integer.h"

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
  } else if constexpr (Traits::kKind == TypeKind::kTimeTz) {
    return IsTimeTz(held);
  } else if constexpr (Traits::kKind == TypeKind::kEnum) {
    return held < type.labels().size();
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
  } else if constexpr (std::is_same_v<typename Traits::Stored, Uuid>) {
    return ToStoredBytes(held);
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
    case TypeKind::kTimeTz:
      return IsTimeTz(Load<uint64_t>(bytes)) ? nullptr : "a time with time zone is not within a day";
    case TypeKind::kEnum:
      return Load<uint32_t>(bytes) < type.labels().size() ? nullptr : "an ENUM has no label of that number";
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
    } else if constexpr (std::is_same_v<typename Traits::Stored, Uuid>) {
      return Value(FromStoredBytes<typename Traits::Held>(Load<Uuid>(bytes)));
    } else if constexpr (Traits::kKind == TypeKind::kEnum) {
      return Value(uint64_t{Load<uint32_t>(bytes)});
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
  switch (KindOf(type)) {
    case TypeKind::kText:
      return IsUtf8(bytes) ? nullptr : "text is not valid UTF-8";
    case TypeKind::kBit:
      return IsBits(bytes) ? nullptr : "the bytes are no string of bits";
    case TypeKind::kBignum:
      return IsBignum(bytes) ? nullptr : "the bytes are no BIGNUM";
    case TypeKind::kNested:
      return CheckNestedBytes(type, bytes);
    case TypeKind::kBinary:
      if (type.id != TypeId::kGeometry || IsWellKnownBinary(bytes)) return nullptr;
      return "the bytes are no geometry in little-endian WKB";
    default:
      return nullptr;
  }
}

}  // namespace yarrow
