#include <algorithm>
#include <utility>

#include "scan/piece_scanner.h"
#include "scan/table_scan.h"
#include "store/home_process.h"

namespace yarrow {

int64_t BatchSizes::Next(int64_t rows_left) {
  const int64_t size = std::min(next_, full_);
  next_ = size * 4;
  return std::min(size, rows_left);
}

namespace {

class SerialScan : public TableScan {
 public:
  explicit SerialScan(std::shared_ptr<const ScanPlan> plan)
      : plan_(std::move(plan)), rows_left_(plan_->limit), sizes_(plan_->batch_size) {}

  arrow::Status Start(Snapshot snapshot) {
    scanner_.emplace(plan_, std::move(snapshot), &counters_, &cancelled_);
    return scanner_->Start(plan_->ranges);
  }

  std::shared_ptr<arrow::Schema> schema() const override { return plan_->result_schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    ARROW_RETURN_NOT_OK(HomeProcess::Check());
    if (!scanner_ || rows_left_ <= 0) return failure_;
    auto next = scanner_->Next(BatchRows());
    if (next.ok()) next = plan_->ToUser(*std::move(next));
    if (!next.ok()) failure_ = next.status();  // once failed, always: going on would skip a row
    *batch = std::move(next).ValueOr(nullptr);
    if (*batch != nullptr && (*batch)->num_rows() > rows_left_) *batch = (*batch)->Slice(0, rows_left_);
    if (*batch != nullptr) rows_left_ -= (*batch)->num_rows();
    if (*batch == nullptr || rows_left_ <= 0) scanner_.reset();  // gives the snapshot up
    return failure_;
  }

  arrow::Status Close() override {
    if (HomeProcess::IsHome()) scanner_.reset();
    return arrow::Status::OK();
  }

  void Cancel() override { cancelled_.store(true, std::memory_order_relaxed); }
  ScanMetrics metrics() const override { return counters_.Read(); }
  std::string Explain() const override { return plan_->Explain(); }

 private:
  // A limit is the best guess of what will be read: its rows come in one batch. It says nothing of the rows that a
  // residual has to look at.
  int64_t BatchRows() {
    if (plan_->has_residual) return sizes_.Next(ScanPlan::kNoLimit);
    if (plan_->limit != ScanPlan::kNoLimit) return std::min(rows_left_, plan_->batch_size);
    return sizes_.Next(rows_left_);
  }

  const std::shared_ptr<const ScanPlan> plan_;
  ScanCounters counters_;
  std::atomic<bool> cancelled_{false};
  std::optional<PieceScanner> scanner_;
  arrow::Status failure_;
  int64_t rows_left_;
  BatchSizes sizes_;
};

}  // namespace

arrow::Result<std::shared_ptr<TableScan>> RunSerialScan(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot) {
  std::shared_ptr<SerialScan> scan(new SerialScan(std::move(plan)), DeleteAtHome());
  ARROW_RETURN_NOT_OK(scan->Start(std::move(snapshot)));
  return scan;
}

arrow::Result<std::shared_ptr<TableScan>> RunScan(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot) {
  // A short limit is read faster by one thread than others are started.
  const bool short_limit = plan->limit <= plan->batch_size && !plan->predicate && !plan->has_residual;
  const bool parallel =
      plan->threads > 1 && !short_limit && plan->source.kind == SourceKind::kHot && !plan->ranges.empty();
  return parallel ? RunParallelScan(std::move(plan), std::move(snapshot))
                  : RunSerialScan(std::move(plan), std::move(snapshot));
}

}  // namespace yarrow
