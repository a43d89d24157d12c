// DeletedFiles: files of segments that no manifest entry names any more, until nobody needs them.
//
// The commit that takes a segment out of the manifest writes a record of its file (cold/deleted_file.h). The file is
// removed when three things have come to pass: the time of retention is over (programs outside may be reading it), no
// snapshot is left from before that commit, and nothing in memory stands for the segment (whoever read the manifest
// before the commit may open the file late). Then the record goes, too.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cold/file_system.h"
#include "cold/segment_key.h"
#include "store/write_set.h"
#include "yarrow/store.h"

namespace yarrow {

struct DeletedFile {
  cold::ManifestKey key;
  int64_t deleted_at = 0;  // microseconds since 1970 UTC
  uint64_t since = 0;      // sequence of the commit that deleted it; 0: no snapshot is from before it
};

// Thread-safe.
class DeletedFiles {
 public:
  DeletedFiles(std::shared_ptr<Store> store, Partition rows) : store_(std::move(store)), rows_(rows) {}

  // Reads the records that earlier processes left.
  arrow::Status Load();
  // Adds the records of segments that the commit of `writes` takes out of the manifest.
  void AddRecords(std::span<const cold::ManifestKey> keys, int64_t now, WriteSet* writes) const;
  // That commit is through.
  void Add(std::span<const cold::ManifestKey> keys, int64_t now, uint64_t sequence) noexcept;

  // Deletes the overrides of segments that are in no manifest any more. Those that stay, after a crash or an error, go
  // with the segment's file.
  arrow::Status DropOverrides(std::span<const cold::ManifestKey> segments) const;

  // Removes the files that were deleted at `deleted_before` or earlier and for which `is_free` says so; returns how
  // many. A file that cannot be removed is an error, and stays recorded.
  arrow::Result<int64_t> Remove(cold::FileSystem& files, int64_t deleted_before,
                                const std::function<bool(const DeletedFile&)>& is_free);
  // All that are waiting.
  std::vector<DeletedFile> List() const;

 private:
  const std::shared_ptr<Store> store_;
  const Partition rows_;
  std::mutex removing_mutex_;  // one Remove at a time
  mutable std::mutex mutex_;
  std::map<std::string, DeletedFile> waiting_;  // by the key of the record
};

}  // namespace yarrow
