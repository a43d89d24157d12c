#include "table/piece_scanner.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "row/row_layout.h"

namespace yarrow {
namespace {

using arrow::Status;

// Rows passed over between two looks at the cancel flag.
constexpr uint64_t kRowsBetweenChecks = 16384;

}  // namespace

ScanMetrics ScanCounters::Read() const {
  return {.rows_visited = rows_visited.load(std::memory_order_relaxed),
          .rows_passed = rows_passed.load(std::memory_order_relaxed),
          .bytes_visited = bytes_visited.load(std::memory_order_relaxed),
          .bytes_decoded = bytes_decoded.load(std::memory_order_relaxed)};
}

PieceScanner::PieceScanner(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot, ScanCounters* counters,
                           const std::atomic<bool>* cancelled)
    : plan_(std::move(plan)), snapshot_(std::move(snapshot)), counters_(counters), cancelled_(cancelled) {}

PieceScanner::~PieceScanner() {
  if (builder_ && plan_->pool == nullptr) plan_->decoded->GiveBack(std::move(builder_));
}

Status PieceScanner::Start(std::vector<KeyRange> ranges) {
  if (!builder_) {
    ARROW_ASSIGN_OR_RAISE(builder_, plan_->decoded->TakeBuilder(plan_->pool));
    counted_.rows_passed = builder_->rows_decoded();  // by scans before this one
    counted_.bytes_decoded = builder_->bytes_decoded();
    if (plan_->predicate) evaluator_.emplace(plan_->predicate);
  }
  Count();
  ranges_ = std::move(ranges);
  ranges_begun_ = 0;
  range_open_ = false;
  return ranges_.empty() ? Status::OK() : OpenCursor();
}

// One cursor spans all ranges of the piece and is pointed at one after the other.
Status PieceScanner::OpenCursor() {
  std::visit(
      [this]<class Cursor>(const Cursor& old) {
        if constexpr (!std::is_same_v<Cursor, std::monostate>) {
          visited_before_ += old.rows_visited();
          bytes_before_ += old.bytes_visited();
        }
      },
      cursor_);
  const ScanSource& source = plan_->source;
  if (source.kind == SourceKind::kStatistics) {
    cursor_.emplace<StatisticsCursor>(*source.store, plan_->reverse);
    return Status::OK();
  }
  ScanSpec spec;
  spec.partition = source.partition;
  spec.lower = ranges_.front().lower;
  spec.upper = ranges_.back().upper;
  spec.reverse = plan_->reverse;
  spec.snapshot = snapshot_;
  spec.overlay = source.overlay;
  cursor_.emplace<ScanCursor>(source.store->Scan(std::move(spec)));
  // A single range is the cursor's own: it needs no further bounds.
  range_open_ = ranges_.size() == 1;
  ranges_begun_ = range_open_ ? 1 : 0;
  return Status::OK();
}

bool PieceScanner::NextRange() {
  if (ranges_begun_ == ranges_.size()) return false;
  const KeyRange& range = plan_->reverse ? ranges_[ranges_.size() - 1 - ranges_begun_] : ranges_[ranges_begun_];
  ++ranges_begun_;
  std::visit(
      [&]<class Cursor>(Cursor& cursor) {
        if constexpr (!std::is_same_v<Cursor, std::monostate>) cursor.ResetRange(range.lower, range.upper);
      },
      cursor_);
  return true;
}

// The loop of every scan: deleted rows, then the predicate on the encoded bytes, and only then cells.
template <class Cursor>
arrow::Result<PieceScanner::Filled> PieceScanner::Fill(Cursor& cursor, int64_t rows) {
  BatchBuilder& builder = *builder_;
  const uint64_t check_at = cursor.rows_visited() + kRowsBetweenChecks;
  int64_t missing = rows - builder.rows();
  while (missing > 0) {
    if (!cursor.Next()) {
      ARROW_RETURN_NOT_OK(cursor.status());
      return Filled::kRangeEnd;
    }
    const std::string_view row = cursor.value();
    // A row too short to have flags is left to the decoder, which says what is wrong with it.
    if (row.size() >= kRowHeaderSize && IsDeletedRow(row)) {
      if (cursor.rows_visited() >= check_at) break;
      continue;
    }
    if (evaluator_ && !evaluator_->Matches(cursor.key(), row)) {
      if (!evaluator_->status().ok()) return evaluator_->status();
      if (cursor.rows_visited() >= check_at) break;
      continue;
    }
    ARROW_RETURN_NOT_OK(builder.Append(cursor.key(), row));
    --missing;
    if (builder.full()) break;
  }
  return Filled::kMore;
}

Status PieceScanner::FillBatch(int64_t rows) {
  ARROW_RETURN_NOT_OK(builder_->Reserve(rows));
  while (builder_->rows() < rows && !builder_->full()) {
    if (cancelled_->load(std::memory_order_relaxed)) return Status::Cancelled("The scan was cancelled");
    if (!range_open_) {
      if (!NextRange()) return Status::OK();
      range_open_ = true;
    }
    ARROW_ASSIGN_OR_RAISE(const Filled filled, std::visit(
                                                   [&]<class Cursor>(Cursor& cursor) -> arrow::Result<Filled> {
                                                     if constexpr (std::is_same_v<Cursor, std::monostate>) {
                                                       return Filled::kRangeEnd;
                                                     } else {
                                                       return Fill(cursor, rows);
                                                     }
                                                   },
                                                   cursor_));
    if (filled == Filled::kRangeEnd) range_open_ = false;
  }
  return Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> PieceScanner::ApplyResidual(
    std::shared_ptr<arrow::RecordBatch> batch) const {
  namespace cp = arrow::compute;
  // Each column once: the result may have a column twice, which Arrow finds ambiguous.
  arrow::ArrayVector inputs;
  for (int input : plan_->residual_inputs) inputs.push_back(batch->column(input));
  cp::ExecContext context(plan_->pool == nullptr ? arrow::default_memory_pool() : plan_->pool);
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum passed,
      cp::ExecuteScalarExpression(
          plan_->residual, *plan_->source.row_schema->arrow_schema(),
          arrow::RecordBatch::Make(plan_->residual_schema, batch->num_rows(), std::move(inputs)), &context));
  // Only the output columns are filtered: the others have done their work.
  const int output_columns = plan_->output->schema()->num_fields();
  arrow::ArrayDataVector columns(batch->column_data().begin(), batch->column_data().begin() + output_columns);
  if (passed.is_scalar()) {
    const auto& keep = passed.scalar_as<arrow::BooleanScalar>();
    if (!keep.is_valid || !keep.value) return arrow::RecordBatch::MakeEmpty(plan_->output->schema());
    return CreateBatchTrusted(plan_->output->schema(), std::move(columns), batch->num_rows());
  }
  int64_t rows = 0;
  if (columns.empty()) {
    rows = std::static_pointer_cast<arrow::BooleanArray>(passed.make_array())->true_count();
  }
  for (auto& column : columns) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum kept,
                          cp::Filter(arrow::Datum(column), passed, cp::FilterOptions::Defaults(), &context));
    column = kept.array();
    rows = column->length;
  }
  return CreateBatchTrusted(plan_->output->schema(), std::move(columns), rows);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> PieceScanner::Next(int64_t max_rows) {
  if (ranges_.empty() || max_rows <= 0) return nullptr;
  for (int64_t rows = max_rows;; rows = std::min(rows * 4, plan_->batch_size)) {
    const Status status = FillBatch(rows);
    Count();
    ARROW_RETURN_NOT_OK(status);
    if (builder_->rows() == 0) return nullptr;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, builder_->Finish());
    if (!plan_->has_residual) return batch;
    ARROW_ASSIGN_OR_RAISE(batch, ApplyResidual(std::move(batch)));
    if (batch->num_rows() > 0) return batch;
  }
}

void PieceScanner::Count() {
  ScanMetrics now;
  now.rows_visited = visited_before_;
  now.bytes_visited = bytes_before_;
  std::visit(
      [&]<class Cursor>(const Cursor& cursor) {
        if constexpr (!std::is_same_v<Cursor, std::monostate>) {
          now.rows_visited += cursor.rows_visited();
          now.bytes_visited += cursor.bytes_visited();
        }
      },
      cursor_);
  now.rows_passed = builder_->rows_decoded();
  now.bytes_decoded = builder_->bytes_decoded();
  counters_->rows_visited.fetch_add(now.rows_visited - counted_.rows_visited, std::memory_order_relaxed);
  counters_->bytes_visited.fetch_add(now.bytes_visited - counted_.bytes_visited, std::memory_order_relaxed);
  counters_->rows_passed.fetch_add(now.rows_passed - counted_.rows_passed, std::memory_order_relaxed);
  counters_->bytes_decoded.fetch_add(now.bytes_decoded - counted_.bytes_decoded, std::memory_order_relaxed);
  counted_ = now;
}

}  // namespace yarrow
