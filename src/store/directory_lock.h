// The lock of a database's directory: one open store at a time, whoever opens it and by whatever name.
//
// Two locks are taken, of open files and not of processes, so that a second open in the same process meets them as
// well: flock of the directory itself, which nobody can delete from under it, and an OFD lock of the marker file, for
// file systems that lock files only (NFS). RocksDB's own lock of hot/LOCK comes on top; programs from before this lock
// have only that. The directory is told by device and inode, whatever mount, name or pid namespace it is seen through.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <filesystem>
#include <optional>

namespace yarrow {

// Not thread-safe. A forked child closes what it got of the locks at once, and so keeps no directory locked.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  ~DirectoryLock() { Release(); }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  // IOError, naming the holder when that is known, if another store has the directory open. `fd`: of the directory,
  // owned from here on.
  arrow::Status Take(const std::filesystem::path& directory, int fd);
  // The same of its marker file, which was opened for writing: `fd` is owned from here on.
  arrow::Status TakeMarker(const std::filesystem::path& directory, int fd);
  void ReleaseMarker();
  void Release();

 private:
  struct Descriptor;
  static void Unlock(Descriptor** held);

  Descriptor* directory_ = nullptr;
  Descriptor* marker_ = nullptr;
};

// The error for a directory that a store has open. `holder`: the process that has, if it is known.
arrow::Status LockedError(const std::filesystem::path& directory, std::optional<int> holder);

// The process that holds a lock of that kind ("FLOCK", "OFDLCK") on what `fd` has open, as the kernel lists it.
std::optional<int> ListedHolder(const char* kind, int fd);

}  // namespace yarrow
