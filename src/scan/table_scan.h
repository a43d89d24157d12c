// Running a ScanPlan into Arrow batches.
#pragma once

#include <arrow/result.h>

#include <memory>

#include "scan/scan_plan.h"
#include "yarrow/scan_options.h"

namespace yarrow {

// In the calling thread when the plan has one thread, else with threads of its own. A null snapshot: the state when the
// first row is asked for (with threads: now). It is given up at the end, by Close or with the scan.
arrow::Result<std::shared_ptr<TableScan>> RunScan(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot);

// Scans in the thread that calls ReadNext.
arrow::Result<std::shared_ptr<TableScan>> RunSerialScan(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot);

// Scans pieces of the key space in plan->threads threads, which start at the first ReadNext.
arrow::Result<std::shared_ptr<TableScan>> RunParallelScan(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot);

// Rows of the batches of a scan, one after the other: the first ones are small, so that a reader who stops early has
// not paid for a full batch.
class BatchSizes {
 public:
  explicit BatchSizes(int64_t full) : full_(full) {}
  int64_t Next(int64_t rows_left);

 private:
  const int64_t full_;
  int64_t next_ = 64;
};

}  // namespace yarrow
