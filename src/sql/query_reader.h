// What a query of DuckDB answers, as Arrow batches.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <exception>
#include <memory>

#include "sql/arrow_types.h"
#include "sql/duckdb_api.h"

namespace yarrow::sql {

// Cancelled for an interrupted query, else Invalid with DuckDB's message.
arrow::Status ToStatus(const duckdb::ErrorData& error);

// Runs code of DuckDB, whose errors are exceptions.
template <class Function>
arrow::Status Try(Function function) {
  try {
    function();
    return arrow::Status::OK();
  } catch (const std::exception& exception) {
    return ToStatus(duckdb::ErrorData(exception));
  }
}

// Reads a result as it is computed. Columns of types that Arrow has not, or not all of whose parts it has, come as
// text. Not thread-safe.
class QueryReader : public arrow::RecordBatchReader {
 public:
  static arrow::Result<std::shared_ptr<QueryReader>> Make(duckdb::unique_ptr<duckdb::QueryResult> result,
                                                          NestedValues nested = NestedValues::kAsText);

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override;

 private:
  explicit QueryReader(duckdb::unique_ptr<duckdb::QueryResult> result);
  void PlanTypes(NestedValues nested);
  bool Export(ArrowArray* exported);
  bool Fetch();

  duckdb::unique_ptr<duckdb::QueryResult> result_;
  duckdb::ClientProperties layout_;
  duckdb::unique_ptr<duckdb::DataChunk> chunk_;
  duckdb::DataChunk text_;  // the chunk, with text for types that stay with DuckDB
  duckdb::idx_t next_row_ = 0;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace yarrow::sql
