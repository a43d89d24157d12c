#include "table/job.h"

#include <utility>

namespace yarrow {

arrow::Result<Job> Job::Start(const TableImpl& table, std::string kind) {
  Job job(&table.database().catalog());
  ARROW_ASSIGN_OR_RAISE(job.key_.job_id, job.catalog_->NextJobId());
  job.record_.kind = std::move(kind);
  job.record_.target = table.definition().QualifiedName();
  job.record_.state = "running";
  job.record_.started_at = NowMicros();
  ARROW_RETURN_NOT_OK(job.catalog_->jobs().Put(job.key_, job.record_));
  return job;
}

void Job::Finish(const arrow::Status& outcome, uint64_t rows, uint64_t bytes) {
  record_.state = outcome.ok() ? "completed" : outcome.IsCancelled() ? "cancelled" : "failed";
  record_.rows = outcome.ok() ? rows : 0;
  record_.bytes = outcome.ok() ? bytes : 0;
  if (!outcome.ok()) record_.error = outcome.message();
  record_.finished_at = NowMicros();
  ARROW_UNUSED(catalog_->jobs().Put(key_, record_));
}

}  // namespace yarrow
