// TieredBatches: hot rows and those of segments as record batches, in key order, ascending or descending.
//
// Rows of a segment stay the columns they are: as long as no other source has a key between them, they are handed on as
// slices (descending: taken from the end). Hot rows are decoded into one builder a batch, and at the end the slices are
// put in order. What the plan's
// filter says is left to the caller for all rows; hot ones that fail its pushed part are left out here.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/batch_builder.h"
#include "cold/row_keys.h"
#include "cold/segment_scan.h"
#include "scan/cold_pieces.h"
#include "scan/piece_merge.h"
#include "scan/scan_plan.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

// The rows of one segment within key ranges, run by run. Not thread-safe.
class ColdRuns {
 public:
  // Opens the segment.
  static arrow::Result<std::unique_ptr<ColdRuns>> Make(const ScanPlan& plan, const ColdPiece& piece,
                                                       std::vector<KeyRange> ranges);

  // Of the row at hand. REQUIRES: Advance has said that there is one.
  std::string_view key() const { return key_; }
  // Rows [first, end) of batch(), all there, from the one at hand on in the order of the scan: those that come before
  // `bound` (empty: any key), at most `rows`.
  struct Run {
    int64_t first;
    int64_t end;
  };
  arrow::Result<std::vector<Run>> Take(std::string_view bound, int64_t rows);
  // Goes on to the first row, or to the one behind the runs taken. False: there is none.
  arrow::Result<bool> Advance();
  // Its first columns are the decoded ones.
  const std::shared_ptr<arrow::RecordBatch>& batch() const { return batch_; }
  uint64_t row_groups_read() const { return scan_->counts().row_groups_read; }

 private:
  ColdRuns(const ScanPlan& plan, const ColdPiece& piece) : plan_(plan), piece_(piece) {}
  arrow::Result<Run> Cut(std::string_view bound, int64_t rows) const;
  bool has_row() const { return batch_ != nullptr && next_ >= 0 && next_ < batch_->num_rows(); }

  const ScanPlan& plan_;
  const ColdPiece piece_;
  std::unique_ptr<cold::SegmentScan> scan_;
  std::shared_ptr<arrow::RecordBatch> batch_;  // null at the end
  uint64_t first_row_ = 0;                     // of batch_, in the segment
  std::optional<cold::RowKeys> keys_;          // of batch_
  int64_t next_ = 0;                           // row of batch_
  std::string key_;
};

// Not thread-safe; one a thread.
class TieredBatches {
 public:
  // `plan` outlives it; `ranges` ascend.
  static arrow::Result<std::unique_ptr<TieredBatches>> Make(const ScanPlan& plan, const Snapshot& snapshot,
                                                            const ColdPieces& cold, std::vector<KeyRange> ranges,
                                                            const std::atomic<bool>* cancelled);

  // The next rows, at most `max_rows` and fewer when they are large, of the builder's schema; null at the end. The
  // builder has no rows before and after.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next(BatchBuilder* builder, int64_t max_rows);

  uint64_t rows_visited() const { return hot_.rows_visited() + cold_rows_; }
  uint64_t bytes_visited() const { return hot_.bytes_visited(); }
  uint64_t cold_rows() const { return cold_rows_; }
  uint64_t row_groups_read() const { return cold_.row_groups_read(); }

 private:
  // Rows of a batch, which a reversed scan wants from the end, or of the builder's when that is null.
  struct Slice {
    std::shared_ptr<arrow::RecordBatch> batch;
    int64_t first;
    int64_t rows;
  };

  TieredBatches(const ScanPlan& plan, ScanCursor hot, std::vector<ColdPiece> pieces, std::vector<KeyRange> ranges,
                const std::atomic<bool>* cancelled);
  arrow::Status NextHot();
  bool ComesBefore(std::string_view a, std::string_view b) const { return plan_.reverse ? a > b : a < b; }
  // Whether the next row is one of a segment.
  arrow::Result<bool> IsColdNext();
  arrow::Status TakeHot(BatchBuilder* builder, std::vector<Slice>* slices);
  arrow::Status TakeCold(int64_t rows, std::vector<Slice>* slices, int64_t* taken);
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Join(BatchBuilder* builder,
                                                          const std::vector<Slice>& slices) const;
  arrow::Result<arrow::ArrayDataVector> Reverse(arrow::ArrayDataVector columns, const std::vector<Slice>& slices,
                                                int64_t rows) const;

  const ScanPlan& plan_;
  ScanCursor hot_;
  const std::vector<KeyRange> ranges_;
  const std::atomic<bool>* const cancelled_;
  size_t ranges_begun_ = 0;
  bool hot_at_end_ = false;
  std::optional<RowPredicate::Evaluator> evaluator_;
  PieceMerge<ColdRuns> cold_;
  uint64_t cold_rows_ = 0;
};

}  // namespace yarrow
