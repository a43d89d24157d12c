#include "table/piece_scanner.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

namespace yarrow {
using arrow::Status;

void ScanCounters::Add(const ScanMetrics& now, const ScanMetrics& before) {
  rows_visited.fetch_add(now.rows_visited - before.rows_visited, std::memory_order_relaxed);
  rows_passed.fetch_add(now.rows_passed - before.rows_passed, std::memory_order_relaxed);
  bytes_visited.fetch_add(now.bytes_visited - before.bytes_visited, std::memory_order_relaxed);
  bytes_decoded.fetch_add(now.bytes_decoded - before.bytes_decoded, std::memory_order_relaxed);
  row_groups_read.fetch_add(now.row_groups_read - before.row_groups_read, std::memory_order_relaxed);
}

ScanMetrics ScanCounters::Read() const {
  return {.rows_visited = rows_visited.load(std::memory_order_relaxed),
          .rows_passed = rows_passed.load(std::memory_order_relaxed),
          .bytes_visited = bytes_visited.load(std::memory_order_relaxed),
          .bytes_decoded = bytes_decoded.load(std::memory_order_relaxed),
          .row_groups_read = row_groups_read.load(std::memory_order_relaxed)};
}

PieceScanner::PieceScanner(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot, ScanCounters* counters,
                           const std::atomic<bool>* cancelled)
    : plan_(std::move(plan)), counters_(counters), walker_(plan_, std::move(snapshot), cancelled) {}

PieceScanner::~PieceScanner() {
  if (builder_ && plan_->pool == nullptr) plan_->decoded->GiveBack(std::move(builder_));
}

Status PieceScanner::Start(std::vector<KeyRange> ranges) {
  if (!builder_) {
    ARROW_ASSIGN_OR_RAISE(builder_, plan_->decoded->TakeBuilder(plan_->pool));
    counted_.rows_passed = builder_->rows_decoded();  // by scans before this one
    counted_.bytes_decoded = builder_->bytes_decoded();
  }
  walker_.Start(std::move(ranges));
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
  if (max_rows <= 0) return nullptr;
  for (int64_t rows = max_rows; !walker_.at_end(); rows = std::min(rows * 4, plan_->batch_size)) {
    ARROW_RETURN_NOT_OK(builder_->Reserve(rows));
    const Status status = walker_.Walk(*builder_, rows);
    Count();
    ARROW_RETURN_NOT_OK(status);
    if (builder_->rows() == 0) return nullptr;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, builder_->Finish());
    if (!plan_->has_residual) return batch;
    ARROW_ASSIGN_OR_RAISE(batch, ApplyResidual(std::move(batch)));
    if (batch->num_rows() > 0) return batch;
  }
  return nullptr;
}

void PieceScanner::Count() {
  const ScanMetrics now{.rows_visited = walker_.rows_visited(),
                        .rows_passed = builder_->rows_decoded(),
                        .bytes_visited = walker_.bytes_visited(),
                        .bytes_decoded = builder_->bytes_decoded(),
                        .row_groups_read = walker_.row_groups_read()};
  counters_->Add(now, counted_);
  counted_ = now;
}

}  // namespace yarrow
