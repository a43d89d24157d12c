#include "flush/table_job.h"

#include <chrono>
#include <thread>
#include <utility>

namespace yarrow::flush {
namespace {

constexpr std::chrono::milliseconds kBetweenTries{5};

}  // namespace

arrow::Result<TableJob> TableJob::Start(const TableImpl& table, const std::string& kind, uint64_t expected_rows,
                                        const OnProgress& on_wait) {
  std::unique_lock has_table(table.cold()->move_mutex(), std::try_to_lock);
  if (has_table) {
    ARROW_ASSIGN_OR_RAISE(auto job, table.StartJob(kind, expected_rows));
    return TableJob(std::move(has_table), std::move(job));
  }
  ARROW_ASSIGN_OR_RAISE(auto job, table.StartJob(kind, expected_rows, JobState::kQueued));
  while (!has_table.try_lock()) {
    arrow::Status status = job->CheckCancelled();
    if (status.ok() && on_wait) status = on_wait(0);
    if (!status.ok()) return job->Finish(status, {});
    std::this_thread::sleep_for(kBetweenTries);
  }
  if (const arrow::Status status = job->Begin(); !status.ok()) return job->Finish(status, {});
  return TableJob(std::move(has_table), std::move(job));
}

}  // namespace yarrow::flush
