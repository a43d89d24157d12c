// FileSystem: all that this layer does to files, so that tests can lose what was not synced, fill the disk or fail.
//
// Implementations are thread-safe; a WritableFile belongs to one thread. Errors are IOError, naming path and reason.
#pragma once

#include <arrow/io/type_fwd.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace yarrow::cold {

class WritableFile {
 public:
  virtual ~WritableFile() = default;  // closes
  virtual arrow::Status Append(std::string_view bytes) = 0;
  // The bytes so far survive a crash, once the folder was synced too.
  virtual arrow::Status Sync() = 0;
  virtual arrow::Status Close() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // A new, empty file; replaces one of that name.
  virtual arrow::Result<std::unique_ptr<WritableFile>> Create(const std::filesystem::path& path) = 0;
  virtual arrow::Status Rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  // No error when there is none.
  virtual arrow::Status Remove(const std::filesystem::path& path) = 0;
  // The folder's entries (files made, renamed, removed in it) survive a crash.
  virtual arrow::Status SyncFolder(const std::filesystem::path& folder) = 0;
  // No error when it is there. Its parent must be there, and is not synced.
  virtual arrow::Status CreateFolder(const std::filesystem::path& folder) = 0;
  virtual arrow::Result<bool> Exists(const std::filesystem::path& path) = 0;
  // The names in a folder, sorted.
  virtual arrow::Result<std::vector<std::string>> List(const std::filesystem::path& folder) = 0;
  // To read; ReadAt is thread-safe.
  virtual arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::filesystem::path& path) = 0;
};

// That of the operating system; lives as long as the process.
FileSystem& OsFileSystem();

// Makes the folders of `below`, a relative path, in `root` and syncs the folder above each, also of those that were
// there: a crash may have come between making and syncing.
arrow::Status CreateFoldersDurably(FileSystem& files, const std::filesystem::path& root,
                                   const std::filesystem::path& below);

}  // namespace yarrow::cold
