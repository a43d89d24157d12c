// PieceScanner: runs a ScanPlan over some of its key ranges, in one thread, into Arrow batches.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "batch/batch_builder.h"
#include "scan/row_walker.h"
#include "scan/scan_plan.h"
#include "scan/tiered_batches.h"

namespace yarrow {

// Sums of all the pieces of a scan, read by others while it runs.
struct ScanCounters {
  std::atomic<uint64_t> rows_visited{0};
  std::atomic<uint64_t> rows_passed{0};
  std::atomic<uint64_t> bytes_visited{0};
  std::atomic<uint64_t> bytes_decoded{0};
  std::atomic<uint64_t> row_groups_read{0};
  // What a piece counted since it last did.
  void Add(const ScanMetrics& now, const ScanMetrics& before);
  ScanMetrics Read() const;
};

// Not thread-safe; one a thread.
class PieceScanner {
 public:
  // `cancelled` is looked at between batches and every few thousand rows.
  // `cold`: what FindColdPieces found for plan and snapshot; null: it looks itself.
  PieceScanner(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot, ScanCounters* counters,
               const std::atomic<bool>* cancelled, std::shared_ptr<const ColdPieces> cold = nullptr);
  ~PieceScanner();
  PieceScanner(const PieceScanner&) = delete;
  PieceScanner& operator=(const PieceScanner&) = delete;

  // See RowWalker.
  void CollectDeleted(std::vector<std::string>* keys) { walker_.CollectDeleted(keys); }
  // Points the scanner at key ranges of the plan (in ascending order, whatever the direction of the scan).
  arrow::Status Start(std::vector<KeyRange> ranges);
  // The next batch of the output schema, never empty; null at the end of the ranges. Of at most `max_rows` rows, but
  // with a residual, of which nobody knows how many rows pass: then of at most the plan's batch size.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next(int64_t max_rows);

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ApplyFilter(const arrow::compute::Expression& filter,
                                                                 std::shared_ptr<arrow::RecordBatch> batch) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ToOutput(std::shared_ptr<arrow::RecordBatch> batch) const;
  // Decides how the ranges are read: row by row, or as batches of both tiers.
  arrow::Status Open();
  void CloseTiers();
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NextRows(int64_t max_rows);
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NextTiered(int64_t max_rows);
  void Count();

  const std::shared_ptr<const ScanPlan> plan_;
  ScanCounters* const counters_;
  const std::atomic<bool>* const cancelled_;
  Snapshot snapshot_;
  RowWalker walker_;
  std::vector<KeyRange> ranges_;  // to be opened
  bool must_open_ = false;
  std::shared_ptr<const ColdPieces> cold_;  // of the plan and the snapshot, once they were looked for
  std::unique_ptr<TieredBatches> tiers_;    // null: the walker reads
  std::unique_ptr<BatchBuilder> builder_;
  uint64_t tiered_rows_ = 0, tiered_bytes_ = 0, tiered_row_groups_ = 0, cold_rows_ = 0;  // of tiers that were closed
  ScanMetrics counted_;  // of the walker and the builder, already in counters_
};

}  // namespace yarrow
