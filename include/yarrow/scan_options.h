// What to read from a table, and what reading it cost.
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "yarrow/batch.h"
#include "yarrow/snapshot.h"

namespace yarrow {

inline constexpr int kMostScanThreads = 256;

struct ScanOptions {
  // Names of the columns of the result, in its order; unset: all of them. An empty list gives batches of rows without
  // columns.
  std::optional<std::vector<std::string>> columns = {};
  // Only rows for which it is true, by Arrow's semantics; pushed into the scan as far as it goes, the rest is evaluated
  // on the batches. A default-constructed Expression: all rows.
  arrow::compute::Expression filter = {};
  // At most that many rows; unset: all.
  std::optional<int64_t> limit = {};
  // Rows of a full batch. The first batches are smaller, so that a reader who stops early has not paid for a full one.
  int64_t batch_size = kBatchRows;
  // The moment to read; null: now.
  Snapshot snapshot = {};
  // Descending key order.
  bool reverse = false;
  // Threads that scan, at most kMostScanThreads; 0: the setting scan_threads. 1 scans in the calling thread.
  int threads = 1;
  // Batches in key order. Without it more than one thread may deliver pieces of the key space as they come.
  bool ordered = true;
  arrow::MemoryPool* memory_pool = nullptr;  // nullptr: Arrow's default pool
};

// Counted by the scan iterator (visited) and the decoder (the others).
struct ScanMetrics {
  uint64_t rows_visited = 0;     // entries that the iterator stood on, deleted ones included
  uint64_t rows_passed = 0;      // rows built into batches
  uint64_t bytes_visited = 0;    // of keys and values of the visited entries
  uint64_t bytes_decoded = 0;    // of the cells built
  uint64_t row_groups_read = 0;  // of Parquet segments; for single keys those they were looked up in, cached ones too
};

// A running scan. Memory is bounded whatever the table's size. ReadNext and Close are for one thread at a time; Cancel
// and metrics may be called from any. Holds its snapshot until closed or destroyed.
class TableScan : public arrow::RecordBatchReader {
 public:
  // Makes ReadNext return Cancelled soon.
  virtual void Cancel() = 0;
  // So far.
  virtual ScanMetrics metrics() const = 0;
  // One line a step: key ranges, predicate on rows, residual, projection, limit.
  virtual std::string Explain() const = 0;
};

}  // namespace yarrow
