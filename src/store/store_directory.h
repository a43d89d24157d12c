// The directory of a database: what is in it, and how it comes into being.
//
//   YARROW            the marker: "yarrow format 1\n"; its presence says that the database is complete
//   YARROW.creating   in place of the marker while the database is being made; locked by the process making it
//   hot/              RocksDB
//   cold/             Parquet segments
//   tmp/              SST files on their way into hot/; swept at open
//
// What a power cut leaves, whatever it keeps of what was not synced: no folder, an empty one, one with YARROW.creating
// (its creation starts over), or a database with all that was acknowledged. So its name is durable before it has
// entries, YARROW.creating before hot/, hot/ before YARROW, and YARROW before anything is written to the database.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <rocksdb/env.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "store/directory_lock.h"

namespace yarrow {

class StoreDirectory {
 public:
  static constexpr int kFormat = 1;  // newest format this program reads; it writes this one

  // Makes, names and syncs by `env`; Prepare takes `lock`. Both must outlive it.
  StoreDirectory(std::filesystem::path path, rocksdb::Env* env, DirectoryLock* lock)
      : path_(std::move(path)), env_(env), lock_(lock) {}
  ~StoreDirectory();
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;

  std::filesystem::path hot() const { return path_ / "hot"; }
  std::filesystem::path temporary() const { return path_ / "tmp"; }

  // Locks the directory. Finds out whether there is a database and makes ready for RocksDB to be opened in hot().
  // `creating()` says afterwards that it is a new one, and that FinishCreation must follow when RocksDB stands.
  arrow::Status Prepare(bool create_if_missing);
  bool creating() const { return creating_fd_ >= 0; }
  arrow::Status FinishCreation();

  // Empties tmp/. REQUIRES: the directory is locked.
  arrow::Status SweepTemporary() const;

  // The process that holds RocksDB's lock of hot/, if one does; 0 when its pid is not known. REQUIRES: this process
  // does not hold it, or looking would drop it.
  std::optional<int> LockHolder() const;

 private:
  arrow::Status CheckMarker(int fd) const;
  arrow::Status PrepareComplete();
  arrow::Status CheckWritable() const;
  // Makes the folder and those above it that are missing, durably.
  arrow::Status MakeFolders() const;
  // Starts or restarts a creation: a marker that says so, locked, and an empty hot/.
  arrow::Status StartCreation();
  // Takes the lock of YARROW.creating; false when the file was renamed away meanwhile.
  arrow::Result<bool> LockCreation();

  arrow::Status MakeFolder(const std::filesystem::path& folder) const;
  arrow::Status SyncFolder(const std::filesystem::path& folder) const;
  // Of one that was there: a creation that was ended in the middle may have made it. Not where it could not.
  arrow::Status SyncNameOf(const std::filesystem::path& folder) const;

  const std::filesystem::path path_;
  rocksdb::Env* const env_;
  DirectoryLock* const lock_;
  int creating_fd_ = -1;
};

// The error for a file of a database, or its directory, that cannot be opened to read and write: whether that is a
// matter of permissions or of the file system, and the remedy. `error`: the system's.
arrow::Status AccessError(const std::filesystem::path& database, const std::filesystem::path& file, int error);

}  // namespace yarrow
