#include "batch/validate.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <memory>
#include <utility>
#include <vector>

namespace yarrow::batch {
namespace {

using arrow::internal::checked_cast;
using DataType = std::shared_ptr<arrow::DataType>;
using Field = std::shared_ptr<arrow::Field>;

bool HasTimes(const arrow::DataType& type) {
  if (type.id() == arrow::Type::TIME64) return true;
  for (const Field& field : type.fields()) {
    if (HasTimes(*field->type())) return true;
  }
  return false;
}

// The type with integers where times of day are.
DataType WithIntegers(const DataType& type) {
  std::vector<Field> fields;
  for (const Field& field : type->fields()) fields.push_back(field->WithType(WithIntegers(field->type())));
  switch (type->id()) {
    case arrow::Type::TIME64:
      return arrow::int64();
    case arrow::Type::LIST:
      return arrow::list(fields[0]);
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(fields[0]);
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(fields[0], checked_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case arrow::Type::STRUCT:
      return arrow::struct_(fields);
    case arrow::Type::MAP:
      return std::make_shared<arrow::MapType>(fields[0]);
    case arrow::Type::SPARSE_UNION:
      return arrow::sparse_union(fields, checked_cast<const arrow::UnionType&>(*type).type_codes());
    case arrow::Type::DENSE_UNION:
      return arrow::dense_union(fields, checked_cast<const arrow::UnionType&>(*type).type_codes());
    default:
      return type;
  }
}

std::shared_ptr<arrow::ArrayData> Retyped(const arrow::ArrayData& data, const DataType& type) {
  auto retyped = data.Copy();
  retyped->type = type;
  for (size_t i = 0; i < retyped->child_data.size(); ++i) {
    retyped->child_data[i] = Retyped(*data.child_data[i], type->field(static_cast<int>(i))->type());
  }
  return retyped;
}

}  // namespace

arrow::Status ValidateInFull(const arrow::Array& array) {
  if (!HasTimes(*array.type())) return array.ValidateFull();
  return arrow::MakeArray(Retyped(*array.data(), WithIntegers(array.type())))->ValidateFull();
}

arrow::Status ValidateInFull(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(batch.Validate());
  for (const auto& column : batch.columns()) ARROW_RETURN_NOT_OK(ValidateInFull(*column));
  return arrow::Status::OK();
}

}  // namespace yarrow::batch
