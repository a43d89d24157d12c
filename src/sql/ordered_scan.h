// OrderedScan: the rows of hot tier and segments in key order, ascending or descending, for DuckDB's vectors. Rows of
// segments come as the columns they are (TieredBatches), not one by one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "scan/morsels.h"
#include "scan/piece_scanner.h"
#include "sql/duckdb_api.h"

namespace yarrow::sql {

// What the threads of one such scan share. Immutable.
class OrderedScan {
 public:
  // Whether the scan can be read so: its rows have to come in key order, without their row ids, and DuckDB's filters
  // say all that is tested.
  static bool CanRead(const duckdb::TableFunctionInitInput& scan);

  // `plan`: of the output columns first, then of those that only the filters need, which FilterColumns gives.
  OrderedScan(const duckdb::TableFunctionInitInput& scan, std::shared_ptr<const ScanPlan> plan, Snapshot snapshot,
              std::shared_ptr<const ColdPieces> cold);
  static std::vector<int> FilterColumns(const duckdb::TableFunctionInitInput& scan);

  const std::shared_ptr<const ScanPlan>& plan() const { return plan_; }

 private:
  friend class OrderedReader;
  const std::shared_ptr<const ScanPlan> plan_;
  const Snapshot snapshot_;
  const std::shared_ptr<const ColdPieces> cold_;
  std::vector<ColumnType> types_;                        // of the plan's columns
  duckdb::unique_ptr<const duckdb::Expression> filter_;  // over the plan's columns; null: all rows pass
};

// One a thread; not thread-safe.
class OrderedReader {
 public:
  OrderedReader(duckdb::ClientContext& context, const OrderedScan& scan, ScanCounters* counters);

  // Points the reader at a piece of the scan.
  void Start(const Morsel& morsel);
  // Fills the first vectors, which are flat, with the next rows, at most `most`, and returns their number; fewer than
  // none passed: 0 only at the end of the piece. `outputs`: the vector of each output column of the plan.
  int64_t Next(int64_t most, const std::vector<duckdb::Vector*>& outputs, duckdb::DataChunk& chunk);

 private:
  int64_t Filter(int64_t rows, const std::vector<duckdb::Vector*>& vectors, duckdb::DataChunk& chunk);

  duckdb::ClientContext& context_;
  const OrderedScan& scan_;
  PieceScanner scanner_;
  std::shared_ptr<arrow::RecordBatch> batch_;  // null: the next one is to be read
  int64_t next_ = 0;                           // row of batch_
  duckdb::DataChunk tested_;                   // the plan's columns, when there is a filter
  duckdb::DataChunk filter_columns_;           // those that are no output
  std::unique_ptr<duckdb::ExpressionExecutor> executor_;
};

}  // namespace yarrow::sql
