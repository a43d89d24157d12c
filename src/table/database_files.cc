// What a database does with files of segments that it needs no more.
#include <algorithm>
#include <utility>
#include <vector>

#include "catalog/records.h"
#include "store/oldest_snapshot.h"
#include "store/store_commits.h"
#include "table/database_impl.h"

namespace yarrow {

using arrow::Status;

namespace {

// The drop of some tables, while its commit is under way.
class DroppingTables {
 public:
  DroppingTables() = default;
  DroppingTables(const DroppingTables&) = delete;
  DroppingTables& operator=(const DroppingTables&) = delete;

  // By ascending ids, so that two drops of the same tables do not wait for each other.
  void Add(std::shared_ptr<ColdTable> table) {
    ColdSegments segments;
    moves_.push_back(table->BeginDrop(&segments));
    tables_.push_back(std::move(table));
    for (const auto& segment : segments) files_.push_back(segment->key());
  }
  const std::vector<cold::ManifestKey>& files() const { return files_; }
  void Committed(const CommitResult& commit) {
    for (ColdTable::Move& move : moves_) move.Committed(commit);
  }

 private:
  std::vector<std::shared_ptr<ColdTable>> tables_;
  std::vector<ColdTable::Move> moves_;
  std::vector<cold::ManifestKey> files_;
};

}  // namespace

arrow::Result<CommitResult> DatabaseImpl::CommitChanges(const CatalogChanges& changes, WriteSet* writes,
                                                        const CommitOptions& options) {
  if (changes.dropped.empty()) return catalog_->CommitChanges(changes, writes, options);
  std::vector<std::shared_ptr<const TableEntry>> tables;
  for (const auto& entry : changes.dropped) {
    if (entry->definition->kind != TableKind::kSystem) tables.push_back(entry);
  }
  std::ranges::sort(tables, {}, [](const auto& entry) { return entry->definition->id; });
  const int64_t now = NowMicros();
  CommitResult committed;
  {
    DroppingTables dropping;
    for (const auto& entry : tables) {
      ARROW_ASSIGN_OR_RAISE(auto cold, OpenCold(*entry));
      dropping.Add(std::move(cold));
    }
    cold_tier_->deleted.AddRecords(dropping.files(), now, writes);
    ARROW_ASSIGN_OR_RAISE(committed, catalog_->CommitChanges(changes, writes, options));
    dropping.Committed(committed);
    cold_tier_->deleted.Add(dropping.files(), now, committed.last_sequence);
  }
  ARROW_UNUSED(RemoveDeletedFiles());  // what is left is tried again
  return committed;
}

arrow::Result<int64_t> DatabaseImpl::RemoveDeletedFiles() {
  const uint64_t oldest = OldestSnapshot(*store_);
  std::map<uint32_t, std::shared_ptr<ColdTable>> tables;
  {
    std::lock_guard lock(cold_mutex_);
    tables = cold_tables_;
  }
  for (const auto& [id, table] : tables) table->ForgetBefore(oldest);
  const auto is_free = [&](const DeletedFile& file) {
    if (file.since > oldest) return false;
    if (cold_tier_->held.Contains({file.key.table_id, file.key.segment_id})) return false;
    cold_tier_->caches.pages.Erase(file.key.table_id, file.key.segment_id);
    return true;
  };
  const int64_t retention = settings_.deleted_file_retention * 1'000'000;
  return cold_tier_->deleted.Remove(*cold_tier_->files, NowMicros() - retention, is_free);
}

// After a crash, or an end without one.
Status DatabaseImpl::CleanFiles() {
  ARROW_RETURN_NOT_OK(cold_tier_->deleted.Load());
  ARROW_RETURN_NOT_OK(SweepSegmentFiles(*cold_tier_));
  if (!store_->losses().empty()) return Status::OK();
  ARROW_UNUSED(RemoveDeletedFiles());  // what is left is tried again
  return Status::OK();
}

}  // namespace yarrow
