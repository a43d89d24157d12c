#include "job/jobs.h"

#include <algorithm>
#include <new>

namespace yarrow {

using arrow::Status;

std::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "queued";
    case JobState::kRunning:
      return "running";
    case JobState::kCompleted:
      return "completed";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

void Jobs::Handle::Cancel(std::string reason) {
  std::lock_guard lock(mutex_);
  if (is_cancelled_.load(std::memory_order_relaxed)) return;
  reason_ = std::move(reason);
  is_cancelled_.store(true, std::memory_order_release);
}

Status Jobs::Handle::CheckCancelled() const {
  if (!is_cancelled_.load(std::memory_order_acquire)) return Status::OK();
  std::lock_guard lock(mutex_);
  return Status::Cancelled(reason_);
}

std::shared_ptr<Jobs::Handle> Jobs::Begin(uint64_t id) {
  auto handle = std::make_shared<Handle>();
  std::lock_guard lock(mutex_);
  under_way_.emplace(id, handle);
  return handle;
}

void Jobs::End(const JobInfo& job) noexcept {
  std::lock_guard lock(mutex_);
  under_way_.erase(job.id);
  try {
    Count(job);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): it is not counted
  }
}

void Jobs::Count(const JobInfo& job) {
  std::string prefix = "jobs." + job.kind + "_";
  std::ranges::replace(prefix, ' ', '_');
  ++figures_[prefix + std::string(JobStateName(job.state))];
  figures_[prefix + "rows"] += job.rows;
  figures_[prefix + "bytes"] += job.bytes;
}

void Jobs::Tell(const JobInfo& job) const {
  std::vector<std::shared_ptr<JobListener>> listeners;
  {
    std::lock_guard lock(mutex_);
    listeners = listeners_;
  }
  for (const auto& listener : listeners) listener->OnJob(job);
}

void Jobs::AddListener(std::shared_ptr<JobListener> listener) {
  std::lock_guard lock(mutex_);
  listeners_.push_back(std::move(listener));
}

void Jobs::RemoveListener(const JobListener* listener) {
  std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [&](const auto& known) { return known.get() == listener; });
}

Status Jobs::Cancel(uint64_t id, std::string reason) {
  std::lock_guard lock(mutex_);
  const auto at = under_way_.find(id);
  if (at == under_way_.end()) {
    return Status::KeyError("No job ", id, " is under way; system.jobs lists those that are and those that ended");
  }
  at->second->Cancel(std::move(reason));
  return Status::OK();
}

std::vector<std::pair<std::string, uint64_t>> Jobs::Figures() const {
  std::lock_guard lock(mutex_);
  return {figures_.begin(), figures_.end()};
}

}  // namespace yarrow
