#include "table/ordered_worker.h"

#include <pthread.h>

#include <exception>
#include <new>
#include <system_error>
#include <utility>

namespace yarrow {

using arrow::Status;

namespace {

Status RunStep(const OrderedWorker::Step& step) noexcept {
  try {
    return step();
  } catch (const std::bad_alloc&) {
    return Status::OutOfMemory("not enough memory to write rows");
  } catch (const std::exception& exception) {
    return Status::UnknownError(exception.what());
  }
}

}  // namespace

OrderedWorker::~OrderedWorker() {
  Stop(/*drop_waiting=*/true);
}

Status OrderedWorker::Add(Step step) {
  if (!thread_.joinable() && !has_no_thread_) {
    try {
      thread_ = std::thread([this] { Run(); });
    } catch (const std::system_error&) {
      has_no_thread_ = true;
    }
  }
  std::unique_lock lock(mutex_);
  if (has_no_thread_ && status_.ok()) status_ = RunStep(step);
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
  pthread_setname_np(pthread_self(), "yarrow-writer");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Step step = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    changed_.notify_all();
    Status status = RunStep(step);
    lock.lock();
    if (status.ok()) continue;
    status_ = std::move(status);
    waiting_.clear();
    changed_.notify_all();
    return;
  }
}

}  // namespace yarrow
