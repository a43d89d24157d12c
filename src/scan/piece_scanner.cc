#include "scan/piece_scanner.h"

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
                           const std::atomic<bool>* cancelled, std::shared_ptr<const ColdPieces> cold)
    : plan_(std::move(plan)),
      counters_(counters),
      cancelled_(cancelled),
      snapshot_(snapshot),
      walker_(plan_, std::move(snapshot), cancelled),
      cold_(std::move(cold)) {
  if (cold_) walker_.UseCold(snapshot_, cold_);
}

PieceScanner::~PieceScanner() {
  if (builder_ && plan_->pool == nullptr) plan_->decoded->GiveBack(std::move(builder_));
}

Status PieceScanner::Start(std::vector<KeyRange> ranges) {
  if (!builder_) {
    ARROW_ASSIGN_OR_RAISE(builder_, plan_->decoded->TakeBuilder(plan_->pool));
    counted_.rows_passed = builder_->rows_decoded();  // by scans before this one
    counted_.bytes_decoded = builder_->bytes_decoded();
  }
  CloseTiers();
  if (plan_->cold_batches) {
    ranges_ = std::move(ranges);
    must_open_ = !ranges_.empty();
  } else {
    walker_.Start(std::move(ranges));
  }
  return Status::OK();
}

void PieceScanner::CloseTiers() {
  if (!tiers_) return;
  tiered_rows_ += tiers_->rows_visited();
  tiered_bytes_ += tiers_->bytes_visited();
  tiered_row_groups_ += tiers_->row_groups_read();
  cold_rows_ += tiers_->cold_rows();
  tiers_.reset();
}

Status PieceScanner::Open() {
  must_open_ = false;
  if (snapshot_.is_null()) snapshot_ = plan_->source.store->GetSnapshot();
  if (!cold_) {
    ARROW_ASSIGN_OR_RAISE(ColdPieces found, FindColdPieces(*plan_, snapshot_));
    cold_ = std::make_shared<const ColdPieces>(std::move(found));
    walker_.UseCold(snapshot_, cold_);
  }
  if (cold_->pieces.empty() || cold_->are_looked_up) {
    walker_.Start(std::move(ranges_));
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(tiers_, TieredBatches::Make(*plan_, snapshot_, *cold_, std::move(ranges_), cancelled_));
  return Status::OK();
}

namespace {

// Of a batch of decoded columns, of which they are the first.
arrow::ArrayDataVector OutputColumns(const ScanPlan& plan, const arrow::RecordBatch& batch) {
  const auto& columns = batch.column_data();
  return {columns.begin(), columns.begin() + plan.output->schema()->num_fields()};
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> PieceScanner::ToOutput(
    std::shared_ptr<arrow::RecordBatch> batch) const {
  if (plan_->decoded == plan_->output) return batch;
  return CreateBatchTrusted(plan_->output->schema(), OutputColumns(*plan_, *batch), batch->num_rows());
}

// The rows of a batch of decoded columns that pass, as a batch of the output's.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> PieceScanner::ApplyFilter(
    const arrow::compute::Expression& filter, std::shared_ptr<arrow::RecordBatch> batch) const {
  namespace cp = arrow::compute;
  // Each column once: the result may have a column twice, which Arrow finds ambiguous.
  arrow::ArrayVector inputs;
  for (int input : plan_->residual_inputs) inputs.push_back(batch->column(input));
  cp::ExecContext context(plan_->pool == nullptr ? arrow::default_memory_pool() : plan_->pool);
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum passed,
      cp::ExecuteScalarExpression(
          filter, *plan_->source.row_schema->arrow_schema(),
          arrow::RecordBatch::Make(plan_->residual_schema, batch->num_rows(), std::move(inputs)), &context));
  // Only the output columns are filtered: the others have done their work.
  arrow::ArrayDataVector columns = OutputColumns(*plan_, *batch);
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
  if (must_open_) ARROW_RETURN_NOT_OK(Open());
  return tiers_ ? NextTiered(max_rows) : NextRows(max_rows);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> PieceScanner::NextTiered(int64_t max_rows) {
  for (int64_t rows = max_rows;; rows = std::min(rows * 4, plan_->batch_size)) {
    auto next = tiers_->Next(builder_.get(), rows);
    Count();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, std::move(next));
    if (batch == nullptr) return nullptr;
    if (!plan_->filter.is_valid()) return batch;
    ARROW_ASSIGN_OR_RAISE(batch, ApplyFilter(plan_->filter, std::move(batch)));
    if (batch->num_rows() > 0) return batch;
  }
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> PieceScanner::NextRows(int64_t max_rows) {
  for (int64_t rows = max_rows; !walker_.at_end(); rows = std::min(rows * 4, plan_->batch_size)) {
    ARROW_RETURN_NOT_OK(builder_->Reserve(rows));
    const Status status = walker_.Walk(*builder_, rows);
    Count();
    ARROW_RETURN_NOT_OK(status);
    if (builder_->rows() == 0) return nullptr;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, builder_->Finish());
    if (!plan_->has_residual) return ToOutput(std::move(batch));
    ARROW_ASSIGN_OR_RAISE(batch, ApplyFilter(plan_->residual, std::move(batch)));
    if (batch->num_rows() > 0) return batch;
  }
  return nullptr;
}

void PieceScanner::Count() {
  ScanMetrics now{.rows_visited = walker_.rows_visited() + tiered_rows_,
                  .rows_passed = builder_->rows_decoded() + cold_rows_,
                  .bytes_visited = walker_.bytes_visited() + tiered_bytes_,
                  .bytes_decoded = builder_->bytes_decoded(),
                  .row_groups_read = walker_.row_groups_read() + tiered_row_groups_};
  if (tiers_) {
    now.rows_visited += tiers_->rows_visited();
    now.rows_passed += tiers_->cold_rows();
    now.bytes_visited += tiers_->bytes_visited();
    now.row_groups_read += tiers_->row_groups_read();
  }
  counters_->Add(now, counted_);
  counted_ = now;
}

}  // namespace yarrow
