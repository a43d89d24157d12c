// LogSyncer: the thread behind Durability::kGrouped.
#pragma once

#include <arrow/status.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace yarrow {

// Runs `sync` at most once an interval, and only after something was written. Thread-safe.
class LogSyncer {
 public:
  LogSyncer(std::chrono::milliseconds interval, std::function<arrow::Status()> sync);
  // Syncs what was written, then stops.
  ~LogSyncer();

  void NoteWrite();
  // The error of the first sync that failed: from then on nothing is known to be durable.
  arrow::Status status() const;

 private:
  void Run();

  const std::chrono::milliseconds interval_;
  const std::function<arrow::Status()> sync_;
  std::atomic<bool> dirty_{false};
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  arrow::Status status_;
  std::thread thread_;
};

}  // namespace yarrow
