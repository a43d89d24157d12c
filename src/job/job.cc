#include "job/job.h"

#include <algorithm>
#include <utility>

#include "store/home_process.h"

namespace yarrow {
namespace {

using arrow::Status;

constexpr std::chrono::seconds kBetweenRecords{1};
constexpr double kMostWhileRunning = 0.99;  // the estimate was too low

}  // namespace

Job::Job(Catalog* catalog, Jobs* jobs, JobInfo info, uint64_t expected_rows)
    : catalog_(*catalog),
      jobs_(*jobs),
      info_(std::move(info)),
      expected_rows_(expected_rows),
      handle_(jobs_.Begin(info_.id)) {}

Job::~Job() {
  if (info_.finished_at || !HomeProcess::IsHome()) return;
  info_.state = JobState::kFailed;
  jobs_.End(info_);
}

arrow::Result<std::unique_ptr<Job>> Job::Start(Catalog* catalog, Jobs* jobs, std::string kind, std::string target,
                                               uint64_t expected_rows, JobState state) {
  JobInfo info{.kind = std::move(kind), .target = std::move(target), .state = state};
  ARROW_ASSIGN_OR_RAISE(info.id, catalog->NextJobId());
  info.started_at = NowMicros();
  std::unique_ptr<Job> job(new Job(catalog, jobs, std::move(info), expected_rows));
  ARROW_RETURN_NOT_OK(job->Record());
  // Ids ascend without many gaps; of those, the records are swept when the database is opened.
  const uint64_t id = job->info_.id;
  if (id > kMostJobRecords) ARROW_UNUSED(catalog->jobs().Delete({id - kMostJobRecords}));
  return job;
}

Status Job::Begin() {
  ARROW_RETURN_NOT_OK(CheckCancelled());
  info_.state = JobState::kRunning;
  return Record();
}

Status Job::Do(const OnProgress& on_progress, const std::function<JobWork()>& done,
               const std::function<Status(const OnProgress& report)>& work) {
  const Status outcome = work([&](int64_t rows) {
    JobWork so_far = done();
    so_far.rows = static_cast<uint64_t>(rows);
    ARROW_RETURN_NOT_OK(Report(so_far));
    return on_progress ? on_progress(rows) : Status::OK();
  });
  return Finish(outcome, done());
}

void Job::SetWork(const JobWork& work) {
  info_.rows = work.rows;
  info_.bytes = work.bytes;
  info_.files = work.files;
}

Status Job::Report(const JobWork& work) {
  ARROW_RETURN_NOT_OK(CheckCancelled());
  SetWork(work);
  if (expected_rows_ > 0) {
    info_.progress = std::min(kMostWhileRunning, static_cast<double>(work.rows) / static_cast<double>(expected_rows_));
  }
  if (std::chrono::steady_clock::now() - recorded_at_ >= kBetweenRecords) ARROW_UNUSED(Record());
  return Status::OK();
}

Status Job::Finish(const Status& outcome, const JobWork& work) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  SetWork(work);
  info_.state = outcome.ok() ? JobState::kCompleted : outcome.IsCancelled() ? JobState::kCancelled : JobState::kFailed;
  if (outcome.ok()) {
    info_.progress = 1;
  } else {
    info_.error = outcome.message();
  }
  info_.finished_at = NowMicros();
  jobs_.End(info_);
  ARROW_UNUSED(Record());
  return outcome;
}

Status Job::Record() {
  recorded_at_ = std::chrono::steady_clock::now();
  JobRecord record{.kind = info_.kind,
                   .target = info_.target,
                   .state = std::string(JobStateName(info_.state)),
                   .rows = info_.rows,
                   .bytes = info_.bytes,
                   .error = info_.error.empty() ? std::nullopt : std::optional(info_.error),
                   .started_at = info_.started_at,
                   .finished_at = info_.finished_at,
                   .files = info_.files,
                   .progress = info_.progress,
                   .duration = static_cast<double>(info_.finished_at.value_or(NowMicros()) - info_.started_at) / 1e6};
  const Status status = catalog_.jobs().Put({info_.id}, record);
  if (status.ok() || info_.finished_at) jobs_.Tell(info_);
  return status;
}

}  // namespace yarrow
