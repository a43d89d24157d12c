// Making Arrow record batches.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace yarrow {

// Rows of a full batch of a scan.
inline constexpr int64_t kBatchRows = 8192;

// A RecordBatch of columns that our own code has just built: in debug builds the batch is fully validated (lengths,
// types, buffers, offsets, UTF-8) and a mistake is an Invalid status; in release builds nothing is checked. `schema` is
// shared, not copied. REQUIRES (unchecked in release): one column a field, of the field's type, each `rows` long.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> CreateBatchTrusted(
    std::shared_ptr<arrow::Schema> schema, std::vector<std::shared_ptr<arrow::ArrayData>> columns, int64_t rows);

// The same with the full validation in every build: what CreateBatchTrusted saves.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> CreateBatchValidated(
    std::shared_ptr<arrow::Schema> schema, std::vector<std::shared_ptr<arrow::ArrayData>> columns, int64_t rows);

}  // namespace yarrow
