#include "type/value_array.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer_builder.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <utility>
#include <vector>

#include "type/type_traits.h"

namespace yarrow {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using ArrayResult = arrow::Result<ArrayPtr>;

arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityOf(std::span<const Value> values) {
  arrow::TypedBufferBuilder<bool> bits;
  for (const Value& value : values) ARROW_RETURN_NOT_OK(bits.Append(!value.is_null()));
  if (bits.false_count() == 0) return nullptr;
  return bits.Finish();
}

// Arrow makes no arrays of extension types from scalars: their storage is made.
ArrayResult OfLeaves(std::span<const Value> values, const ColumnType& type) {
  const auto wanted = type.ToArrow();
  if (values.empty()) return arrow::MakeEmptyArray(wanted);
  const bool is_extension = wanted->id() == arrow::Type::EXTENSION;
  const auto storage =
      is_extension ? arrow::internal::checked_cast<const arrow::ExtensionType&>(*wanted).storage_type() : wanted;
  arrow::ArrayVector cells;
  for (const Value& value : values) {
    ARROW_ASSIGN_OR_RAISE(auto scalar, value.is_null() ? arrow::MakeNullScalar(storage) : value.ToScalar(type));
    if (is_extension && !value.is_null()) {
      scalar = arrow::internal::checked_cast<const arrow::ExtensionScalar&>(*scalar).value;
    }
    ARROW_ASSIGN_OR_RAISE(cells.emplace_back(), arrow::MakeArrayFromScalar(*scalar, 1));
  }
  ARROW_ASSIGN_OR_RAISE(auto array, arrow::Concatenate(cells));
  return is_extension ? arrow::ExtensionType::WrapArray(wanted, std::move(array)) : array;
}

ArrayResult OfStructs(std::span<const Value> values, const ColumnType& type) {
  const ColumnType& layout = LayoutOf(type);
  std::vector<std::vector<Value>> fields(layout.members().size());
  for (const Value& value : values) {
    std::vector<Value> parts(fields.size());
    if (!value.is_null()) {
      ARROW_ASSIGN_OR_RAISE(parts, value.Parts(layout));
    }
    for (size_t f = 0; f < fields.size(); ++f) fields[f].push_back(std::move(parts[f]));
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (size_t f = 0; f < fields.size(); ++f) {
    ARROW_ASSIGN_OR_RAISE(const auto field, ArrayOfValues(fields[f], layout.members()[f].type));
    children.push_back(field->data());
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(values));
  return arrow::MakeArray(arrow::ArrayData::Make(type.ToArrow(), static_cast<int64_t>(values.size()),
                                                 {std::move(validity)}, std::move(children)));
}

ArrayResult OfLists(std::span<const Value> values, const ColumnType& type) {
  const ColumnType& layout = LayoutOf(type);
  const auto wanted = type.ToArrow();
  arrow::TypedBufferBuilder<int32_t> ends;
  std::vector<Value> elements;
  for (const Value& value : values) {
    ARROW_RETURN_NOT_OK(ends.Append(static_cast<int32_t>(elements.size())));
    std::vector<Value> parts(type.array_size());  // of a NULL
    if (!value.is_null()) {
      ARROW_ASSIGN_OR_RAISE(parts, value.Parts(layout));
    }
    for (Value& part : parts) elements.push_back(std::move(part));
  }
  ARROW_RETURN_NOT_OK(ends.Append(static_cast<int32_t>(elements.size())));
  ARROW_ASSIGN_OR_RAISE(const auto array, ArrayOfValues(elements, layout.members()[0].type));
  auto child = array->data()->Copy();
  child->type = wanted->field(0)->type();  // in a map keys are never NULL
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(1);
  ARROW_ASSIGN_OR_RAISE(buffers[0], ValidityOf(values));
  if (type.id != TypeId::kArray) {
    ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), ends.Finish());
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(wanted, static_cast<int64_t>(values.size()), std::move(buffers), {std::move(child)}));
}

}  // namespace

ArrayResult ArrayOfValues(std::span<const Value> values, const ColumnType& type) {
  if (!type.is_nested()) return OfLeaves(values, type);
  return LayoutOf(type).id == TypeId::kStruct ? OfStructs(values, type) : OfLists(values, type);
}

}  // namespace yarrow
