#include "batch/batch_builder.h"

#include <arrow/array/data.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <utility>

#include "batch/arrow_sink.h"
#include "batch/row_decoder.h"

namespace yarrow {

class BatchBuilder::Impl {
 public:
  Impl(std::shared_ptr<const RowSchema> row_schema, std::vector<int> columns, const std::vector<ColumnType>& types,
       std::shared_ptr<arrow::Schema> arrow_schema, arrow::MemoryPool* pool)
      : schema(std::move(arrow_schema)), sink(types, pool), decoder(std::move(row_schema), std::move(columns)) {}

  std::shared_ptr<arrow::Schema> schema;
  batch::ArrowSink sink;
  batch::RowDecoder<batch::ArrowSink> decoder;
  uint64_t bytes_at_start = 0;  // decoder's count when the batch was begun
};

BatchBuilder::BatchBuilder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BatchBuilder::~BatchBuilder() = default;

arrow::Result<std::unique_ptr<BatchBuilder>> BatchBuilder::Make(std::shared_ptr<const RowSchema> row_schema,
                                                                std::vector<int> columns,
                                                                std::shared_ptr<arrow::Schema> schema,
                                                                arrow::MemoryPool* pool) {
  std::vector<ColumnType> types;
  for (const int column : columns) {
    if (column < 0 || static_cast<size_t>(column) >= row_schema->columns().size()) {
      return arrow::Status::IndexError("table ", row_schema->table_name(), " has ", row_schema->columns().size(),
                                       " columns, no column number ", column);
    }
    types.push_back(row_schema->columns()[static_cast<size_t>(column)].type);
  }
  const std::shared_ptr<arrow::Schema> expected = ProjectedSchema(*row_schema, columns);
  if (schema != expected && !schema->Equals(*expected)) {
    return arrow::Status::Invalid("table ", row_schema->table_name(),
                                  ": the schema for its batches is not that of the projection: ", schema->ToString(),
                                  "\ninstead of: ", expected->ToString());
  }
  if (pool == nullptr) pool = arrow::default_memory_pool();
  auto impl = std::make_unique<Impl>(std::move(row_schema), std::move(columns), types, std::move(schema), pool);
  return std::unique_ptr<BatchBuilder>(new BatchBuilder(std::move(impl)));
}

arrow::Status BatchBuilder::Reserve(int64_t rows) {
  return impl_->sink.Reserve(rows);
}

arrow::Status BatchBuilder::Append(std::string_view key, std::string_view row) {
  return impl_->decoder.Decode(key, row, impl_->sink);
}

int64_t BatchBuilder::rows() const {
  return impl_->sink.row();
}

bool BatchBuilder::full() const {
  return impl_->decoder.bytes_decoded() - impl_->bytes_at_start >= kBatchBytes;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchBuilder::Finish() {
  const int64_t rows = impl_->sink.row();
  ARROW_ASSIGN_OR_RAISE(auto columns, impl_->sink.Finish());
  impl_->bytes_at_start = impl_->decoder.bytes_decoded();
  return CreateBatchTrusted(impl_->schema, std::move(columns), rows);
}

uint64_t BatchBuilder::rows_decoded() const {
  return impl_->decoder.rows_decoded();
}
uint64_t BatchBuilder::bytes_decoded() const {
  return impl_->decoder.bytes_decoded();
}
const std::shared_ptr<arrow::Schema>& BatchBuilder::schema() const {
  return impl_->schema;
}

std::shared_ptr<arrow::Schema> ProjectedSchema(const RowSchema& row_schema, const std::vector<int>& columns) {
  const std::shared_ptr<arrow::Schema>& all = row_schema.arrow_schema();
  bool is_identity = columns.size() == static_cast<size_t>(all->num_fields());
  arrow::FieldVector fields;
  for (size_t i = 0; i < columns.size(); ++i) {
    is_identity = is_identity && columns[i] == static_cast<int>(i);
    fields.push_back(all->field(columns[i]));
  }
  return is_identity ? all : arrow::schema(std::move(fields), all->metadata());
}

}  // namespace yarrow
