// Values to and from Arrow scalars.
#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>

#include <optional>
#include <utility>
#include <vector>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/type_traits.h"
#include "type/value_array.h"
#include "type/wide_integer.h"
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

arrow::Result<Value> FromHugeDecimal(const arrow::Decimal256Scalar& scalar, const ColumnType& type) {
  const arrow::Decimal256& number = scalar.value;
  if (checked_cast<const arrow::DecimalType&>(*scalar.type).scale() == 0) {
    if (type.id == TypeId::kHugeint) {
      if (const auto value = HugeintFrom(number)) return Value(*value);
    } else if (const auto value = UHugeintFrom(number)) {
      return Value(*value);
    }
  }
  return arrow::Status::Invalid("decimal ", scalar.ToString(), " does not fit ", type.ToString());
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

// Of what types programs get text.
bool IsGivenAsText(const ColumnType& type) {
  const TypeKind kind = KindOf(type);
  return kind == TypeKind::kTimeTz || kind == TypeKind::kBit || kind == TypeKind::kBignum || kind == TypeKind::kEnum;
}

arrow::Result<Value> FromMonthDayNanos(const arrow::Scalar& scalar, const ColumnType& type) {
  const auto& span = checked_cast<const arrow::MonthDayNanoIntervalScalar&>(scalar).value;
  if (type.id != TypeId::kInterval) return WrongType(scalar, type);
  if (span.nanoseconds % 1000 != 0) {
    return arrow::Status::Invalid("Arrow value ", scalar.ToString(),
                                  " is too fine for an INTERVAL, which has microseconds");
  }
  return Value(Interval{span.months, span.days, span.nanoseconds / 1000});
}

// Those of the list, as values of `type`; of a MAP key, value, key, value ...
arrow::Status TakeElements(const arrow::Array& elements, const ColumnType& type, std::vector<Value>* values) {
  for (int64_t i = 0; i < elements.length(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto scalar, elements.GetScalar(i));
    ARROW_ASSIGN_OR_RAISE(auto value, Value::FromScalar(*scalar, type));
    values->push_back(std::move(value));
  }
  return arrow::Status::OK();
}

arrow::Result<Value> FromList(const arrow::BaseListScalar& scalar, const ColumnType& type) {
  if (type.details == nullptr) return WrongType(scalar, type);
  std::vector<Value> parts;
  if (type.id == TypeId::kMap) {
    if (scalar.value->type_id() != arrow::Type::STRUCT) return WrongType(scalar, type);
    const auto& entries = checked_cast<const arrow::StructArray&>(*scalar.value);
    for (int64_t i = 0; i < entries.length(); ++i) {
      for (int part = 0; part < 2; ++part) {
        const auto one = entries.field(part)->Slice(i, 1);
        ARROW_RETURN_NOT_OK(TakeElements(*one, type.members()[static_cast<size_t>(part)].type, &parts));
      }
    }
  } else if (type.id == TypeId::kList || type.id == TypeId::kArray) {
    ARROW_RETURN_NOT_OK(TakeElements(*scalar.value, type.members()[0].type, &parts));
  } else {
    return WrongType(scalar, type);
  }
  return Value::Nested(type, parts);
}

// Fields by their names; those that the value lacks are NULL.
arrow::Result<Value> FromStruct(const arrow::StructScalar& scalar, const ColumnType& type) {
  if (!type.is_nested() || type.details == nullptr || LayoutOf(type).id != TypeId::kStruct)
    return WrongType(scalar, type);
  const auto& given = checked_cast<const arrow::StructType&>(*scalar.type);
  const std::vector<TypeMember>& members = LayoutOf(type).members();
  std::vector<Value> parts(members.size());
  for (int i = 0; i < given.num_fields(); ++i) {
    size_t member = 0;
    while (member < members.size() && members[member].name != given.field(i)->name()) ++member;
    if (member == members.size()) return WrongType(scalar, type);
    ARROW_ASSIGN_OR_RAISE(parts[member],
                          Value::FromScalar(*scalar.value[static_cast<size_t>(i)], members[member].type));
  }
  if (type.id != TypeId::kUnion) return Value::Nested(LayoutOf(type), parts);
  const size_t tag = parts[0].is_null() ? 0 : static_cast<size_t>(parts[0].get<uint64_t>());
  if (parts[0].is_null() || tag + 1 >= parts.size()) return WrongType(scalar, type);
  return Value::Nested(type, std::vector<Value>{parts[0], parts[1 + tag]});
}

arrow::Result<std::shared_ptr<arrow::Scalar>> ToIntervalScalar(const Interval& interval) {
  arrow::MonthDayNanoIntervalType::MonthDayNanos span{interval.months, interval.days, 0};
  if (__builtin_mul_overflow(interval.micros, int64_t{1000}, &span.nanoseconds)) {
    return arrow::Status::Invalid("the interval ", Value(interval).ToString(),
                                  " is too long for Arrow, which counts its part of a day in nanoseconds");
  }
  return std::make_shared<arrow::MonthDayNanoIntervalScalar>(span);
}

arrow::Result<std::shared_ptr<arrow::Scalar>> ToLabelScalar(uint64_t number, const ColumnType& type) {
  arrow::StringBuilder labels;
  ARROW_RETURN_NOT_OK(labels.AppendValues(type.labels()));
  ARROW_ASSIGN_OR_RAISE(auto dictionary, labels.Finish());
  arrow::DictionaryScalar::ValueType value{arrow::MakeScalar(static_cast<int32_t>(number)), std::move(dictionary)};
  return std::make_shared<arrow::DictionaryScalar>(std::move(value), type.ToArrow());
}

// Text only goes into text columns, and is read as a value of types that programs get as text; bytes only go into
// bytes; both into a UUID only as its 16 bytes.
arrow::Result<Value> FromBytes(const arrow::BaseBinaryScalar& scalar, const ColumnType& type) {
  const std::string_view bytes = scalar.view();
  const bool is_text = arrow::is_string(scalar.type->id()) || scalar.type->id() == arrow::Type::STRING_VIEW;
  if (type.id == TypeId::kUuid && !is_text && bytes.size() == sizeof(Uuid::bytes)) {
    Uuid uuid;
    bytes.copy(reinterpret_cast<char*>(uuid.bytes.data()), uuid.bytes.size());
    return Value(uuid);
  }
  if (is_text && IsGivenAsText(type)) return Value::Parse(bytes, type);
  if (KindOf(type) != (is_text ? TypeKind::kText : TypeKind::kBinary)) return WrongType(scalar, type);
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
      if (KindOf(type) == TypeKind::kHugeint) {
        return FromHugeDecimal(checked_cast<const arrow::Decimal256Scalar&>(scalar), type);
      }
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
      const bool is_uuid = extension.extension_name() == "arrow.uuid" && type.id == TypeId::kUuid;
      const bool is_json = extension.extension_name() == "arrow.json" && IsText(type);
      if (!is_uuid && !is_json) break;
      return FromScalar(*checked_cast<const arrow::ExtensionScalar&>(scalar).value, type);
    }
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return FromMonthDayNanos(scalar, type);
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::MAP:
      return FromList(checked_cast<const arrow::BaseListScalar&>(scalar), type);
    case arrow::Type::STRUCT:
      return FromStruct(checked_cast<const arrow::StructScalar&>(scalar), type);
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
    constexpr TypeKind kKind = Traits::kKind;
    if constexpr (kKind == TypeKind::kTimeTz || kKind == TypeKind::kBit || kKind == TypeKind::kBignum) {
      return arrow::MakeScalar(ToString(type));
    } else if constexpr (kKind == TypeKind::kNested) {
      ARROW_ASSIGN_OR_RAISE(const auto array, ArrayOfValues({this, 1}, type));
      return array->GetScalar(0);
    } else if constexpr (kKind == TypeKind::kEnum) {
      return ToLabelScalar(held, type);
    } else if constexpr (kKind == TypeKind::kHugeint) {
      return std::make_shared<arrow::Decimal256Scalar>(ToDecimal256(held), arrow_type);
    } else if constexpr (kKind == TypeKind::kInterval) {
      return ToIntervalScalar(held);
    } else if constexpr (Traits::kId == TypeId::kJson) {
      auto text = std::make_shared<arrow::StringScalar>(held);
      return std::make_shared<arrow::ExtensionScalar>(std::move(text), arrow_type);
    } else if constexpr (Traits::kIsVariable) {
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
