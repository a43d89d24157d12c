#include "sql/query_reader.h"

#include <arrow/c/bridge.h>
#include <duckdb/common/vector_operations/vector_operations.hpp>

#include <utility>

#include "sql/arrow_export.h"
#include "sql/sql_type.h"
#include "sql/task_errors.h"
#include "store/home_process.h"

namespace yarrow::sql {

using arrow::Status;

Status ToStatus(const duckdb::ErrorData& error) {
  if (error.Type() == duckdb::ExceptionType::INTERRUPT) return Status::Cancelled("cancelled");
  return Status::Invalid(error.Message());
}

QueryReader::QueryReader(duckdb::unique_ptr<duckdb::QueryResult> result)
    : result_(std::move(result)), layout_(ArrowLayout(result_->client_properties.client_context)) {}

arrow::Result<std::shared_ptr<QueryReader>> QueryReader::Make(duckdb::unique_ptr<duckdb::QueryResult> result,
                                                              NestedValues nested) {
  if (auto context = result->client_properties.client_context) {
    ARROW_RETURN_NOT_OK(Try([&] { KeepTaskErrors(*context); }));
  }
  std::shared_ptr<QueryReader> reader(new QueryReader(std::move(result)), DeleteAtHome());
  ARROW_RETURN_NOT_OK(Try([&] { reader->PlanTypes(nested); }));
  ArrowSchema exported;
  ARROW_RETURN_NOT_OK(Try([&] {
    duckdb::ArrowConverter::ToArrowSchema(&exported, reader->text_.GetTypes(), reader->result_->names, reader->layout_);
  }));
  ARROW_ASSIGN_OR_RAISE(reader->schema_, arrow::ImportSchema(&exported));
  return reader;
}

Status QueryReader::ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
  batch->reset();
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ArrowArray exported;
  bool at_end = false;
  ARROW_RETURN_NOT_OK(Try([&] { at_end = !Export(&exported); }));
  if (at_end) return Status::OK();
  return arrow::ImportRecordBatch(&exported, schema_).Value(batch);
}

void QueryReader::PlanTypes(NestedValues nested) {
  duckdb::vector<duckdb::LogicalType> types;
  for (const duckdb::LogicalType& type : result_->types) {
    const auto own = FromLogicalType(type);
    const bool is_nested = own.ok() && nested == NestedValues::kAsArrow && IsNestedOfArrow(*own);
    const bool is_flat = own.ok() && !own->is_nested() && (IsOfArrow(*own) || own->id == TypeId::kHugeint);
    types.push_back(is_flat || is_nested ? type : duckdb::LogicalType::VARCHAR);
  }
  text_.Initialize(duckdb::Allocator::DefaultAllocator(), types);
}

bool QueryReader::Export(ArrowArray* exported) {
  if (next_row_ == text_.size() && !Fetch()) return false;
  const duckdb::idx_t rows = RowsOfArray(text_, result_->names, next_row_);
  *exported = ToArrowArray(text_, next_row_, rows, layout_);
  next_row_ += rows;
  return true;
}

bool QueryReader::Fetch() {
  chunk_ = result_->Fetch();
  if (result_->HasError()) result_->ThrowError();
  if (!chunk_ || chunk_->size() == 0) return false;
  text_.Reset();
  for (duckdb::idx_t i = 0; i < text_.ColumnCount(); ++i) {
    if (result_->types[i] == text_.data[i].GetType()) {
      text_.data[i].Reference(chunk_->data[i]);
    } else {
      duckdb::VectorOperations::DefaultCast(chunk_->data[i], text_.data[i], chunk_->size());
    }
  }
  text_.SetCardinality(chunk_->size());
  next_row_ = 0;
  return true;
}

}  // namespace yarrow::sql
