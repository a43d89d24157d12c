// TableJob: a job that moves rows of a table between tiers. One at a time is at work on a table; the others are queued.
#pragma once

#include <arrow/result.h>

#include <memory>
#include <mutex>
#include <string>

#include "table/table_impl.h"

namespace yarrow::flush {

// For one thread.
class TableJob {
 public:
  // Waits while another one has the table, and asks `on_wait`, if there is one, now and then: its error ends the wait
  // and is the outcome. Cancelled when somebody cancels the job meanwhile.
  static arrow::Result<TableJob> Start(const TableImpl& table, const std::string& kind, uint64_t expected_rows,
                                       const OnProgress& on_wait);
  Job& operator*() const { return *job_; }
  Job* operator->() const { return job_.get(); }

 private:
  TableJob(std::unique_lock<std::mutex> has_table, std::unique_ptr<Job> job)
      : has_table_(std::move(has_table)), job_(std::move(job)) {}

  std::unique_lock<std::mutex> has_table_;
  std::unique_ptr<Job> job_;
};

}  // namespace yarrow::flush
