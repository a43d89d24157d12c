#include "batch/array_form.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_time.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <type_traits>
#include <utility>

#include "batch/bound_column.h"
#include "batch/exact_cast.h"
#include "batch/nested_decoding.h"
#include "type/type_traits.h"
#include "type/wide_integer.h"

namespace yarrow::batch {
namespace {

using arrow::internal::checked_cast;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using ArrayResult = arrow::Result<ArrayPtr>;

bool LiesAsText(const ColumnType& type) {
  switch (KindOf(type)) {
    case TypeKind::kHugeint:
    case TypeKind::kInterval:
    case TypeKind::kTimeTz:
    case TypeKind::kBit:
    case TypeKind::kBignum:
    case TypeKind::kEnum:
      return true;
    default:
      return false;
  }
}

std::shared_ptr<arrow::DataType> NestedParquetType(const ColumnType& type) {
  const auto of = [](const TypeMember& member) { return TypeOfForm(member.type, ArrayForm::kParquet); };
  if (type.id == TypeId::kMap) return arrow::map(of(type.members()[0]), of(type.members()[1]));
  const ColumnType& layout = LayoutOf(type);
  if (layout.id != TypeId::kStruct) return arrow::list(arrow::field("element", of(layout.members()[0])));
  arrow::FieldVector fields;
  for (const TypeMember& member : layout.members()) fields.push_back(arrow::field(member.name, of(member)));
  return arrow::struct_(std::move(fields));
}

ColumnType WithParquetUnit(const ColumnType& type) {
  ColumnType stored = type;
  if (type.id == TypeId::kTimestamp && type.unit == TimeUnit::kSecond) stored.unit = TimeUnit::kMilli;
  return stored;
}

// `append(cell)` for each cell that is not NULL, as a value.
template <class Builder, class Append>
ArrayResult BuildFrom(const arrow::Array& array, const ColumnType& type, Builder* builder, const Append& append) {
  ARROW_RETURN_NOT_OK(builder->Reserve(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const Value value, ReadCell(array, type, i));
    ARROW_RETURN_NOT_OK(append(value));
  }
  return builder->Finish();
}

ArrayResult ToTexts(const arrow::Array& array, const ColumnType& type) {
  arrow::StringBuilder builder;
  return BuildFrom(array, type, &builder, [&](const Value& value) { return builder.Append(value.ToString(type)); });
}

ArrayResult ToDecimals(const arrow::Array& array, const ColumnType& type) {
  arrow::Decimal256Builder builder(type.ToArrow());
  return BuildFrom(array, type, &builder, [&](const Value& value) {
    const bool is_signed = type.id == TypeId::kHugeint;
    return builder.Append(is_signed ? ToDecimal256(value.get<Int128>()) : ToDecimal256(value.get<UInt128>()));
  });
}

ArrayResult ToMonthDayNanos(const arrow::Array& array, const ColumnType& type) {
  arrow::MonthDayNanoIntervalBuilder builder;
  return BuildFrom(array, type, &builder, [&](const Value& value) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto scalar, value.ToScalar(type));
    return builder.Append(checked_cast<const arrow::MonthDayNanoIntervalScalar&>(*scalar).value);
  });
}

// The numbers of the labels are the indices.
ArrayResult ToDictionary(const arrow::Array& array, const ColumnType& type) {
  arrow::StringBuilder labels;
  ARROW_RETURN_NOT_OK(labels.AppendValues(type.labels()));
  ARROW_ASSIGN_OR_RAISE(auto dictionary, labels.Finish());
  auto indices = array.data()->Copy();
  indices->type = arrow::int32();
  return arrow::DictionaryArray::FromArrays(type.ToArrow(), arrow::MakeArray(std::move(indices)), dictionary);
}

ArrayResult ToUserLeaf(const ArrayPtr& array, const ColumnType& type) {
  switch (KindOf(type)) {
    case TypeKind::kHugeint:
      return ToDecimals(*array, type);
    case TypeKind::kInterval:
      return ToMonthDayNanos(*array, type);
    case TypeKind::kEnum:
      return ToDictionary(*array, type);
    default:
      return LiesAsText(type) ? ToTexts(*array, type) : array;
  }
}

ArrayResult ToParquetLeaf(const ArrayPtr& array, const ColumnType& type) {
  if (LiesAsText(type)) return ToTexts(*array, type);
  const ColumnType stored = WithParquetUnit(type);
  if (stored == type) return array;
  Misfit misfit{-1, {}};
  auto cast = ExactCast(array, stored, &misfit);
  return cast.ok() || misfit.row < 0 ? cast : cast.status().WithMessage(misfit.message);
}

}  // namespace

std::shared_ptr<arrow::DataType> TypeOfForm(const ColumnType& type, ArrayForm form) {
  if (form == ArrayForm::kUser) return type.ToArrow();
  if (type.is_nested()) return NestedParquetType(type);
  return LiesAsText(type) ? arrow::utf8() : WithParquetUnit(type).ToArrow();
}

ArrayResult ToForm(const ArrayPtr& array, const ColumnType& type, ArrayForm form) {
  if (type.is_nested()) return DecodeNested(checked_cast<const arrow::BinaryArray&>(*array), type, form);
  ARROW_ASSIGN_OR_RAISE(auto leaf, form == ArrayForm::kUser ? ToUserLeaf(array, type) : ToParquetLeaf(array, type));
  const auto wanted = TypeOfForm(type, form);
  const bool is_wrapped = wanted->id() != arrow::Type::EXTENSION || leaf->type_id() == arrow::Type::EXTENSION;
  return is_wrapped ? leaf : arrow::ExtensionType::WrapArray(wanted, leaf);
}

arrow::Status CheckUserArray(const arrow::DataType& array, const ColumnType& type) {
  if (IsBatchTypeArrow(type) || IsText(type)) return arrow::Status::OK();
  const bool is_own = array.Equals(*BatchType(type)) || array.id() == arrow::Type::BINARY;
  if (!is_own) return arrow::Status::OK();
  return arrow::Status::TypeError("no cast from ", array.ToString(), " to ", type.ToString());
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ToUserBatch(const arrow::RecordBatch& batch,
                                                               const std::shared_ptr<arrow::Schema>& schema,
                                                               const std::vector<ColumnType>& types) {
  arrow::ArrayVector columns = batch.columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (IsBatchTypeArrow(types[i])) continue;
    auto column = ToForm(columns[i], types[i], ArrayForm::kUser);
    if (!column.ok()) {
      return column.status().WithMessage("column ", schema->field(static_cast<int>(i))->name(), ": ",
                                         column.status().message());
    }
    columns[i] = *std::move(column);
  }
  return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(columns));
}

}  // namespace yarrow::batch
