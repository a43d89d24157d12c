#include <arrow/array/data.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "batch/validate.h"
#include "yarrow/batch.h"

namespace yarrow {

arrow::Result<std::shared_ptr<arrow::RecordBatch>> CreateBatchTrusted(
    std::shared_ptr<arrow::Schema> schema, std::vector<std::shared_ptr<arrow::ArrayData>> columns, int64_t rows) {
#ifndef NDEBUG
  return CreateBatchValidated(std::move(schema), std::move(columns), rows);
#else
  return arrow::RecordBatch::Make(std::move(schema), rows, std::move(columns));
#endif
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> CreateBatchValidated(
    std::shared_ptr<arrow::Schema> schema, std::vector<std::shared_ptr<arrow::ArrayData>> columns, int64_t rows) {
  // Arrow takes the number of columns for granted.
  if (static_cast<size_t>(schema->num_fields()) != columns.size()) {
    return arrow::Status::Invalid("a batch of ", schema->num_fields(), " fields was given ", columns.size(),
                                  " columns");
  }
  std::shared_ptr<arrow::RecordBatch> batch = arrow::RecordBatch::Make(std::move(schema), rows, std::move(columns));
  ARROW_RETURN_NOT_OK(batch::ValidateInFull(*batch));
  return batch;
}

}  // namespace yarrow
