#include "batch/bound_column.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

namespace yarrow::batch {
namespace {

using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

// Arrow's kernels are registered once a process.
arrow::Status InitializeCompute() {
  static const arrow::Status status = arrow::compute::Initialize();
  return status;
}

// The type whose buffers a column of `type` has: that of the storage for UUIDs.
std::shared_ptr<arrow::DataType> StorageType(const ColumnType& type) {
  return type.id == TypeId::kUuid ? arrow::fixed_size_binary(16) : type.ToArrow();
}

std::shared_ptr<arrow::Array> Storage(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() != arrow::Type::EXTENSION) return array;
  return arrow::internal::checked_cast<const arrow::ExtensionArray&>(*array).storage();
}

// Arrow parses text to every type but UUID.
ArrayResult ParseUuids(const arrow::Array& array) {
  const auto& text = arrow::internal::checked_cast<const arrow::StringArray&>(array);
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(16));
  for (int64_t i = 0; i < text.length(); ++i) {
    if (text.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const Value value, Value::Parse(text.GetView(i), TypeId::kUuid));
    ARROW_RETURN_NOT_OK(builder.Append(value.get<Uuid>().bytes.data()));
  }
  return builder.Finish();
}

ArrayResult CastTo(const std::shared_ptr<arrow::Array>& array, const ColumnType& type) {
  const auto to = StorageType(type);
  if (array->type()->Equals(*to)) return array;
  const auto options = arrow::compute::CastOptions::Safe();
  if (array->type_id() == arrow::Type::DICTIONARY) {
    const auto& values = arrow::internal::checked_cast<const arrow::DictionaryType&>(*array->type()).value_type();
    ARROW_ASSIGN_OR_RAISE(const auto decoded, arrow::compute::Cast(*array, values, options));
    return CastTo(decoded, type);
  }
  const bool is_text = arrow::is_binary_like(array->type_id()) || arrow::is_large_binary_like(array->type_id()) ||
                       arrow::is_binary_view_like(array->type_id());
  if (type.id == TypeId::kUuid && is_text) {
    ARROW_ASSIGN_OR_RAISE(const auto text, CastTo(array, TypeId::kUtf8));
    return ParseUuids(*text);
  }
  // Arrow asks whether every integer would fit; whether those that are there do is found out on the way through a
  // decimal that takes them all.
  constexpr int32_t kUInt64Digits = 20;
  if (type.id == TypeId::kDecimal128 && arrow::is_integer(array->type_id())) {
    ARROW_ASSIGN_OR_RAISE(const auto exact, arrow::compute::Cast(*array, arrow::decimal128(kUInt64Digits, 0), options));
    return arrow::compute::Cast(*exact, to, options);
  }
  return arrow::compute::Cast(*array, to, options);
}

std::string DescribeMisfit(const arrow::Array& array, int64_t row, const ColumnType& type, const arrow::Status& why) {
  const auto scalar = array.GetScalar(row);
  const std::string value = scalar.ok() ? (*scalar)->ToString() : "?";
  return "value " + value + " of type " + array.type()->ToString() + " does not fit " + type.ToString() + ": " +
         why.message();
}

// Halves [begin, end), whose cast fails, down to its first row that does.
int64_t FirstMisfit(const std::shared_ptr<arrow::Array>& array, const ColumnType& type, arrow::Status* why) {
  int64_t begin = 0;
  int64_t end = array->length();
  while (end - begin > 1) {
    const int64_t middle = begin + (end - begin) / 2;
    const arrow::Status left = CastTo(array->Slice(begin, middle - begin), type).status();
    if (left.ok()) {
      begin = middle;
    } else {
      end = middle;
      *why = left;
    }
  }
  return begin;
}

BoundColumn Bind(std::shared_ptr<arrow::Array> array, const ColumnType& type) {
  const arrow::ArrayData& data = *array->data();
  BoundColumn bound;
  bound.bit_offset = data.offset;
  if (array->null_count() > 0) bound.validity = array->null_bitmap_data();
  if (type.is_variable()) {
    bound.ends = data.GetValues<int32_t>(1);
    bound.values = data.GetValues<uint8_t>(2, 0);
  } else if (type.id == TypeId::kBool) {
    bound.values = data.GetValues<uint8_t>(1, 0);
  } else if (const auto* values = data.GetValues<uint8_t>(1, 0); values != nullptr) {
    bound.values = values + data.offset * type.fixed_width();
  }
  bound.array = std::move(array);
  return bound;
}

}  // namespace

Value BoundColumn::GetValue(const ColumnType& type, int64_t i) const {
  if (IsNull(i)) return Value::Null();
  const auto scalar = array->GetScalar(i);
  if (!scalar.ok()) return Value::Null();
  return Value::FromScalar(**scalar, type).ValueOr(Value((*scalar)->ToString()));
}

arrow::Result<BoundColumn> BindColumn(const std::shared_ptr<arrow::Array>& array, const ColumnType& type,
                                      Misfit* misfit) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  const std::shared_ptr<arrow::Array> storage = Storage(array);
  arrow::Result<std::shared_ptr<arrow::Array>> cast = CastTo(storage, type);
  if (cast.ok()) return Bind(*std::move(cast), type);
  // A pair of types without a cast fails for no row at all.
  const arrow::Status empty = CastTo(storage->Slice(0, 0), type).status();
  if (!empty.ok()) return arrow::Status::Invalid("no cast from ", array->type()->ToString(), " to ", type.ToString());
  arrow::Status why = cast.status();
  misfit->row = FirstMisfit(storage, type, &why);
  misfit->message = DescribeMisfit(*storage, misfit->row, type, why);
  return cast.status();
}

}  // namespace yarrow::batch
