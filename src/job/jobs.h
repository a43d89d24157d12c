// Jobs: the jobs of a database that are under way, who listens to them, and what they did since it was opened.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "yarrow/jobs.h"

namespace yarrow {

// What system.jobs keeps: the last ones.
inline constexpr uint64_t kMostJobRecords = 10'000;

// Thread-safe.
class Jobs {
 public:
  // What others may do to a job under way. Thread-safe.
  class Handle {
   public:
    // The job ends with Cancelled at its next step, with that reason.
    void Cancel(std::string reason);
    // Cancelled, or OK.
    arrow::Status CheckCancelled() const;

   private:
    std::atomic<bool> is_cancelled_{false};
    mutable std::mutex mutex_;
    std::string reason_;
  };

  // A job comes under way, or ends.
  std::shared_ptr<Handle> Begin(uint64_t id);
  void End(const JobInfo& job) noexcept;
  void Tell(const JobInfo& job) const;

  void AddListener(std::shared_ptr<JobListener> listener);
  void RemoveListener(const JobListener* listener);
  // KeyError when no such job is under way.
  arrow::Status Cancel(uint64_t id, std::string reason);
  // "jobs.flush_completed", "jobs.flush_rows" and so on, of jobs that ended since the database was opened.
  std::vector<std::pair<std::string, uint64_t>> Figures() const;

 private:
  void Count(const JobInfo& job);  // under mutex_

  mutable std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<Handle>> under_way_;
  std::vector<std::shared_ptr<JobListener>> listeners_;
  std::map<std::string, uint64_t> figures_;
};

}  // namespace yarrow
