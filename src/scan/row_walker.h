// RowWalker: the loop of every scan. Walks key ranges of a ScanPlan in one thread and hands on the rows that pass, as
// the bytes they are; what becomes of them is the business of whoever takes them (Arrow batches, DuckDB vectors).
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "row/row_layout.h"
#include "scan/cold_pieces.h"
#include "scan/computed_cursor.h"
#include "scan/found_rows.h"
#include "scan/scan_plan.h"
#include "scan/tiered_cursor.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

// Not thread-safe; one a thread.
class RowWalker {
 public:
  static constexpr uint64_t kAnyVisits = UINT64_MAX;

  // `cancelled` is looked at between calls of Walk and every few thousand rows.
  RowWalker(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot, const std::atomic<bool>* cancelled);
  RowWalker(const RowWalker&) = delete;
  RowWalker& operator=(const RowWalker&) = delete;

  // Rows must pass this predicate too, from now on; null: none. It is compiled for the plan's row schema.
  void Narrow(std::shared_ptr<const RowPredicate> predicate);

  // Collects the keys of soft-deleted rows that are passed over, from now on.
  void CollectDeleted(std::vector<std::string>* keys) { deleted_keys_ = keys; }

  // What FindColdPieces found for the plan and the snapshot; else the walker looks itself. With none of its pieces,
  // only hot rows are read.
  void UseCold(Snapshot snapshot, std::shared_ptr<const ColdPieces> pieces) {
    snapshot_ = std::move(snapshot);
    cold_ = std::move(pieces);
  }

  // Points the walker at key ranges of the plan (in ascending order, whatever the direction of the scan).
  void Start(std::vector<KeyRange> ranges);

  // Gives rows to `taker` (arrow::Status Append(key, row); int64_t rows() const; bool full() const) until it has `rows`
  // rows or is full, `max_visits` rows were looked at, or the ranges end.
  template <class Taker>
  arrow::Status Walk(Taker& taker, int64_t rows, uint64_t max_visits = kAnyVisits);

  bool at_end() const { return !range_open_ && ranges_begun_ == ranges_.size(); }
  uint64_t rows_visited() const;   // since it was made
  uint64_t bytes_visited() const;  // of their keys and values
  uint64_t row_groups_read() const;

 private:
  // Rows passed over between two looks at the cancel flag.
  static constexpr uint64_t kRowsBetweenChecks = 16384;
  enum class Stopped { kByTaker, kByVisits, kAtRangeEnd };

  template <class Cursor, class Taker>
  arrow::Result<Stopped> WalkRange(Cursor& cursor, Taker& taker, int64_t rows, uint64_t visits);
  arrow::Status Open();
  arrow::Status OpenCursor();
  // The segments that have keys in the ranges; null when none has.
  arrow::Result<std::unique_ptr<TieredCursor>> OpenTiers(const ScanSpec& spec);
  void NextRange();

  const std::shared_ptr<const ScanPlan> plan_;
  Snapshot snapshot_;
  const std::atomic<bool>* const cancelled_;
  std::vector<KeyRange> ranges_;
  size_t ranges_begun_ = 0;
  bool range_open_ = false;
  bool must_open_ = false;  // the cursor, when the first row is asked for
  arrow::Status opened_;
  std::variant<std::monostate, ScanCursor, std::unique_ptr<TieredCursor>, ComputedCursor, FoundCursor> cursor_;
  std::shared_ptr<const ColdPieces> cold_;  // at the snapshot, once it was asked for
  std::optional<RowPredicate::Evaluator> evaluator_;
  std::optional<RowPredicate::Evaluator> narrower_;
  std::vector<std::string>* deleted_keys_ = nullptr;
  uint64_t visited_before_ = 0, bytes_before_ = 0, row_groups_before_ = 0;  // by cursors that were closed
};

// Deleted rows first, then the predicate on the encoded bytes; only rows that pass both get to the taker.
template <class Cursor, class Taker>
arrow::Result<RowWalker::Stopped> RowWalker::WalkRange(Cursor& cursor, Taker& taker, int64_t rows, uint64_t visits) {
  const uint64_t stop_at = cursor.rows_visited() + visits;
  int64_t missing = rows - taker.rows();
  while (missing > 0) {
    if (!cursor.Next()) {
      ARROW_RETURN_NOT_OK(cursor.status());
      return Stopped::kAtRangeEnd;
    }
    const std::string_view row = cursor.value();
    // A row too short to have flags is left to the decoder, which says what is wrong with it.
    if (row.size() >= kRowHeaderSize && IsDeletedRow(row)) {
      if (deleted_keys_ != nullptr) deleted_keys_->emplace_back(cursor.key());
      if (cursor.rows_visited() >= stop_at) return Stopped::kByVisits;
      continue;
    }
    if (evaluator_ && !evaluator_->Matches(cursor.key(), row)) {
      if (!evaluator_->status().ok()) return evaluator_->status();
      if (cursor.rows_visited() >= stop_at) return Stopped::kByVisits;
      continue;
    }
    if (narrower_ && !narrower_->Matches(cursor.key(), row)) {
      if (!narrower_->status().ok()) return narrower_->status();
      if (cursor.rows_visited() >= stop_at) return Stopped::kByVisits;
      continue;
    }
    ARROW_RETURN_NOT_OK(taker.Append(cursor.key(), row));
    --missing;
    if (taker.full()) break;
  }
  return Stopped::kByTaker;
}

template <class Taker>
arrow::Status RowWalker::Walk(Taker& taker, int64_t rows, uint64_t max_visits) {
  ARROW_RETURN_NOT_OK(must_open_ ? Open() : opened_);
  const uint64_t end = max_visits == kAnyVisits ? kAnyVisits : rows_visited() + max_visits;
  while (taker.rows() < rows && !taker.full()) {
    if (cancelled_->load(std::memory_order_relaxed)) return arrow::Status::Cancelled("The scan was cancelled");
    if (!range_open_) {
      if (ranges_begun_ == ranges_.size()) return arrow::Status::OK();
      NextRange();
    }
    const uint64_t visits = end == kAnyVisits ? kRowsBetweenChecks : std::min(kRowsBetweenChecks, end - rows_visited());
    ARROW_ASSIGN_OR_RAISE(const Stopped stopped, std::visit(
                                                     [&]<class Cursor>(Cursor& cursor) -> arrow::Result<Stopped> {
                                                       if constexpr (std::is_same_v<Cursor, std::monostate>) {
                                                         return Stopped::kAtRangeEnd;
                                                       } else if constexpr (requires { *cursor; }) {
                                                         return WalkRange(*cursor, taker, rows, visits);
                                                       } else {
                                                         return WalkRange(cursor, taker, rows, visits);
                                                       }
                                                     },
                                                     cursor_));
    if (stopped == Stopped::kAtRangeEnd) range_open_ = false;
    if (rows_visited() >= end) return arrow::Status::OK();
  }
  return arrow::Status::OK();
}

}  // namespace yarrow
