#include "store/log_syncer.h"

#include <utility>

namespace yarrow {

LogSyncer::LogSyncer(std::chrono::milliseconds interval, std::function<arrow::Status()> sync)
    : interval_(interval), sync_(std::move(sync)), thread_([this] { Run(); }) {}

LogSyncer::~LogSyncer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LogSyncer::NoteWrite() {
  // Only the first write after a sync wakes the thread; the others cost one load.
  if (dirty_.load(std::memory_order_relaxed) || dirty_.exchange(true)) return;
  std::lock_guard lock(mutex_);  // else the wake-up could fall between the thread's test and its wait
  wake_.notify_one();
}

arrow::Status LogSyncer::status() const {
  if (!failed_.load(std::memory_order_acquire)) return arrow::Status::OK();
  std::lock_guard lock(mutex_);
  return status_;
}

void LogSyncer::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || dirty_.load(); });
    if (!dirty_.load()) return;  // stopping, all synced
    wake_.wait_for(lock, interval_, [this] { return stopping_; });
    lock.unlock();
    dirty_.store(false);  // before the sync: what is written during it makes the next one due
    arrow::Status status = sync_();
    lock.lock();
    if (!status.ok() && status_.ok()) {
      status_ = std::move(status);
      failed_.store(true, std::memory_order_release);
    }
  }
}

}  // namespace yarrow
