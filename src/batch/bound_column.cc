#include "batch/bound_column.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "batch/exact_cast.h"
#include "type/field_value.h"

namespace yarrow::batch {
namespace {

// Arrays of other programs may say anything.
arrow::Status CheckEnds(const int32_t* ends, int64_t rows, int64_t bytes) {
  if (rows == 0) return arrow::Status::OK();
  bool is_in_order = ends[0] >= 0 && ends[rows] <= bytes;
  for (int64_t i = 0; i < rows; ++i) is_in_order &= ends[i] <= ends[i + 1];
  return is_in_order ? arrow::Status::OK() : arrow::Status::Invalid("the offsets of its texts are damaged");
}

arrow::Result<BoundColumn> Bind(std::shared_ptr<arrow::Array> array, const ColumnType& type) {
  const arrow::ArrayData& data = *array->data();
  BoundColumn bound;
  bound.bit_offset = data.offset;
  if (array->null_count() > 0) bound.validity = array->null_bitmap_data();
  if (type.is_variable()) {
    bound.ends = data.GetValues<int32_t>(1);
    bound.values = data.GetValues<uint8_t>(2, 0);
    const int64_t bytes = data.buffers[2] == nullptr ? 0 : data.buffers[2]->size();
    ARROW_RETURN_NOT_OK(CheckEnds(bound.ends, array->length(), bytes));
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
  if (type.is_variable()) return Value(Text(i));
  if (type.id == TypeId::kBool) return Value(Bit(i));
  return LoadFixedValue(type, reinterpret_cast<const char*>(values) + i * type.fixed_width());
}

arrow::Result<Value> ReadCell(const arrow::Array& array, const ColumnType& type, int64_t i) {
  if (array.IsNull(i)) return Value::Null();
  const arrow::ArrayData& data = *array.data();
  if (type.is_variable()) {
    const auto* ends = data.GetValues<int32_t>(1) + i;
    const auto* text = reinterpret_cast<const char*>(data.GetValues<uint8_t>(2, 0));
    return Value(std::string_view(text + ends[0], static_cast<size_t>(ends[1] - ends[0])));
  }
  const auto* values = reinterpret_cast<const char*>(data.GetValues<uint8_t>(1, 0));
  if (type.id == TypeId::kBool) return Value(arrow::bit_util::GetBit(data.GetValues<uint8_t>(1, 0), data.offset + i));
  const char* const bytes = values + (data.offset + i) * type.fixed_width();
  if (const char* wrong = CheckFixedBytes(type, bytes)) return arrow::Status::Invalid(wrong);
  return LoadFixedValue(type, bytes);
}

arrow::Result<BoundColumn> BindColumn(const std::shared_ptr<arrow::Array>& array, const ColumnType& type,
                                      Misfit* misfit) {
  ARROW_ASSIGN_OR_RAISE(auto cast, ExactCast(array, type, misfit));
  return Bind(std::move(cast), type);
}

}  // namespace yarrow::batch
