// The directory of a database: what is in it, and how it comes into being.
//
//   YARROW            the marker: "yarrow format 1\n"; its presence says that the database is complete
//   YARROW.creating   in place of the marker while the database is being made; locked by the process making it
//   hot/              RocksDB
//   cold/             Parquet segments
//   tmp/              SST files on their way into hot/; swept at open
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <filesystem>
#include <optional>

namespace yarrow {

class StoreDirectory {
 public:
  static constexpr int kFormat = 1;  // newest format this program reads; it writes this one

  explicit StoreDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  ~StoreDirectory();
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;

  std::filesystem::path hot() const { return path_ / "hot"; }
  std::filesystem::path temporary() const { return path_ / "tmp"; }

  // Finds out whether there is a database and makes ready for RocksDB to be opened in hot(). `creating()` says
  // afterwards that it is a new one, and that FinishCreation must follow when RocksDB stands.
  arrow::Status Prepare(bool create_if_missing);
  bool creating() const { return creating_fd_ >= 0; }
  arrow::Status FinishCreation();

  // Empties tmp/. REQUIRES: the lock on hot/ is held.
  arrow::Status SweepTemporary() const;

  // The process that holds the lock of hot/, if one does; 0 when its pid is not known. REQUIRES: this process does not
  // hold it, or looking would drop it.
  std::optional<int> LockHolder() const;

 private:
  arrow::Status CheckMarker() const;
  // Starts or restarts a creation: a marker that says so, locked, and no hot/.
  arrow::Status StartCreation();
  // Takes the lock of YARROW.creating; false when the file was renamed away meanwhile.
  arrow::Result<bool> LockCreation();

  const std::filesystem::path path_;
  int creating_fd_ = -1;
};

}  // namespace yarrow
