#include "batch/exact_cast.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/float16.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "batch/nested_encoding.h"
#include "type/calendar.h"
#include "type/field_value.h"
#include "type/type_traits.h"

namespace yarrow::batch {
namespace {

using arrow::internal::checked_cast;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

// What the values of an Arrow array are; nothing for those that no column takes.
std::optional<TypeKind> SourceKind(const arrow::DataType& type) {
  if (type.id() == arrow::Type::HALF_FLOAT) return TypeKind::kReal;
  if (arrow::is_decimal(type.id())) return TypeKind::kDecimal;  // also of scales that no column has
  return KindOf(type);
}

bool IsNumeric(TypeKind kind) {
  return kind == TypeKind::kInteger || kind == TypeKind::kReal || kind == TypeKind::kDecimal ||
         kind == TypeKind::kHugeint;
}

// Moments and times on a clock are two things.
bool IsOtherTimestamp(const arrow::DataType& from, const ColumnType& to) {
  return from.id() == arrow::Type::TIMESTAMP && to.id == TypeId::kTimestamp &&
         checked_cast<const arrow::TimestampType&>(from).timezone().empty() != to.timezone.empty();
}

bool HasCast(const arrow::DataType& type, const ColumnType& column) {
  if (type.id() == arrow::Type::NA) return true;
  const std::optional<TypeKind> from = SourceKind(type);
  const TypeKind to = KindOf(column);
  if (!from.has_value() || IsOtherTimestamp(type, column)) return false;
  if (column.is_nested()) return *from == TypeKind::kNested;
  if (*from == to || *from == TypeKind::kText) return true;
  if (*from == TypeKind::kBinary) return to == TypeKind::kText || to == TypeKind::kUuid;
  if (IsNumeric(*from) && IsNumeric(to)) return true;
  return *from == TypeKind::kInteger && IsTemporal(column);
}

arrow::Status NoCast(const arrow::DataType& from, const ColumnType& to) {
  const bool is_zone = IsOtherTimestamp(from, to);
  return arrow::Status::TypeError("no cast from ", from.ToString(), " to ", to.ToString(),
                                  is_zone ? ": a moment and the time on a clock are not the same; say of which time "
                                            "zone the values are"
                                          : "");
}

// Whether Arrow's safe cast gives equal values or an error; where it fails, the values are looked at one by one.
bool IsArrowExact(const arrow::DataType& from, const ColumnType& to) {
  const std::optional<TypeKind> kind = SourceKind(from);
  if (!kind.has_value()) return false;
  switch (*kind) {
    case TypeKind::kInteger:
      return IsNumeric(KindOf(to)) && KindOf(to) != TypeKind::kHugeint;
    case TypeKind::kReal:
      return to.id == TypeId::kDouble || (to.id == TypeId::kFloat && from.id() != arrow::Type::DOUBLE);
    case TypeKind::kDecimal:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
      return KindOf(to) == *kind;
    default:
      return false;
  }
}

ArrayResult ArrowCast(const arrow::Array& array, const std::shared_ptr<arrow::DataType>& to) {
  return arrow::compute::Cast(array, to, arrow::compute::CastOptions::Safe());
}

ArrayResult CastAtOnce(const arrow::Array& array, const ColumnType& type) {
  // Arrow asks whether every integer would fit; whether those that are there do is found out on the way through a
  // decimal that takes them all.
  constexpr int32_t kUInt64Digits = 20;
  if (type.id == TypeId::kDecimal128 && arrow::is_integer(array.type_id())) {
    ARROW_ASSIGN_OR_RAISE(const auto exact, ArrowCast(array, arrow::decimal128(kUInt64Digits, 0)));
    return ArrowCast(*exact, StorageType(type));
  }
  return ArrowCast(array, StorageType(type));
}

template <class ArrayType>
auto CellAt(const arrow::Array& array, int64_t i) {
  return checked_cast<const ArrayType&>(array).GetView(i);
}

std::string_view BytesAt(const arrow::Array& array, int64_t i) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return CellAt<arrow::BinaryArray>(array, i);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return CellAt<arrow::LargeBinaryArray>(array, i);
    default:
      return CellAt<arrow::FixedSizeBinaryArray>(array, i);
  }
}

// Cell i, which is not NULL, as a value of the column.
arrow::Result<Value> ValueAt(const arrow::Array& array, int64_t i, const ColumnType& type) {
  switch (array.type_id()) {
    case arrow::Type::HALF_FLOAT:
      return Value(arrow::util::Float16::FromBits(CellAt<arrow::HalfFloatArray>(array, i)).ToFloat()).CastTo(type);
    case arrow::Type::FLOAT:
      return Value(CellAt<arrow::FloatArray>(array, i)).CastTo(type);
    case arrow::Type::DOUBLE:
      return Value(CellAt<arrow::DoubleArray>(array, i)).CastTo(type);
    case arrow::Type::INT32:
      return Value(CellAt<arrow::Int32Array>(array, i)).CastTo(type);
    case arrow::Type::INT64:
      return Value(CellAt<arrow::Int64Array>(array, i)).CastTo(type);
    case arrow::Type::TIMESTAMP: {
      const int64_t count = CellAt<arrow::TimestampArray>(array, i);
      const auto unit = checked_cast<const arrow::TimestampType&>(*array.type()).unit();
      if (const auto units = ConvertUnits(count, static_cast<TimeUnit>(unit), type.unit)) return Value(*units);
      return arrow::Status::Invalid("it has no exact form there");
    }
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
      return Value::Parse(BytesAt(array, i), type);
    default: {
      ARROW_ASSIGN_OR_RAISE(const auto scalar, array.GetScalar(i));
      return Value::FromScalar(*scalar, type);
    }
  }
}

// As texts are: the number of the label, not NULL.
arrow::Result<Value> LabelAt(const arrow::Array& array, int64_t i, const ColumnType& type,
                             const std::unordered_map<std::string_view, uint64_t>& numbers) {
  const auto found = numbers.find(BytesAt(array, i));
  if (found == numbers.end()) return Value::Parse(BytesAt(array, i), type);
  return Value(found->second);
}

std::unordered_map<std::string_view, uint64_t> NumbersOfLabels(const ColumnType& type) {
  std::unordered_map<std::string_view, uint64_t> numbers;
  for (const std::string& label : type.labels()) numbers.emplace(label, numbers.size());
  return numbers;
}

bool IsTexts(const arrow::Array& array) {
  return array.type_id() == arrow::Type::STRING || array.type_id() == arrow::Type::LARGE_STRING;
}

std::string Describe(const arrow::Array& array, int64_t row, const ColumnType& type, const arrow::Status& why) {
  const auto scalar = array.GetScalar(row);
  const std::string value = scalar.ok() ? (*scalar)->ToString() : "?";
  return "value " + value + " of type " + array.type()->ToString() + " does not fit " + type.ToString() + ": " +
         why.message();
}

ArrayResult CastOneByOne(const arrow::Array& array, const ColumnType& type, Misfit* misfit) {
  const int64_t rows = array.length();
  const bool is_bool = type.id == TypeId::kBool;
  const int64_t width = type.fixed_width();
  ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(is_bool ? arrow::bit_util::BytesForBits(rows) : rows * width));
  uint8_t* const out = values->mutable_data();
  if (values->size() > 0) std::memset(out, 0, static_cast<size_t>(values->size()));
  const bool are_labels = type.id == TypeId::kEnum && IsTexts(array);
  const auto numbers = are_labels ? NumbersOfLabels(type) : std::unordered_map<std::string_view, uint64_t>();
  for (int64_t i = 0; i < rows; ++i) {
    if (array.IsNull(i)) continue;
    const auto value = are_labels ? LabelAt(array, i, type, numbers) : ValueAt(array, i, type);
    if (!value.ok()) {
      *misfit = {i, Describe(array, i, type, value.status())};
      return value.status();
    }
    if (is_bool) {
      arrow::bit_util::SetBitTo(out, i, value->get<bool>());
    } else {
      ARROW_RETURN_NOT_OK(StoreFixedValue(*value, type, reinterpret_cast<char*>(out) + i * width));
    }
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (array.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                                                array.offset(), rows));
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(StorageType(type), rows, {std::move(validity), values}, array.null_count()));
}

// Texts as the bytes of a BIT or BIGNUM.
ArrayResult ParseBytes(const arrow::Array& texts, const ColumnType& type, Misfit* misfit) {
  arrow::BinaryBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(texts.length()));
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const auto value = ValueAt(texts, i, type);
    if (!value.ok()) {
      *misfit = {i, Describe(texts, i, type, value.status())};
      return value.status();
    }
    ARROW_RETURN_NOT_OK(builder.Append(value->get<std::string>()));
  }
  return builder.Finish();
}

// Bytes that SQL and segments hand over as those of values.
ArrayResult CheckedBytes(const std::shared_ptr<arrow::Array>& array, const ColumnType& type, Misfit* misfit) {
  const auto& values = checked_cast<const arrow::BinaryArray&>(*array);
  for (int64_t i = 0; i < values.length(); ++i) {
    const char* const flaw = values.IsNull(i) ? nullptr : CheckVariableBytes(type, values.GetView(i));
    if (flaw == nullptr) continue;
    *misfit = {i, std::string("the bytes are no ") + type.ToString() + ": " + flaw};
    return arrow::Status::Invalid(misfit->message);
  }
  return array;
}

// 16 bytes each, as the values of a type that lies so.
ArrayResult ToSixteenBytes(const arrow::Array& array, const ColumnType& type) {
  const auto& values = checked_cast<const arrow::BinaryArray&>(array);
  arrow::FixedSizeBinaryBuilder builder(StorageType(type));
  ARROW_RETURN_NOT_OK(builder.Reserve(values.length()));
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsNull(i)) {
      builder.UnsafeAppendNull();
    } else if (values.GetView(i).size() == sizeof(Uuid)) {
      builder.UnsafeAppend(values.GetView(i));
    } else {
      return NoCast(*array.type(), type);
    }
  }
  return builder.Finish();
}

// Text and bytes for a column of either: no byte changes. Whether they are UTF-8 is asked of each row.
ArrayResult AsTexts(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() == arrow::Type::STRING || array->type_id() == arrow::Type::BINARY) return array;
  const bool is_text = array->type_id() == arrow::Type::STRING_VIEW || array->type_id() == arrow::Type::LARGE_STRING;
  return ArrowCast(*array, is_text ? arrow::utf8() : arrow::binary());
}

bool AreBytesChecked(const ColumnType& type) {
  return type.id == TypeId::kGeometry || (type.is_variable() && !IsBatchTypeArrow(type) && !IsText(type));
}

bool AreSixteenBytes(const ColumnType& type) {
  return KindOf(type) == TypeKind::kHugeint || KindOf(type) == TypeKind::kInterval;
}

// Without dictionaries and extension types.
ArrayResult Unpack(const std::shared_ptr<arrow::Array>& array, const ColumnType& type) {
  if (array->type_id() == arrow::Type::EXTENSION) {
    const auto& extension = checked_cast<const arrow::ExtensionArray&>(*array);
    const std::string name = checked_cast<const arrow::ExtensionType&>(*array->type()).extension_name();
    const bool is_known = name == (type.id == TypeId::kUuid ? "arrow.uuid" : "arrow.json");
    return is_known ? Unpack(extension.storage(), type) : NoCast(*array->type(), type);
  }
  if (array->type_id() != arrow::Type::DICTIONARY) return array;
  ARROW_RETURN_NOT_OK(array->ValidateFull());  // that every index is one of a value
  const auto& values = checked_cast<const arrow::DictionaryType&>(*array->type()).value_type();
  ARROW_ASSIGN_OR_RAISE(const auto unpacked, ArrowCast(*array, values));
  return Unpack(unpacked, type);
}

}  // namespace

arrow::Status RegisterKernels() {
  static const arrow::Status status = arrow::compute::Initialize();
  return status;
}

std::shared_ptr<arrow::DataType> StorageType(const ColumnType& type) {
  return type.id == TypeId::kUuid ? arrow::fixed_size_binary(16) : BatchType(type);
}

ArrayResult ExactCast(const std::shared_ptr<arrow::Array>& array, const ColumnType& type, Misfit* misfit) {
  ARROW_RETURN_NOT_OK(RegisterKernels());
  ARROW_RETURN_NOT_OK(array->Validate());
  ARROW_ASSIGN_OR_RAISE(const auto plain, Unpack(array, type));
  const auto storage = StorageType(type);
  if (plain->type()->Equals(*storage)) return AreBytesChecked(type) ? CheckedBytes(plain, type, misfit) : plain;
  if (plain->type_id() == arrow::Type::BINARY && AreSixteenBytes(type)) return ToSixteenBytes(*plain, type);
  if (!HasCast(*plain->type(), type)) return NoCast(*array->type(), type);
  if (plain->type_id() == arrow::Type::NA) return arrow::MakeArrayOfNull(storage, plain->length());
  if (type.is_nested()) return EncodeNested(plain, type, misfit);
  if (AreBytesChecked(type)) {
    ARROW_ASSIGN_OR_RAISE(const auto texts, AsTexts(plain));
    return ParseBytes(*texts, type, misfit);
  }
  if (type.is_variable()) return AsTexts(plain);
  if (IsArrowExact(*plain->type(), type)) {
    auto cast = CastAtOnce(*plain, type);
    if (cast.ok()) return cast;
  }
  const bool is_view = arrow::is_binary_view_like(plain->type_id());
  if (!is_view) return CastOneByOne(*plain, type, misfit);
  ARROW_ASSIGN_OR_RAISE(const auto texts, AsTexts(plain));
  return CastOneByOne(*texts, type, misfit);
}

}  // namespace yarrow::batch
