// ColdScan: the segments of a scan, read by DuckDB's own parquet_scan with our list of files: as fast as read_parquet.
//
// parquet_scan gets the columns of the scan around it and the filters that it can be trusted with; the list has only
// segments that may have rows of the plan; positions of rows that are there no more are dropped while reading. Columns
// are found by their ids, so that those renamed, added or dropped since a segment was written are answered right.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "row/row_schema.h"
#include "scan/cold_pieces.h"
#include "sql/duckdb_api.h"
#include "sql/segment_filters.h"

namespace yarrow::sql {

// Whether values of the type lie in Parquet as that, and not as text, so that DuckDB's filters mean the same there.
bool LiesAsItself(const ColumnType& type);
// Whether DuckDB reads the type from Parquet as the values it has here.
bool IsReadByParquetScan(const ColumnType& type);

// One a scan; its threads share it.
class ColdScan {
 public:
  // Of one thread. Null inside when there was nothing left for it.
  struct Local {
    duckdb::unique_ptr<duckdb::LocalTableFunctionState> state;
    bool at_end = false;
    uint64_t row_groups_read = 0;
  };

  // Segments are opened when it is their turn: errors name the file. `table`: its first `visible` columns are what
  // column ids mean.
  ColdScan(duckdb::ClientContext& context, const RowSchema& table, size_t visible,
           std::shared_ptr<const ColdPieces> pieces, const duckdb::TableFunctionInitInput& scan,
           SegmentFilters filters);
  ~ColdScan();

  duckdb::idx_t MaxThreads() const { return state_->MaxThreads(); }
  Local MakeLocal(duckdb::ExecutionContext& context) const;
  // Fills the chunk. False at the end.
  bool Next(duckdb::ClientContext& context, Local& local, duckdb::DataChunk& output) const;
  // The place of the last chunk in the order of the scan.
  duckdb::idx_t BatchIndex(duckdb::ClientContext& context, Local& local) const;
  // Of 100.
  double Progress(duckdb::ClientContext& context) const;

 private:
  duckdb::TableFunctionInitInput InitInput() const;
  void Count(duckdb::ClientContext& context, Local& local) const;

  const std::shared_ptr<const ColdPieces> pieces_;
  void OrderColumns();

  duckdb::vector<duckdb::ColumnIndex> columns_;
  duckdb::vector<duckdb::idx_t> projection_;
  SegmentFilters filters_;
  const duckdb::optional_ptr<const duckdb::PhysicalOperator> op_;
  duckdb::TableFunction function_;
  duckdb::unique_ptr<duckdb::FunctionData> bind_data_;
  duckdb::unique_ptr<duckdb::GlobalTableFunctionState> state_;
};

}  // namespace yarrow::sql
