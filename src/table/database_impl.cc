#include "table/database_impl.h"

#include <deque>
#include <utility>

#include "store/home_process.h"
#include "store/store_commits.h"
#include "store/system_partition.h"

namespace yarrow {

using arrow::Status;

arrow::Result<std::shared_ptr<DatabaseImpl>> DatabaseImpl::Open(std::shared_ptr<Store> store, cold::FileSystem* files) {
  std::shared_ptr<DatabaseImpl> impl(new DatabaseImpl(std::move(store)), DeleteAtHome());
  ARROW_ASSIGN_OR_RAISE(impl->catalog_, Catalog::Open(impl->store_));
  ARROW_ASSIGN_OR_RAISE(const Partition rows, OpenSystemPartition(*impl->store_, "rows"));
  impl->cold_tier_ = std::make_shared<ColdTier>(impl->store_, rows);
  impl->cold_tier_->files = files;
  ARROW_RETURN_NOT_OK(impl->LoadSettings());
  ARROW_RETURN_NOT_OK(impl->CleanJobs());
  ARROW_RETURN_NOT_OK(impl->CleanFiles());
  ARROW_RETURN_NOT_OK(impl->store_->SettleLosses());
  return impl;
}

arrow::Result<std::shared_ptr<ColdTable>> DatabaseImpl::OpenCold(const TableEntry& entry) {
  std::lock_guard lock(cold_mutex_);
  // Kept to the end: snapshots may outlive everybody who has the table open.
  std::shared_ptr<ColdTable>& table = cold_tables_[entry.definition->id];
  if (!table) {
    ARROW_ASSIGN_OR_RAISE(table, ColdTable::Load(cold_tier_, entry.definition->id, entry.places));
  }
  return table;
}

std::shared_ptr<ColdTable> DatabaseImpl::FindCold(uint32_t table_id) {
  std::lock_guard lock(cold_mutex_);
  const auto at = cold_tables_.find(table_id);
  return at == cold_tables_.end() ? nullptr : at->second;
}

// A job that was under way when the process ended left nothing behind, or everything: its commit is its last step. Of
// those that ended long ago, no record is kept.
Status DatabaseImpl::CleanJobs() {
  WriteSet writes;
  std::deque<JobKey> ended;
  for (const auto& entry : catalog_->jobs().ScanIter()) {
    ARROW_ASSIGN_OR_RAISE(JobRecord job, entry.value());
    ARROW_ASSIGN_OR_RAISE(const JobKey key, entry.key());
    if (job.state == JobStateName(JobState::kRunning) || job.state == JobStateName(JobState::kQueued)) {
      job.state = JobStateName(JobState::kFailed);
      job.error = "the process ended before the job, or before its end was recorded";
      catalog_->jobs().Put(&writes, key, job);
    }
    ended.push_back(key);
    if (ended.size() <= kMostJobRecords) continue;
    catalog_->jobs().Delete(&writes, ended.front());
    ended.pop_front();
  }
  return writes.empty() ? Status::OK() : store_->commits().Commit(writes).status();
}

}  // namespace yarrow
