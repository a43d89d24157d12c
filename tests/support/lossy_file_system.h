// The files of segments on a LossyDisk. For tests.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cold/file_system.h"
#include "lossy_disk.h"

namespace yarrow::cold::test {

// Over that of the operating system, whose syncs it leaves out. Thread-safe.
class LossyFileSystem : public FileSystem {
 public:
  using Disk = yarrow::test::LossyDisk;
  using Path = std::filesystem::path;

  explicit LossyFileSystem(Disk* disk) : disk_(disk) {}

  arrow::Result<std::unique_ptr<WritableFile>> Create(const Path& path) override {
    std::unique_ptr<WritableFile> file;
    {
      const Disk::Turn turn = disk_->Begin(Disk::Call::kMake, path);
      ARROW_RETURN_NOT_OK(Error(turn.error(), "create", path));
      ARROW_ASSIGN_OR_RAISE(file, OsFileSystem().Create(path));
    }
    return std::make_unique<File>(std::move(file), disk_, path);
  }
  arrow::Status Rename(const Path& from, const Path& to) override {
    const Disk::Turn turn = disk_->Begin(Disk::Call::kRename, to);
    ARROW_RETURN_NOT_OK(Error(turn.error(), "rename to", to));
    return OsFileSystem().Rename(from, to);
  }
  arrow::Status Remove(const Path& path) override {
    const Disk::Turn turn = disk_->Begin(Disk::Call::kRemove, path);
    ARROW_RETURN_NOT_OK(Error(turn.error(), "remove", path));
    return OsFileSystem().Remove(path);
  }
  arrow::Status SyncFolder(const Path& folder) override {
    return Error(disk_->SyncFolder(folder), "sync the folder", folder);
  }
  arrow::Status CreateFolder(const Path& folder) override {
    const Disk::Turn turn = disk_->Begin(Disk::Call::kMake, folder);
    ARROW_RETURN_NOT_OK(Error(turn.error(), "make the folder", folder));
    return OsFileSystem().CreateFolder(folder);
  }
  arrow::Result<bool> Exists(const Path& path) override { return OsFileSystem().Exists(path); }
  arrow::Result<std::vector<std::string>> List(const Path& folder) override { return OsFileSystem().List(folder); }
  arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const Path& path) override {
    return OsFileSystem().Open(path);
  }

 private:
  class File : public WritableFile {
   public:
    File(std::unique_ptr<WritableFile> file, Disk* disk, Path path)
        : file_(std::move(file)), disk_(disk), path_(std::move(path)), on_disk_(disk->OpenFile(path_)) {}
    arrow::Status Append(std::string_view bytes) override {
      const Disk::Turn turn = disk_->Begin(Disk::Call::kWrite, path_);
      // A disk that is full takes some of it.
      if (turn.error() == ENOSPC) ARROW_RETURN_NOT_OK(file_->Append(bytes.substr(0, bytes.size() / 2)));
      ARROW_RETURN_NOT_OK(Error(turn.error(), "write", path_));
      return file_->Append(bytes);
    }
    arrow::Status Sync() override { return Error(disk_->Sync(*on_disk_, path_), "sync", path_); }
    arrow::Status Close() override { return file_->Close(); }

   private:
    const std::unique_ptr<WritableFile> file_;
    Disk* const disk_;
    const Path path_;
    const std::shared_ptr<Disk::File> on_disk_;
  };

  // As that of the operating system words it.
  static arrow::Status Error(int error, const char* what, const Path& path) {
    if (error == 0) return arrow::Status::OK();
    return arrow::Status::IOError("cannot ", what, " '", path.string(), "': ", std::strerror(error));
  }

  Disk* const disk_;
};

}  // namespace yarrow::cold::test
