#include <arrow/util/byte_size.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "scan/morsels.h"
#include "scan/piece_scanner.h"
#include "scan/table_scan.h"
#include "store/guarded.h"
#include "store/home_process.h"

namespace yarrow {
namespace {

using arrow::Status;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

// Bytes of batches that wait for the reader. A thread that is ahead of the reader stops there. The one working on the
// morsel that is read next has some bytes of its own, or the scan could stand still.
constexpr int64_t kWaitingBytes = 24 << 20;
constexpr int64_t kNextLaneBytes = 4 << 20;

// Threads take morsels in the order of the scan. In key order, the reader drains them in that order too; else it takes
// batches as they come, which is the same with every batch put into the first lane.
class ParallelScan : public TableScan {
 public:
  ParallelScan(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot, std::shared_ptr<const ColdPieces> cold,
               std::vector<Morsel> morsels)
      : plan_(std::move(plan)),
        cold_(std::move(cold)),
        morsels_(std::move(morsels)),
        lanes_(morsels_.size()),
        snapshot_(std::move(snapshot)),
        rows_left_(plan_->limit) {}
  ~ParallelScan() override { Stop(); }

  std::shared_ptr<arrow::Schema> schema() const override { return plan_->result_schema(); }

  Status ReadNext(BatchPtr* batch) override {
    batch->reset();
    ARROW_RETURN_NOT_OK(HomeProcess::Check());
    if (rows_left_ <= 0 || closed_) return Status::OK();
    if (threads_.empty()) ARROW_RETURN_NOT_OK(StartThreads());
    ARROW_ASSIGN_OR_RAISE(*batch, Take());
    if (*batch == nullptr) {
      Stop();
      return Status::OK();
    }
    if ((*batch)->num_rows() > rows_left_) *batch = (*batch)->Slice(0, rows_left_);
    rows_left_ -= (*batch)->num_rows();
    if (rows_left_ <= 0) Stop();
    return Status::OK();
  }

  Status Close() override {
    if (HomeProcess::IsHome()) Stop();
    return Status::OK();
  }

  void Cancel() override {
    cancelled_.store(true, std::memory_order_relaxed);
    if (!HomeProcess::IsHome()) return;
    std::lock_guard lock(mutex_);
    changed_.notify_all();
  }

  ScanMetrics metrics() const override { return counters_.Read(); }
  std::string Explain() const override {
    return plan_->Explain() + "  pieces: " + std::to_string(morsels_.size()) + "\n";
  }

 private:
  struct Lane {
    std::deque<std::pair<BatchPtr, int64_t>> batches;  // with their bytes
    int64_t bytes = 0;                                 // of those
    bool done = false;
  };

  // Fewer than were asked for do.
  Status StartThreads() {
    const size_t count = std::min<size_t>(plan_->threads, morsels_.size());
    threads_.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      auto thread = StartThread("yarrow-scan", [this] { Work(); });
      if (!thread.ok()) return i > 0 ? Status::OK() : thread.status();
      threads_.push_back(*std::move(thread));
    }
    return Status::OK();
  }

  // The next batch of the reader; null at the end.
  arrow::Result<BatchPtr> Take() {
    std::unique_lock lock(mutex_);
    while (true) {
      ARROW_RETURN_NOT_OK(failure_);
      if (cancelled_.load(std::memory_order_relaxed)) return Status::Cancelled("The scan was cancelled");
      Lane& lane = lanes_[plan_->ordered ? read_lane_ : 0];
      if (!lane.batches.empty()) {
        auto [batch, bytes] = std::move(lane.batches.front());
        lane.batches.pop_front();
        lane.bytes -= bytes;
        waiting_bytes_ -= bytes;
        changed_.notify_all();
        return batch;
      }
      if (plan_->ordered ? lane.done : done_lanes_ == lanes_.size()) {
        if (!plan_->ordered || ++read_lane_ == lanes_.size()) return nullptr;
        changed_.notify_all();  // the thread on that morsel may go on now
        continue;
      }
      changed_.wait(lock);
    }
  }

  void Work() {
    Status status = RunGuarded([this] { return ScanMorsels(); });
    if (status.ok()) return;
    std::lock_guard lock(mutex_);
    if (failure_.ok()) failure_ = std::move(status);  // a copy takes memory
    changed_.notify_all();
  }

  Status ScanMorsels() {
    PieceScanner scanner(plan_, snapshot_, &counters_, &cancelled_, cold_);
    while (true) {
      const size_t morsel = next_morsel_.fetch_add(1);
      if (morsel >= morsels_.size()) return Status::OK();
      ARROW_RETURN_NOT_OK(Scan(&scanner, morsel));
      std::lock_guard lock(mutex_);
      lanes_[morsel].done = true;
      ++done_lanes_;
      changed_.notify_all();
    }
  }

  Status Scan(PieceScanner* scanner, size_t morsel) {
    ARROW_RETURN_NOT_OK(scanner->Start(morsels_[morsel]));
    int64_t rows_left = plan_->limit;
    // Only the first morsels are read by someone who may stop early.
    BatchSizes growing(plan_->batch_size);
    const bool grow = morsel < static_cast<size_t>(plan_->threads);
    while (rows_left > 0) {
      const int64_t rows = grow ? growing.Next(rows_left) : std::min(plan_->batch_size, rows_left);
      ARROW_ASSIGN_OR_RAISE(BatchPtr batch, scanner->Next(rows));
      if (batch == nullptr) return Status::OK();
      rows_left -= batch->num_rows();
      ARROW_ASSIGN_OR_RAISE(batch, plan_->ToUser(std::move(batch)));
      if (!Give(std::move(batch), morsel)) return Status::OK();
    }
    return Status::OK();
  }

  // Waits for room; false when the scan is over.
  bool Give(BatchPtr batch, size_t morsel) {
    const int64_t bytes = arrow::util::TotalBufferSize(*batch);
    std::unique_lock lock(mutex_);
    Lane& lane = lanes_[plan_->ordered ? morsel : 0];
    changed_.wait(lock, [&] {
      const bool is_next = plan_->ordered && morsel == read_lane_;
      return cancelled_.load(std::memory_order_relaxed) || waiting_bytes_ < kWaitingBytes ||
             (is_next && lane.bytes < kNextLaneBytes);
    });
    if (cancelled_.load(std::memory_order_relaxed)) return false;
    waiting_bytes_ += bytes;
    lane.bytes += bytes;
    lane.batches.emplace_back(std::move(batch), bytes);
    changed_.notify_all();
    return true;
  }

  void Stop() {
    closed_ = true;
    Cancel();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    lanes_.clear();
    snapshot_ = {};
  }

  const std::shared_ptr<const ScanPlan> plan_;
  const std::shared_ptr<const ColdPieces> cold_;  // null: none
  const std::vector<Morsel> morsels_;
  ScanCounters counters_;
  std::atomic<bool> cancelled_{false};
  std::atomic<size_t> next_morsel_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Lane> lanes_;  // one a morsel
  size_t read_lane_ = 0;
  size_t done_lanes_ = 0;
  int64_t waiting_bytes_ = 0;
  Status failure_;

  // Of the reader.
  std::vector<std::thread> threads_;
  Snapshot snapshot_;  // given up when the threads are gone
  int64_t rows_left_;
  bool closed_ = false;
};

}  // namespace

arrow::Result<std::shared_ptr<TableScan>> RunParallelScan(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot) {
  // All threads read one moment.
  if (snapshot.is_null()) snapshot = plan->source.store->GetSnapshot();
  std::shared_ptr<const ColdPieces> cold;
  if (plan->source.MayHaveSegments()) {
    ARROW_ASSIGN_OR_RAISE(ColdPieces found, FindColdPieces(*plan, snapshot));
    cold = std::make_shared<const ColdPieces>(std::move(found));
  }
  std::vector<Morsel> morsels = CutIntoMorsels(*plan);
  return std::shared_ptr<ParallelScan>(
      new ParallelScan(std::move(plan), std::move(snapshot), std::move(cold), std::move(morsels)), DeleteAtHome());
}

}  // namespace yarrow
