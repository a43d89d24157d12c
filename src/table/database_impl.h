// What Database, Session, Table and Transaction share of an open database.
#pragma once

#include <arrow/result.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "catalog/catalog.h"
#include "job/jobs.h"
#include "store/store_commits.h"
#include "tier/cold_table.h"
#include "yarrow/store.h"

namespace yarrow {

// Settings that reading code looks at; system.settings has them all.
struct LiveSettings {
  std::atomic<int64_t> scan_threads{1};
  std::atomic<int64_t> deleted_file_retention{0};  // seconds
  std::atomic<int64_t> background_jobs{1};
  std::atomic<int64_t> hot_tier_budget{0};  // bytes; 0: none
  std::atomic<int64_t> key_filter_cache_bytes{0};
  std::atomic<int64_t> open_segment_bytes{0};
  std::atomic<int64_t> open_segments{0};
  std::atomic<int64_t> max_log_bytes{0};
  std::atomic<int64_t> flush_bytes{0};      // of tables that say nothing; 0: they are not flushed
  std::atomic<int64_t> rows_to_segment{0};  // of a statement that writes segments itself; 0: none does
};

class DatabaseImpl : public std::enable_shared_from_this<DatabaseImpl> {
 public:
  // `files`: of the segments.
  static arrow::Result<std::shared_ptr<DatabaseImpl>> Open(std::shared_ptr<Store> store,
                                                           cold::FileSystem* files = &cold::OsFileSystem());
  const std::shared_ptr<Store>& store() const { return store_; }
  Catalog& catalog() { return *catalog_; }
  const LiveSettings& settings() const { return settings_; }
  Jobs& jobs() { return *jobs_; }
  const std::shared_ptr<Jobs>& shared_jobs() const { return jobs_; }
  const std::shared_ptr<ColdTier>& cold_tier() const { return cold_tier_; }
  // The segments of a table, the same object for all who open it.
  arrow::Result<std::shared_ptr<ColdTable>> OpenCold(const TableEntry& entry);
  // Null when nobody has opened the table.
  std::shared_ptr<ColdTable> FindCold(uint32_t table_id);
  arrow::Status SetSetting(std::string_view name, std::string_view value);
  // As Catalog::CommitChanges; the files of dropped tables are recorded with them.
  arrow::Result<CommitResult> CommitChanges(const CatalogChanges& changes, WriteSet* writes,
                                            const CommitOptions& options = {});
  // As Database::RemoveDeletedFiles.
  arrow::Result<int64_t> RemoveDeletedFiles();

 private:
  explicit DatabaseImpl(std::shared_ptr<Store> store) : store_(std::move(store)) {}
  arrow::Status LoadSettings();
  // Makes those take effect that are limits.
  arrow::Status ApplyLimits();
  arrow::Status CleanFiles();
  arrow::Status CleanJobs();

  const std::shared_ptr<Store> store_;
  std::unique_ptr<Catalog> catalog_;
  std::shared_ptr<ColdTier> cold_tier_;
  const std::shared_ptr<Jobs> jobs_ = std::make_shared<Jobs>();
  std::mutex cold_mutex_;
  std::map<uint32_t, std::shared_ptr<ColdTable>> cold_tables_;  // by table id, under cold_mutex_
  LiveSettings settings_;
};

}  // namespace yarrow
