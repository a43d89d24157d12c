// Jobs: long work on a table, as system.jobs records it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace yarrow {

// A queued job waits until another one on its table is done. One that runs ends in one of the last three; whatever ends
// the process makes it a failed one when the database is next opened.
enum class JobState { kQueued, kRunning, kCompleted, kFailed, kCancelled };
std::string_view JobStateName(JobState state);  // "queued", "running", "completed", "failed", "cancelled"

struct JobInfo {
  uint64_t id = 0;
  std::string kind;    // "flush", "compaction", "expiry", "bulk load", "index build"
  std::string target;  // qualified name of the table
  JobState state = JobState::kQueued;
  // So far. What a job that failed or was cancelled had done before (finished segments stay) counts.
  uint64_t rows = 0;
  uint64_t bytes = 0;  // of the files that it wrote
  uint64_t files = 0;
  double progress = 0;     // 0 to 1; an estimate until the job is completed
  std::string error = {};  // why it failed or was cancelled
  int64_t started_at = 0;  // microseconds since 1970-01-01 UTC, of when it was queued if it was
  std::optional<int64_t> finished_at = {};
};

// Is told of the jobs of a database: each state that one comes into, and now and then how far it is. Called in the
// thread that does the work, so be short; calls for different jobs may come at once. May call anything of the database
// but what waits for a job, and must not be the last one to hold it.
class JobListener {
 public:
  virtual ~JobListener() = default;
  virtual void OnJob(const JobInfo& job) noexcept = 0;
};

}  // namespace yarrow
