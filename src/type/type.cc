#include "yarrow/type.h"

#include <arrow/extension/json.h>
#include <arrow/extension/uuid.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/type_traits.h"

namespace yarrow {
namespace {

using arrow::internal::checked_cast;

constexpr int32_t kHugeintDigits = 39;

arrow::Result<ColumnType> FromArrowDecimalType(const arrow::DecimalType& type) {
  if (type.precision() == kHugeintDigits && type.scale() == 0) return TypeId::kHugeint;
  if (type.precision() > kMaxDecimalPrecision || type.scale() < 0 || type.scale() > type.precision()) {
    return arrow::Status::NotImplemented("no column type for the Arrow type ", type.ToString(),
                                         ": decimals have 1 to 38 digits and a scale from 0 to their precision");
  }
  return ColumnType::Decimal(type.precision(), type.scale());
}

constexpr arrow::Type::type ArrowIdOf(TypeId id) {
  return VisitType(id, [](auto traits) { return decltype(traits)::ArrowType::type_id; });
}

// A LIST of the values' type, from any of Arrow's kinds of lists.
template <class ListType>
arrow::Result<ColumnType> FromArrowList(const arrow::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(ColumnType element, ColumnType::FromArrow(*checked_cast<const ListType&>(type).value_type()));
  return ColumnType::List(std::move(element));
}

arrow::Result<ColumnType> FromArrowFixedList(const arrow::FixedSizeListType& type) {
  if (type.list_size() < 1) return arrow::Status::NotImplemented("no column type for lists of no elements");
  ARROW_ASSIGN_OR_RAISE(ColumnType element, ColumnType::FromArrow(*type.value_type()));
  return ColumnType::Array(std::move(element), static_cast<uint32_t>(type.list_size()));
}

arrow::Result<ColumnType> FromArrowStruct(const arrow::DataType& type) {
  std::vector<TypeMember> members;
  for (const auto& field : type.fields()) {
    ARROW_ASSIGN_OR_RAISE(ColumnType member, ColumnType::FromArrow(*field->type()));
    members.push_back({field->name(), std::move(member)});
  }
  if (members.empty()) return arrow::Status::NotImplemented("no column type for a struct without fields");
  return ColumnType::Struct(std::move(members));
}

arrow::Result<ColumnType> FromArrowMap(const arrow::MapType& type) {
  ARROW_ASSIGN_OR_RAISE(ColumnType key, ColumnType::FromArrow(*type.key_type()));
  ARROW_ASSIGN_OR_RAISE(ColumnType value, ColumnType::FromArrow(*type.item_type()));
  return ColumnType::Map(std::move(key), std::move(value));
}

ColumnType WithDetails(TypeId id, TypeDetails details) {
  ColumnType type(id);
  type.details = std::make_shared<const TypeDetails>(std::move(details));
  return type;
}

std::shared_ptr<const ColumnType> Shared(ColumnType type) {
  return std::make_shared<const ColumnType>(std::move(type));
}

// "tag", or so, whatever the members are called in capitals or not: Arrow and Parquet want different names.
std::string NameOfTag(const std::vector<TypeMember>& members) {
  std::string name = "tag";
  const auto is_taken = [&](const TypeMember& member) {
    return std::ranges::equal(member.name, name, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  };
  while (std::ranges::any_of(members, is_taken)) name += '_';
  return name;
}

// DuckDB's: the names of all fields, the children of all arrays and objects, then all values, by their places in
// `data`.
ColumnType VariantLayout() {
  const ColumnType child = ColumnType::Struct({{"keys_index", TypeId::kUInt32}, {"values_index", TypeId::kUInt32}});
  const ColumnType value = ColumnType::Struct({{"type_id", TypeId::kUInt8}, {"byte_offset", TypeId::kUInt32}});
  return ColumnType::Struct({{"keys", ColumnType::List(TypeId::kUtf8)},
                             {"children", ColumnType::List(child)},
                             {"values", ColumnType::List(value)},
                             {"data", TypeId::kBinary}});
}

// Null where a part has no Arrow type.
std::shared_ptr<arrow::DataType> ToArrowNested(const ColumnType& type) {
  if (type.details == nullptr) return nullptr;
  const ColumnType& layout = type.id == TypeId::kMap ? type : LayoutOf(type);
  arrow::FieldVector fields;
  for (const TypeMember& member : layout.members()) {
    auto part = member.type.ToArrow();
    if (part == nullptr) return nullptr;
    fields.push_back(arrow::field(member.name, std::move(part)));
  }
  switch (layout.id) {
    case TypeId::kMap:
      return arrow::map(fields[0]->type(), fields[1]->type());
    case TypeId::kList:
      return arrow::list(fields[0]->type());
    case TypeId::kArray:
      return arrow::fixed_size_list(fields[0]->type(), static_cast<int32_t>(layout.array_size()));
    default:
      return arrow::struct_(std::move(fields));
  }
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

ColumnType ColumnType::Enum(std::vector<std::string> labels) {
  return WithDetails(TypeId::kEnum, {.labels = std::move(labels)});
}

ColumnType ColumnType::Geometry(std::string coordinate_system) {
  if (coordinate_system.empty()) return TypeId::kGeometry;
  return WithDetails(TypeId::kGeometry, {.coordinate_system = std::move(coordinate_system)});
}

ColumnType ColumnType::List(ColumnType element) {
  return WithDetails(TypeId::kList, {.members = {{"", std::move(element)}}});
}

ColumnType ColumnType::Array(ColumnType element, uint32_t size) {
  return WithDetails(TypeId::kArray, {.members = {{"", std::move(element)}}, .array_size = size});
}

ColumnType ColumnType::Struct(std::vector<TypeMember> members) {
  return WithDetails(TypeId::kStruct, {.members = std::move(members)});
}

ColumnType ColumnType::Map(ColumnType key, ColumnType value) {
  std::vector<TypeMember> members{{"key", std::move(key)}, {"value", std::move(value)}};
  auto layout = Shared(List(Struct(members)));
  return WithDetails(TypeId::kMap, {.members = std::move(members), .layout = std::move(layout)});
}

ColumnType ColumnType::Union(std::vector<TypeMember> members) {
  std::vector<TypeMember> fields{{NameOfTag(members), TypeId::kUInt8}};
  fields.insert(fields.end(), members.begin(), members.end());
  auto layout = Shared(Struct(std::move(fields)));
  return WithDetails(TypeId::kUnion, {.members = std::move(members), .layout = std::move(layout)});
}

ColumnType ColumnType::Variant() {
  static const ColumnType variant = WithDetails(TypeId::kVariant, {.layout = Shared(VariantLayout())});
  return variant;
}

const std::vector<TypeMember>& ColumnType::members() const {
  static const std::vector<TypeMember> none;
  return details == nullptr ? none : details->members;
}

const std::vector<std::string>& ColumnType::labels() const {
  static const std::vector<std::string> none;
  return details == nullptr ? none : details->labels;
}

const std::string& ColumnType::coordinate_system() const {
  static const std::string none;
  return details == nullptr ? none : details->coordinate_system;
}

uint32_t ColumnType::array_size() const {
  return details == nullptr ? 0 : details->array_size;
}

bool operator==(const ColumnType& a, const ColumnType& b) {
  const bool are_plain_equal =
      a.id == b.id && a.precision == b.precision && a.scale == b.scale && a.unit == b.unit && a.timezone == b.timezone;
  if (!are_plain_equal || a.details == b.details) return are_plain_equal;
  return a.members() == b.members() && a.labels() == b.labels() && a.array_size() == b.array_size() &&
         a.coordinate_system() == b.coordinate_system();
}

const ColumnType& LayoutOf(const ColumnType& type) {
  return type.details->layout == nullptr ? type : *type.details->layout;
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
    case arrow::Type::EXTENSION: {
      const std::string name = checked_cast<const arrow::ExtensionType&>(type).extension_name();
      if (name == "arrow.uuid") return TypeId::kUuid;
      if (name == "arrow.json") return TypeId::kJson;
      break;
    }
    case arrow::Type::LIST:
      return FromArrowList<arrow::ListType>(type);
    case arrow::Type::LARGE_LIST:
      return FromArrowList<arrow::LargeListType>(type);
    case arrow::Type::FIXED_SIZE_LIST:
      return FromArrowFixedList(checked_cast<const arrow::FixedSizeListType&>(type));
    case arrow::Type::STRUCT:
      return FromArrowStruct(type);
    case arrow::Type::MAP:
      return FromArrowMap(checked_cast<const arrow::MapType&>(type));
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
    } else if constexpr (Traits::kId == TypeId::kJson) {
      static const std::shared_ptr<arrow::DataType> json = arrow::extension::json();
      return json;
    } else if constexpr (Traits::kKind == TypeKind::kHugeint) {
      static const std::shared_ptr<arrow::DataType> decimal = arrow::decimal256(kHugeintDigits, 0);
      return decimal;
    } else if constexpr (Traits::kKind == TypeKind::kEnum) {
      static const std::shared_ptr<arrow::DataType> dictionary = arrow::dictionary(arrow::int32(), arrow::utf8(), true);
      return dictionary;
    } else if constexpr (Traits::kKind == TypeKind::kNested) {
      return ToArrowNested(*this);
    } else {
      return arrow::TypeTraits<typename Traits::ArrowType>::type_singleton();
    }
  });
}

std::shared_ptr<arrow::DataType> BatchType(const ColumnType& type) {
  if (IsBatchTypeArrow(type)) return type.ToArrow();
  return VisitType(type.id, [](auto traits) -> std::shared_ptr<arrow::DataType> {
    using Traits = decltype(traits);
    if constexpr (Traits::kKind == TypeKind::kText) {
      return arrow::utf8();
    } else if constexpr (Traits::kIsVariable) {
      return arrow::binary();
    } else if constexpr (Traits::kKind == TypeKind::kTimeTz) {
      return arrow::uint64();
    } else if constexpr (Traits::kKind == TypeKind::kEnum) {
      return arrow::uint32();
    } else {
      static const std::shared_ptr<arrow::DataType> bytes = arrow::fixed_size_binary(16);
      return bytes;
    }
  });
}

namespace {

arrow::Status ValidateEnum(const ColumnType& type) {
  if (type.labels().empty()) return arrow::Status::Invalid("an ENUM needs a label");
  std::unordered_set<std::string_view> seen;
  for (const std::string& label : type.labels()) {
    if (!seen.insert(label).second) return arrow::Status::Invalid("an ENUM has the label '", label, "' twice");
  }
  return arrow::Status::OK();
}

arrow::Status ValidateNested(const ColumnType& type) {
  constexpr size_t kMostUnionMembers = 256;  // their numbers have a byte
  if (type.details == nullptr) {
    return arrow::Status::Invalid("a ", FactsOf(type.id).names[0],
                                  " has no parts: make it by ColumnType::List, Struct ...");
  }
  const size_t members = type.members().size();
  const size_t wanted = type.id == TypeId::kMap ? 2 : 1;
  const bool is_open = type.id == TypeId::kStruct || type.id == TypeId::kUnion;
  if (type.id != TypeId::kVariant && (is_open ? members < 1 : members != wanted)) {
    return arrow::Status::Invalid("a ", FactsOf(type.id).names[0], " has ", members, " parts");
  }
  if (type.id == TypeId::kUnion && members > kMostUnionMembers) {
    return arrow::Status::Invalid("a UNION has at most ", kMostUnionMembers, " members, not ", members);
  }
  if (type.id == TypeId::kArray && type.array_size() == 0) {
    return arrow::Status::Invalid("an ARRAY has 1 element or more");
  }
  for (const TypeMember& member : type.members()) {
    const arrow::Status status = member.type.Validate();
    if (!status.ok()) return status.WithMessage("in ", FactsOf(type.id).names[0], ": ", status.message());
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status ColumnType::Validate() const {
  if (!IsKnownType(id)) return UnknownType(id);
  if (unit > TimeUnit::kNano) return arrow::Status::Invalid("unknown time unit number ", static_cast<int>(unit));
  if (id == TypeId::kEnum) return ValidateEnum(*this);
  if (is_nested()) return ValidateNested(*this);
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
