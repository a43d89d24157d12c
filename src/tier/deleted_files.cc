#include "tier/deleted_files.h"

#include <new>

#include "cold/deleted_file.h"
#include "cold/segment_path.h"
#include "key/key_range.h"
#include "store/store_commits.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

using arrow::Status;

Status DeletedFiles::Load() {
  std::lock_guard lock(mutex_);
  const KeyRange all = PrefixRange(cold::DeletedFilePrefix());
  ScanCursor records = store_->Scan({.partition = rows_, .lower = all.lower, .upper = all.upper});
  while (records.Next()) {
    ARROW_ASSIGN_OR_RAISE(auto key, cold::DecodeDeletedFileKey(records.key()));
    ARROW_ASSIGN_OR_RAISE(const int64_t deleted_at, cold::DecodeDeletedFile(key.segment_id, records.value()));
    waiting_[std::string(records.key())] = {std::move(key), deleted_at, 0};
  }
  return records.status();
}

void DeletedFiles::AddRecords(std::span<const cold::ManifestKey> keys, int64_t now, WriteSet* writes) const {
  for (const auto& key : keys) writes->Put(rows_, cold::EncodeDeletedFileKey(key), cold::EncodeDeletedFile(now));
}

void DeletedFiles::Add(std::span<const cold::ManifestKey> keys, int64_t now, uint64_t sequence) noexcept {
  std::lock_guard lock(mutex_);
  try {
    for (const auto& key : keys) waiting_[cold::EncodeDeletedFileKey(key)] = {key, now, sequence};
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the next open finds the others by their records
  }
}

std::vector<DeletedFile> DeletedFiles::List() const {
  std::lock_guard lock(mutex_);
  std::vector<DeletedFile> files;
  for (const auto& [key, file] : waiting_) files.push_back(file);
  return files;
}

namespace {

// A deleted range costs later scans beside it a little, so there is none where nothing is.
arrow::Status AddOverrides(const Store& store, Partition rows, const cold::ManifestKey& segment, WriteSet* writes) {
  const KeyRange range = PrefixRange(cold::OverridePrefix(segment.table_id, segment.segment_id));
  ScanCursor overrides = store.Scan({.partition = rows, .lower = range.lower, .upper = range.upper});
  if (overrides.Next()) writes->DeleteRange(rows, range.lower, range.upper);
  return overrides.status();
}

}  // namespace

Status DeletedFiles::DropOverrides(std::span<const cold::ManifestKey> segments) const {
  WriteSet writes;
  for (const auto& segment : segments) ARROW_RETURN_NOT_OK(AddOverrides(*store_, rows_, segment, &writes));
  return writes.empty() ? Status::OK() : store_->commits().Commit(writes, {.moves_only = true}).status();
}

// The record goes after the file. If a crash brings the file back and not the record, it is one that no manifest entry
// and no record names, which is removed when the database is next opened: so its folder needs no sync.
arrow::Result<int64_t> DeletedFiles::Remove(cold::FileSystem& files, int64_t deleted_before,
                                            const std::function<bool(const DeletedFile&)>& is_free) {
  std::lock_guard removing(removing_mutex_);
  WriteSet writes;
  std::vector<std::string> removed;
  Status failed;
  for (const DeletedFile& file : List()) {
    if (file.deleted_at > deleted_before || !is_free(file)) continue;
    const Status status = files.Remove(store_->path() / cold::SegmentPath(file.key));
    if (!status.ok()) {
      failed = status;  // the others are not to wait for this one
      continue;
    }
    removed.push_back(cold::EncodeDeletedFileKey(file.key));
    writes.Delete(rows_, removed.back());
    ARROW_RETURN_NOT_OK(AddOverrides(*store_, rows_, file.key, &writes));
  }
  if (removed.empty()) return failed.ok() ? arrow::Result<int64_t>(0) : failed;
  ARROW_RETURN_NOT_OK(store_->commits().Commit(writes, {.moves_only = true}).status());
  std::lock_guard lock(mutex_);
  for (const std::string& key : removed) waiting_.erase(key);
  return failed.ok() ? arrow::Result<int64_t>(static_cast<int64_t>(removed.size())) : failed;
}

}  // namespace yarrow
