// LogSyncer: the thread behind Durability::kGrouped.
#pragma once

#include <arrow/status.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace yarrow {

// Runs `sync` at most once an interval, and only after something was written. It has to see to its errors itself.
// Thread-safe.
class LogSyncer {
 public:
  LogSyncer(std::chrono::milliseconds interval, std::function<void()> sync)
      : interval_(interval), sync_(std::move(sync)) {}
  arrow::Status Start();
  // Syncs what was written, then stops.
  ~LogSyncer();

  void NoteWrite();

 private:
  void Run();

  const std::chrono::milliseconds interval_;
  const std::function<void()> sync_;
  std::atomic<bool> dirty_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace yarrow
