#include "cold/segment_schema.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/key_value_metadata.h>

#include <charconv>
#include <utility>

#include "batch/bound_column.h"
#include "batch/exact_cast.h"

namespace yarrow::cold {
namespace {

constexpr const char* kFieldIdKey = "PARQUET:field_id";

std::shared_ptr<arrow::Field> MakeField(const RowColumn& column) {
  auto metadata = arrow::key_value_metadata({kFieldIdKey}, {std::to_string(column.id)});
  return arrow::field(column.name, StoredType(column.type).ToArrow(), column.nullable, std::move(metadata));
}

}  // namespace

ColumnType StoredType(const ColumnType& type) {
  ColumnType stored = type;
  if (type.id == TypeId::kTimestamp && type.unit == TimeUnit::kSecond) stored.unit = TimeUnit::kMilli;
  return stored;
}

std::shared_ptr<arrow::Schema> SegmentArrowSchema(const RowSchema& row_schema) {
  arrow::FieldVector fields;
  for (const RowColumn& column : row_schema.columns()) fields.push_back(MakeField(column));
  return arrow::schema(std::move(fields));
}

std::optional<uint32_t> FieldId(const arrow::Field& field) {
  if (!field.HasMetadata()) return std::nullopt;
  const auto text = field.metadata()->Get(kFieldIdKey);
  if (!text.ok()) return std::nullopt;
  uint32_t id = 0;
  const char* const last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, id);
  if (error != std::errc() || end != last) return std::nullopt;
  return id;
}

arrow::Result<std::shared_ptr<arrow::Array>> ToStored(const std::shared_ptr<arrow::Array>& array,
                                                      const ColumnType& type) {
  const ColumnType stored = StoredType(type);
  if (stored == type) return array;
  batch::Misfit misfit{-1, {}};
  auto cast = batch::ExactCast(array, stored, &misfit);
  return cast.ok() || misfit.row < 0 ? cast : cast.status().WithMessage(misfit.message);
}

arrow::Result<std::shared_ptr<arrow::Array>> FromStored(const std::shared_ptr<arrow::Array>& array,
                                                        const ColumnType& type) {
  const std::shared_ptr<arrow::DataType> wanted = type.ToArrow();
  if (array->type()->Equals(*wanted)) return array;
  batch::Misfit misfit{-1, {}};
  auto bound = batch::BindColumn(array, type, &misfit);
  if (!bound.ok()) {
    return bound.status().WithMessage(misfit.row < 0 ? bound.status().message() : misfit.message);
  }
  if (type.id != TypeId::kUuid) return std::move(bound->array);
  return arrow::ExtensionType::WrapArray(wanted, bound->array);
}

arrow::Result<std::shared_ptr<arrow::Array>> RepeatValue(const Value& value, const ColumnType& type, int64_t rows) {
  const std::shared_ptr<arrow::DataType> wanted = type.ToArrow();
  const bool is_uuid = type.id == TypeId::kUuid;
  const std::shared_ptr<arrow::DataType> storage = is_uuid ? arrow::fixed_size_binary(16) : wanted;
  std::shared_ptr<arrow::Array> array;
  if (value.is_null()) {
    ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayOfNull(storage, rows));
  } else {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, value.ToScalar(type));
    if (is_uuid) scalar = arrow::internal::checked_cast<const arrow::ExtensionScalar&>(*scalar).value;
    ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayFromScalar(*scalar, rows));
  }
  return is_uuid ? arrow::ExtensionType::WrapArray(wanted, array) : array;
}

}  // namespace yarrow::cold
