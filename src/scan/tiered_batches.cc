#include "scan/tiered_batches.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "batch/exact_cast.h"
#include "row/row_layout.h"
#include "store/store_commits.h"

namespace yarrow {

using arrow::Status;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

arrow::Result<std::unique_ptr<ColdRuns>> ColdRuns::Make(const ScanPlan& plan, const ColdPiece& piece,
                                                        std::vector<KeyRange> ranges) {
  std::unique_ptr<ColdRuns> runs(new ColdRuns(plan, piece));
  ARROW_ASSIGN_OR_RAISE(auto segment, piece.segment->Open());
  cold::SegmentScanOptions options;
  options.columns = plan.decoded->columns();
  const std::vector<int>& key = plan.source.row_schema->key_columns();
  options.columns.insert(options.columns.end(), key.begin(), key.end());
  options.key_prefix = plan.source.key_prefix;
  options.ranges = std::move(ranges);
  options.predicate = plan.tested;
  options.reverse = plan.reverse;
  options.batch_rows = std::max(plan.batch_size, kBatchRows);
  ARROW_ASSIGN_OR_RAISE(runs->scan_, cold::SegmentScan::Make(std::move(segment), plan.source.row_schema, options));
  return runs;
}

// The row at hand comes before the bound. Where tiers are mixed, runs are short.
arrow::Result<ColdRuns::Run> ColdRuns::Cut(std::string_view bound, int64_t rows) const {
  Run run = plan_.reverse ? Run{0, next_ + 1} : Run{next_, batch_->num_rows()};
  if (!bound.empty() && plan_.reverse) {
    ARROW_ASSIGN_OR_RAISE(run.first, keys_->FirstAbove(bound, next_));
  } else if (!bound.empty()) {
    ARROW_ASSIGN_OR_RAISE(run.end, keys_->LowerBound(bound, next_ + 1));
  }
  if (plan_.reverse) {
    run.first = std::max(run.first, run.end - rows);
  } else {
    run.end = std::min(run.end, run.first + rows);
  }
  return run;
}

arrow::Result<std::vector<ColdRuns::Run>> ColdRuns::Take(std::string_view bound, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const Run run, Cut(bound, rows));
  std::vector<Run> kept;
  const auto first = static_cast<int64_t>(first_row_);
  piece_.dropped.VisitKept(static_cast<uint64_t>(first + run.first), static_cast<uint64_t>(first + run.end),
                           [&](uint64_t from, uint64_t to) {
                             kept.push_back({static_cast<int64_t>(from) - first, static_cast<int64_t>(to) - first});
                           });
  if (plan_.reverse) std::ranges::reverse(kept);
  next_ = plan_.reverse ? run.first - 1 : run.end;
  return kept;
}

// Stands on the first row that is there, behind those taken.
arrow::Result<bool> ColdRuns::Advance() {
  for (;;) {
    while (has_row() && piece_.dropped.Contains(first_row_ + static_cast<uint64_t>(next_))) {
      next_ += plan_.reverse ? -1 : 1;
    }
    if (has_row()) {
      ARROW_RETURN_NOT_OK(keys_->Encode(next_, &key_));
      return true;
    }
    batch_ = nullptr;
    ARROW_ASSIGN_OR_RAISE(auto batch, scan_->Next());
    if (!batch) return false;
    batch_ = std::move(batch->batch);
    first_row_ = batch->first_row;
    next_ = plan_.reverse ? batch_->num_rows() - 1 : 0;
    const auto& columns = batch_->columns();
    const auto key_parts = static_cast<ptrdiff_t>(plan_.source.row_schema->key_columns().size());
    ARROW_ASSIGN_OR_RAISE(keys_, cold::RowKeys::Bind(*plan_.source.row_schema, plan_.source.key_prefix,
                                                     {columns.end() - key_parts, columns.end()}));
  }
}

TieredBatches::TieredBatches(const ScanPlan& plan, ScanCursor hot, std::vector<ColdPiece> pieces,
                             std::vector<KeyRange> ranges, const std::atomic<bool>* cancelled)
    : plan_(plan),
      hot_(std::move(hot)),
      ranges_(std::move(ranges)),
      cancelled_(cancelled),
      cold_(std::move(pieces), plan.reverse,
            [this](const ColdPiece& piece) { return ColdRuns::Make(plan_, piece, ranges_); }) {
  if (plan_.predicate) evaluator_.emplace(plan_.predicate);
}

arrow::Result<std::unique_ptr<TieredBatches>> TieredBatches::Make(const ScanPlan& plan, const Snapshot& snapshot,
                                                                  const ColdPieces& cold, std::vector<KeyRange> ranges,
                                                                  const std::atomic<bool>* cancelled) {
  const ScanSource& source = plan.source;
  ScanCursor hot = source.store->commits().Scan({.partition = source.partition,
                                                 .lower = ranges.front().lower,
                                                 .upper = ranges.back().upper,
                                                 .reverse = plan.reverse,
                                                 .snapshot = snapshot,
                                                 .fill_cache = plan.fill_cache},
                                                source.overlay);
  std::vector<ColdPiece> pieces = cold.In(ranges.front().lower, ranges.back().upper);
  std::unique_ptr<TieredBatches> tiers(
      new TieredBatches(plan, std::move(hot), std::move(pieces), std::move(ranges), cancelled));
  ARROW_RETURN_NOT_OK(tiers->NextHot());
  return tiers;
}

Status TieredBatches::NextHot() {
  while (ranges_begun_ == 0 || !hot_.Next()) {
    ARROW_RETURN_NOT_OK(hot_.status());
    if (ranges_begun_ == ranges_.size()) {
      hot_at_end_ = true;
      return Status::OK();
    }
    const KeyRange& range = ranges_[plan_.reverse ? ranges_.size() - 1 - ranges_begun_ : ranges_begun_];
    ++ranges_begun_;
    hot_.ResetRange(range.lower, range.upper);
  }
  return Status::OK();
}

// A segment is opened when no hot row comes before it.
arrow::Result<bool> TieredBatches::IsColdNext() {
  while (!cold_.at_end() && (hot_at_end_ || !ComesBefore(hot_.key(), cold_.bound()))) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, cold_.Reach());
    if (has_row && (hot_at_end_ || !ComesBefore(hot_.key(), cold_.top().key()))) return true;
  }
  return false;
}

Status TieredBatches::TakeHot(BatchBuilder* builder, std::vector<Slice>* slices) {
  const std::string_view row = hot_.value();
  // A row too short to have flags is left to the decoder, which says what is wrong with it.
  const bool deleted = row.size() >= kRowHeaderSize && IsDeletedRow(row);
  bool passes = !deleted;
  if (passes && evaluator_) {
    passes = evaluator_->Matches(hot_.key(), row);
    ARROW_RETURN_NOT_OK(evaluator_->status());
  }
  if (passes) {
    ARROW_RETURN_NOT_OK(builder->Append(hot_.key(), row));
    if (!slices->empty() && slices->back().batch == nullptr) {
      ++slices->back().rows;
    } else {
      slices->push_back({nullptr, builder->rows() - 1, 1});
    }
  }
  return NextHot();
}

Status TieredBatches::TakeCold(int64_t rows, std::vector<Slice>* slices, int64_t* taken) {
  ColdRuns& runs = cold_.top();
  const BatchPtr batch = runs.batch();
  // Up to the next key that another source has.
  std::string_view bound = cold_.bound_of_others();
  if (!hot_at_end_ && (bound.empty() || ComesBefore(hot_.key(), bound))) bound = hot_.key();
  ARROW_ASSIGN_OR_RAISE(const auto kept, runs.Take(bound, rows));
  for (const ColdRuns::Run& run : kept) {
    slices->push_back({batch, run.first, run.end - run.first});
    *taken += run.end - run.first;
  }
  return cold_.Advance();
}

// Turns the rows of segments round; those of the builder come in the order of the scan.
arrow::Result<arrow::ArrayDataVector> TieredBatches::Reverse(arrow::ArrayDataVector columns,
                                                             const std::vector<Slice>& slices, int64_t rows) const {
  ARROW_RETURN_NOT_OK(batch::RegisterKernels());
  auto* const pool = plan_.pool == nullptr ? arrow::default_memory_pool() : plan_.pool;
  arrow::Int32Builder order(pool);
  ARROW_RETURN_NOT_OK(order.Reserve(rows));
  int64_t begin = 0;
  for (const Slice& slice : slices) {
    for (int64_t i = 0; i < slice.rows; ++i) {
      order.UnsafeAppend(static_cast<int32_t>(begin + (slice.batch == nullptr ? i : slice.rows - 1 - i)));
    }
    begin += slice.rows;
  }
  ARROW_ASSIGN_OR_RAISE(const auto indices, order.Finish());
  arrow::compute::ExecContext context(pool);
  for (auto& column : columns) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum taken,
                          arrow::compute::Take(arrow::Datum(column), arrow::Datum(indices),
                                               arrow::compute::TakeOptions::NoBoundsCheck(), &context));
    column = taken.array();
  }
  return columns;
}

// One slice is handed on as it is; several are copied together.
arrow::Result<BatchPtr> TieredBatches::Join(BatchBuilder* builder, const std::vector<Slice>& slices) const {
  BatchPtr hot;
  if (builder->rows() > 0) {
    ARROW_ASSIGN_OR_RAISE(hot, builder->Finish());
  }
  const auto batch_of = [&](const Slice& slice) -> const arrow::RecordBatch& {
    return slice.batch == nullptr ? *hot : *slice.batch;
  };
  int64_t rows = 0;
  for (const Slice& slice : slices) rows += slice.rows;
  arrow::ArrayDataVector columns;
  for (int column = 0; column < builder->schema()->num_fields(); ++column) {
    arrow::ArrayVector parts;
    for (const Slice& slice : slices) {
      parts.push_back(batch_of(slice).column(column)->Slice(slice.first, slice.rows));
    }
    if (parts.size() > 1) {
      auto* const pool = plan_.pool == nullptr ? arrow::default_memory_pool() : plan_.pool;
      ARROW_ASSIGN_OR_RAISE(parts[0], arrow::Concatenate(parts, pool));
    }
    columns.push_back(parts[0]->data());
  }
  if (plan_.reverse) {
    ARROW_ASSIGN_OR_RAISE(columns, Reverse(std::move(columns), slices, rows));
  }
  return CreateBatchTrusted(builder->schema(), std::move(columns), rows);
}

arrow::Result<BatchPtr> TieredBatches::Next(BatchBuilder* builder, int64_t max_rows) {
  constexpr size_t kMostSlices = 4096;
  std::vector<Slice> slices;
  int64_t cold_rows = 0;
  for (int64_t steps = 0; builder->rows() + cold_rows < max_rows && !builder->full(); ++steps) {
    if (cancelled_->load(std::memory_order_relaxed)) return Status::Cancelled("The scan was cancelled");
    if (slices.size() >= kMostSlices && builder->rows() + cold_rows > 0) break;
    ARROW_ASSIGN_OR_RAISE(const bool is_cold, IsColdNext());
    if (is_cold) {
      ARROW_RETURN_NOT_OK(TakeCold(max_rows - builder->rows() - cold_rows, &slices, &cold_rows));
    } else if (!hot_at_end_) {
      ARROW_RETURN_NOT_OK(TakeHot(builder, &slices));
    } else {
      break;
    }
  }
  cold_rows_ += static_cast<uint64_t>(cold_rows);
  if (slices.empty()) return nullptr;
  return Join(builder, slices);
}

}  // namespace yarrow
