#include "store/log_syncer.h"

#include "store/guarded.h"

namespace yarrow {

arrow::Status LogSyncer::Start() {
  return StartThread("yarrow-syncer", [this] { Run(); }).Value(&thread_);
}

LogSyncer::~LogSyncer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LogSyncer::NoteWrite() {
  // Only the first write after a sync wakes the thread; the others cost one load.
  if (dirty_.load() || dirty_.exchange(true)) return;
  std::lock_guard lock(mutex_);  // else the wake-up could fall between the thread's test and its wait
  wake_.notify_one();
}

void LogSyncer::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || dirty_.load(); });
    if (!dirty_.load()) return;  // stopping, all synced
    wake_.wait_for(lock, interval_, [this] { return stopping_; });
    lock.unlock();
    dirty_.store(false);  // before the sync: what is written during it makes the next one due
    if (!RunGuarded(sync_).ok()) dirty_.store(true);
    lock.lock();
  }
}

}  // namespace yarrow
