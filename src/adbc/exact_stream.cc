#include "adbc/exact_stream.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <utility>
#include <vector>

#include "batch/exact_cast.h"
#include "type/value_check.h"

namespace yarrow::adbc {
namespace {

using arrow::internal::checked_cast;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

// Bytes as text, if they are that, and text as its bytes.
ArrayResult Retyped(const arrow::Array& array, const ColumnType& type, batch::Misfit* misfit) {
  auto data = array.data()->Copy();
  data->type = type.ToArrow();
  auto retyped = arrow::MakeArray(std::move(data));
  ARROW_RETURN_NOT_OK(retyped->Validate());
  if (type.id != TypeId::kUtf8) return retyped;
  const auto& texts = checked_cast<const arrow::StringArray&>(*retyped);
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsNull(i) || IsUtf8(texts.GetView(i))) continue;
    *misfit = {i, "value " + Value(texts.GetView(i)).ToString(TypeId::kBinary) +
                      " is not valid UTF-8: use a BLOB column for bytes"};
    return arrow::Status::Invalid(misfit->message);
  }
  return retyped;
}

ArrayResult Cast(const std::shared_ptr<arrow::Array>& array, const ColumnType& type, batch::Misfit* misfit) {
  ARROW_ASSIGN_OR_RAISE(auto cast, batch::ExactCast(array, type, misfit));
  if (type.id == TypeId::kUuid) return arrow::ExtensionType::WrapArray(type.ToArrow(), cast);
  return cast->type()->Equals(*type.ToArrow()) ? cast : Retyped(*cast, type, misfit);
}

class ExactReader : public arrow::RecordBatchReader {
 public:
  ExactReader(std::shared_ptr<arrow::RecordBatchReader> rows, std::string where, const WantedType& wanted)
      : rows_(std::move(rows)), where_(std::move(where)), schema_(rows_->schema()) {
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const auto field = schema_->field(i);
      auto type = wanted(*field);
      if (type && field->type()->Equals(*type->ToArrow())) type.reset();
      if (type) schema_ = schema_->SetField(i, field->WithType(type->ToArrow())).ValueOr(schema_);
      types_.push_back(std::move(type));
    }
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(rows_->ReadNext(batch));
    if (*batch == nullptr) return arrow::Status::OK();
    std::vector<std::shared_ptr<arrow::Array>> columns = (*batch)->columns();
    for (size_t i = 0; i < types_.size(); ++i) {
      if (!types_[i]) continue;
      batch::Misfit misfit{-1, {}};
      auto cast = Cast(columns[i], *types_[i], &misfit);
      if (!cast.ok()) {
        return cast.status().WithMessage(where_, ", column ", schema_->field(static_cast<int>(i))->name(), ": ",
                                         misfit.row < 0 ? cast.status().message() : misfit.message);
      }
      columns[i] = *std::move(cast);
    }
    *batch = arrow::RecordBatch::Make(schema_, (*batch)->num_rows(), std::move(columns));
    return arrow::Status::OK();
  }

  arrow::Status Close() override { return rows_->Close(); }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> rows_;
  const std::string where_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::optional<ColumnType>> types_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> ExactStream(std::shared_ptr<arrow::RecordBatchReader> rows, std::string where,
                                                      const WantedType& wanted) {
  return std::make_shared<ExactReader>(std::move(rows), std::move(where), wanted);
}

std::optional<ColumnType> ReadableType(const arrow::Field& field) {
  const arrow::DataType& type = *field.type();
  if (type.id() == arrow::Type::DATE64) return ColumnType(TypeId::kDate32);
  if (type.id() != arrow::Type::TIMESTAMP) return std::nullopt;
  const std::string& zone = checked_cast<const arrow::TimestampType&>(type).timezone();
  if (zone.empty()) return std::nullopt;
  return ColumnType::Timestamp(TimeUnit::kMicro, zone);
}

}  // namespace yarrow::adbc
