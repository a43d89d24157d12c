// OrderedWorker: runs steps one after the other in a thread of its own, beside whoever makes them.
#pragma once

#include <arrow/status.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace yarrow {

// For one thread that adds steps. When the system has no thread to give, they run at once in Add.
class OrderedWorker {
 public:
  using Step = std::function<arrow::Status()>;

  OrderedWorker() = default;
  OrderedWorker(const OrderedWorker&) = delete;
  OrderedWorker& operator=(const OrderedWorker&) = delete;
  // Steps that have not begun are dropped.
  ~OrderedWorker();

  // Waits while kMostWaiting steps are to be run. Returns the error of an earlier step, after which none is run. A step
  // that throws has failed.
  arrow::Status Add(Step step);
  // Once: when all steps are done.
  arrow::Status Finish();

 private:
  static constexpr size_t kMostWaiting = 2;

  void Run();
  void Stop(bool drop_waiting);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Step> waiting_;
  arrow::Status status_;  // the first error
  bool is_stopping_ = false;
  bool has_no_thread_ = false;
  std::thread thread_;
};

}  // namespace yarrow
