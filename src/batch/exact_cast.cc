#include "batch/exact_cast.h"

#include <arrow/array.h>
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
#include <string_view>
#include <utility>

#include "row/field_value.h"
#include "type/calendar.h"

namespace yarrow::batch {
namespace {

using arrow::internal::checked_cast;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

// Values of one kind may go into one another.
enum class Kind {
  kNone,
  kNull,
  kBool,
  kInteger,
  kReal,
  kDecimal,
  kText,
  kBytes,
  kDate,
  kTime,
  kLocal,
  kInstant,
  kUuid
};

Kind KindOf(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return Kind::kBool;
    case TypeId::kFloat:
    case TypeId::kDouble:
      return Kind::kReal;
    case TypeId::kDecimal128:
      return Kind::kDecimal;
    case TypeId::kUtf8:
      return Kind::kText;
    case TypeId::kBinary:
      return Kind::kBytes;
    case TypeId::kDate32:
      return Kind::kDate;
    case TypeId::kTime64:
      return Kind::kTime;
    case TypeId::kTimestamp:
      return type.timezone.empty() ? Kind::kLocal : Kind::kInstant;
    case TypeId::kUuid:
      return Kind::kUuid;
    default:
      return Kind::kInteger;
  }
}

Kind KindOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::NA) return Kind::kNull;
  if (type.id() == arrow::Type::HALF_FLOAT) return Kind::kReal;
  const auto column = ColumnType::FromArrow(type);
  if (column.ok()) return KindOf(*column);
  return arrow::is_decimal(type.id()) ? Kind::kDecimal : Kind::kNone;  // also of scales that no column has
}

bool IsNumeric(Kind kind) {
  return kind == Kind::kInteger || kind == Kind::kReal || kind == Kind::kDecimal;
}

bool HasCast(Kind from, Kind to) {
  if (from == Kind::kNone) return false;
  if (from == to || from == Kind::kNull || from == Kind::kText) return true;
  if (from == Kind::kBytes) return to == Kind::kText || to == Kind::kUuid;
  if (IsNumeric(from) && IsNumeric(to)) return true;
  return from == Kind::kInteger &&
         (to == Kind::kDate || to == Kind::kTime || to == Kind::kLocal || to == Kind::kInstant);
}

arrow::Status NoCast(const arrow::DataType& from, const ColumnType& to) {
  const bool is_zone = from.id() == arrow::Type::TIMESTAMP && to.id == TypeId::kTimestamp;
  return arrow::Status::TypeError("no cast from ", from.ToString(), " to ", to.ToString(),
                                  is_zone ? ": a moment and the time on a clock are not the same; say of which time "
                                            "zone the values are"
                                          : "");
}

// Whether Arrow's safe cast gives equal values or an error; where it fails, the values are looked at one by one.
bool IsArrowExact(const arrow::DataType& from, const ColumnType& to) {
  switch (KindOf(from)) {
    case Kind::kInteger:
      return IsNumeric(KindOf(to));
    case Kind::kReal:
      return to.id == TypeId::kDouble || (to.id == TypeId::kFloat && from.id() != arrow::Type::DOUBLE);
    case Kind::kDecimal:
      return to.id == TypeId::kDecimal128;
    case Kind::kTime:
    case Kind::kLocal:
    case Kind::kInstant:
      return KindOf(to) == KindOf(from);
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
  for (int64_t i = 0; i < rows; ++i) {
    if (array.IsNull(i)) continue;
    const auto value = ValueAt(array, i, type);
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

// Text and bytes for a column of either: no byte changes. Whether they are UTF-8 is asked of each row.
ArrayResult AsTexts(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() == arrow::Type::STRING || array->type_id() == arrow::Type::BINARY) return array;
  const bool is_text = array->type_id() == arrow::Type::STRING_VIEW || array->type_id() == arrow::Type::LARGE_STRING;
  return ArrowCast(*array, is_text ? arrow::utf8() : arrow::binary());
}

// Without dictionaries and extension types.
ArrayResult Unpack(const std::shared_ptr<arrow::Array>& array, const ColumnType& type) {
  if (array->type_id() == arrow::Type::EXTENSION) {
    const auto& extension = checked_cast<const arrow::ExtensionArray&>(*array);
    const std::string name = checked_cast<const arrow::ExtensionType&>(*array->type()).extension_name();
    const bool is_known = type.id == TypeId::kUuid ? name == "arrow.uuid" : name == "arrow.json";
    return is_known ? Unpack(extension.storage(), type) : NoCast(*array->type(), type);
  }
  if (array->type_id() != arrow::Type::DICTIONARY) return array;
  ARROW_RETURN_NOT_OK(array->ValidateFull());  // that every index is one of a value
  const auto& values = checked_cast<const arrow::DictionaryType&>(*array->type()).value_type();
  ARROW_ASSIGN_OR_RAISE(const auto unpacked, ArrowCast(*array, values));
  return Unpack(unpacked, type);
}

arrow::Status InitializeCompute() {
  static const arrow::Status status = arrow::compute::Initialize();  // registers the kernels, once a process
  return status;
}

}  // namespace

std::shared_ptr<arrow::DataType> StorageType(const ColumnType& type) {
  return type.id == TypeId::kUuid ? arrow::fixed_size_binary(16) : type.ToArrow();
}

ArrayResult ExactCast(const std::shared_ptr<arrow::Array>& array, const ColumnType& type, Misfit* misfit) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  ARROW_RETURN_NOT_OK(array->Validate());
  ARROW_ASSIGN_OR_RAISE(const auto plain, Unpack(array, type));
  const auto storage = StorageType(type);
  if (plain->type()->Equals(*storage)) return plain;
  const Kind from = KindOf(*plain->type());
  if (!HasCast(from, KindOf(type))) return NoCast(*array->type(), type);
  if (from == Kind::kNull) return arrow::MakeArrayOfNull(storage, plain->length());
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
