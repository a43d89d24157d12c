#include "write/ordered_worker.h"

#include <utility>

#include "store/guarded.h"

namespace yarrow {

using arrow::Status;

OrderedWorker::~OrderedWorker() {
  Stop(/*drop_waiting=*/true);
}

Status OrderedWorker::Add(Step step) {
  if (!thread_.joinable() && !has_no_thread_) {
    auto thread = StartThread("yarrow-writer", [this] { Run(); });
    has_no_thread_ = !thread.ok();
    if (thread.ok()) thread_ = *std::move(thread);
  }
  std::unique_lock lock(mutex_);
  if (has_no_thread_ && status_.ok()) status_ = RunGuarded(step);
  changed_.wait(lock, [this] { return !status_.ok() || waiting_.size() < kMostWaiting; });
  if (!status_.ok() || has_no_thread_) return status_;
  waiting_.push_back(std::move(step));
  lock.unlock();
  changed_.notify_all();
  return Status::OK();
}

Status OrderedWorker::Finish() {
  Stop(/*drop_waiting=*/false);
  return status_;
}

void OrderedWorker::Stop(bool drop_waiting) {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    if (drop_waiting) waiting_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void OrderedWorker::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Step step = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    changed_.notify_all();
    Status status = RunGuarded(step);
    lock.lock();
    if (status.ok()) continue;
    status_ = std::move(status);
    waiting_.clear();
    changed_.notify_all();
    return;
  }
}

}  // namespace yarrow
