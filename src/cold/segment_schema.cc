#include "cold/segment_schema.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/key_value_metadata.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "batch/array_form.h"
#include "batch/bound_column.h"
#include "type/field_value.h"
#include "type/type_traits.h"

namespace yarrow::cold {
namespace {

constexpr const char* kFieldIdKey = "PARQUET:field_id";

std::shared_ptr<const arrow::KeyValueMetadata> WithFieldId(int64_t id) {
  return arrow::key_value_metadata({kFieldIdKey}, {std::to_string(id)});
}

// Gives the parts of a type of Parquet's their field ids.
class PartNumbering {
 public:
  explicit PartNumbering(uint32_t column_id) : column_id_(column_id) {}

  std::shared_ptr<arrow::DataType> Number(const std::shared_ptr<arrow::DataType>& type) {
    switch (type->id()) {
      case arrow::Type::LIST:
        return arrow::list(NumberField(type->field(0)));
      case arrow::Type::MAP: {
        const auto& map = arrow::internal::checked_cast<const arrow::MapType&>(*type);
        auto key = NumberField(map.key_field());
        auto value = NumberField(map.item_field());
        return std::make_shared<arrow::MapType>(std::move(key), std::move(value));
      }
      case arrow::Type::STRUCT: {
        arrow::FieldVector fields;
        for (const auto& field : type->fields()) fields.push_back(NumberField(field));
        return arrow::struct_(std::move(fields));
      }
      default:
        return type;
    }
  }

 private:
  std::shared_ptr<arrow::Field> NumberField(const std::shared_ptr<arrow::Field>& field) {
    const std::optional<int32_t> id = PartFieldId(column_id_, ++number_);
    auto numbered = field->WithType(Number(field->type()));
    return id ? numbered->WithMetadata(WithFieldId(*id)) : numbered;
  }

  const uint32_t column_id_;
  int number_ = 0;
};

std::shared_ptr<arrow::Field> MakeField(const RowColumn& column) {
  auto type = PartNumbering(column.id).Number(batch::TypeOfForm(column.type, batch::ArrayForm::kParquet));
  return arrow::field(column.name, std::move(type), column.nullable, WithFieldId(column.id));
}

int LeavesOf(const arrow::DataType& type) {
  if (type.num_fields() == 0) return 1;
  int leaves = 0;
  for (const auto& field : type.fields()) leaves += LeavesOf(*field->type());
  return leaves;
}

// The value, not NULL, as a scalar of the type's batches. REQUIRES: !IsBatchTypeArrow(type).
arrow::Result<std::shared_ptr<arrow::Scalar>> BatchScalar(const Value& value, const ColumnType& type) {
  const auto wanted = BatchType(type);
  if (type.is_variable()) return arrow::MakeScalar(wanted, arrow::Buffer::FromString(value.get<std::string>()));
  char bytes[16];
  ARROW_RETURN_NOT_OK(StoreFixedValue(value, type, bytes));
  const auto width = static_cast<size_t>(type.fixed_width());
  if (width == sizeof(bytes)) return arrow::MakeScalar(wanted, arrow::Buffer::FromString(std::string(bytes, width)));
  uint64_t number = 0;
  std::memcpy(&number, bytes, width);
  if (width == sizeof(uint32_t)) return arrow::MakeScalar(wanted, static_cast<uint32_t>(number));
  return arrow::MakeScalar(wanted, number);
}

}  // namespace

int LeafCount(const ColumnType& type) {
  return LeavesOf(*batch::TypeOfForm(type, batch::ArrayForm::kParquet));
}

std::optional<int32_t> PartFieldId(uint32_t column_id, int number) {
  constexpr int64_t kParts = 65'536;
  const int64_t id = column_id * kParts + number;
  if (number >= kParts || id > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return static_cast<int32_t>(id);
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
  return batch::ToForm(array, type, batch::ArrayForm::kParquet);
}

arrow::Result<std::shared_ptr<arrow::Array>> FromStored(const std::shared_ptr<arrow::Array>& array,
                                                        const ColumnType& type) {
  const std::shared_ptr<arrow::DataType> wanted = BatchType(type);
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
  const std::shared_ptr<arrow::DataType> wanted = BatchType(type);
  const bool is_uuid = type.id == TypeId::kUuid;
  const std::shared_ptr<arrow::DataType> storage = is_uuid ? arrow::fixed_size_binary(16) : wanted;
  std::shared_ptr<arrow::Array> array;
  if (value.is_null()) {
    ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayOfNull(storage, rows));
  } else if (!IsBatchTypeArrow(type)) {
    ARROW_ASSIGN_OR_RAISE(const auto scalar, BatchScalar(value, type));
    ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayFromScalar(*scalar, rows));
  } else {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, value.ToScalar(type));
    if (is_uuid) scalar = arrow::internal::checked_cast<const arrow::ExtensionScalar&>(*scalar).value;
    ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayFromScalar(*scalar, rows));
  }
  return is_uuid ? arrow::ExtensionType::WrapArray(wanted, array) : array;
}

}  // namespace yarrow::cold
