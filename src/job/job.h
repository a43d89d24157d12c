// Job: one piece of long work on a table, from its beginning to its end: its record in system.jobs, and what listeners
// are told of it.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "catalog/catalog.h"
#include "job/jobs.h"

namespace yarrow {

// What a job has done so far.
struct JobWork {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t files = 0;
};

// Told how many rows are done; an error ends the work.
using OnProgress = std::function<arrow::Status(int64_t rows)>;

// For one thread; others reach it by its id, through Jobs. One that is never finished, or whose process ended, is
// failed when the database is next opened.
class Job {
 public:
  // Of `kind` "bulk load", "index build", "flush", "compaction" or "expiry", recorded as queued or running.
  // `expected_rows`: an estimate of those to come, for the progress; 0: not known. `target`: the qualified name of its
  // table. `catalog` and `jobs` outlive it.
  static arrow::Result<std::unique_ptr<Job>> Start(Catalog* catalog, Jobs* jobs, std::string kind, std::string target,
                                                   uint64_t expected_rows, JobState state);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job();

  // A queued one runs from now on.
  arrow::Status Begin();
  // Does `work` and finishes with its outcome. What `work` reports shows in the record, ends the work when somebody
  // cancelled the job, and goes on to `on_progress`, if there is one. `done`: all that is done so far.
  arrow::Status Do(const OnProgress& on_progress, const std::function<JobWork()>& done,
                   const std::function<arrow::Status(const OnProgress& report)>& work);
  // Cancelled when somebody cancelled the job; its work ends with that. Recorded and told to listeners once a second.
  arrow::Status Report(const JobWork& work);
  arrow::Status CheckCancelled() const { return handle_->CheckCancelled(); }
  // Returns the work's outcome. That stays what it is when the record cannot be written: the next open then says in the
  // record that the end was not recorded.
  arrow::Status Finish(const arrow::Status& outcome, const JobWork& work);

 private:
  Job(Catalog* catalog, Jobs* jobs, JobInfo info, uint64_t expected_rows);
  arrow::Status Record();
  void SetWork(const JobWork& work);

  Catalog& catalog_;
  Jobs& jobs_;
  JobInfo info_;
  const uint64_t expected_rows_;
  std::shared_ptr<Jobs::Handle> handle_;
  std::chrono::steady_clock::time_point recorded_at_;
};

}  // namespace yarrow
