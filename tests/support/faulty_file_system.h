// A file system that can lose what was not synced, and fail at a chosen step. Test-only.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cold/file_system.h"

namespace yarrow::cold::test {

// Over that of the operating system, whose syncs it leaves out. Not thread-safe. A negative step never comes.
class FaultyFileSystem : public FileSystem {
 public:
  explicit FaultyFileSystem(int fail_at) : fail_at_(fail_at) {}

  arrow::Result<std::unique_ptr<WritableFile>> Create(const std::filesystem::path& path) override {
    ARROW_RETURN_NOT_OK(Step());
    ARROW_ASSIGN_OR_RAISE(auto file, OsFileSystem().Create(path));
    unsynced_names_[path.parent_path()].insert(path);
    return std::make_unique<File>(this, path, std::move(file));
  }
  arrow::Status Rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    ARROW_RETURN_NOT_OK(Step());
    unsynced_names_[to.parent_path()].insert(to);
    unsynced_bytes_[to] = unsynced_bytes_[from];
    return OsFileSystem().Rename(from, to);
  }
  arrow::Status Remove(const std::filesystem::path& path) override {
    ARROW_RETURN_NOT_OK(Step());
    if (std::filesystem::is_regular_file(path)) {
      std::ifstream file(path, std::ios::binary);
      removed_[path] = std::string((std::istreambuf_iterator<char>(file)), {});
    }
    return OsFileSystem().Remove(path);
  }
  arrow::Status SyncFolder(const std::filesystem::path& folder) override {
    ARROW_RETURN_NOT_OK(Step());
    unsynced_names_.erase(folder);
    std::erase_if(removed_, [&](const auto& file) { return file.first.parent_path() == folder; });
    return arrow::Status::OK();
  }
  arrow::Status CreateFolder(const std::filesystem::path& folder) override {
    ARROW_RETURN_NOT_OK(Step());
    unsynced_names_[folder.parent_path()].insert(folder);
    return OsFileSystem().CreateFolder(folder);
  }
  arrow::Result<bool> Exists(const std::filesystem::path& path) override { return OsFileSystem().Exists(path); }
  arrow::Result<std::vector<std::string>> List(const std::filesystem::path& folder) override {
    return OsFileSystem().List(folder);
  }
  arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::filesystem::path& path) override {
    return OsFileSystem().Open(path);
  }

  // The power goes: names that no folder sync made last are gone, so are bytes that were not synced, and files whose
  // removal no folder sync made last are there again.
  void LosePower() const {
    for (const auto& [path, bytes] : removed_) std::ofstream(path, std::ios::binary) << bytes;
    for (const auto& [folder, names] : unsynced_names_) {
      for (const auto& name : names) std::filesystem::remove_all(name);
    }
    for (const auto& [path, is_unsynced] : unsynced_bytes_) {
      if (is_unsynced && std::filesystem::exists(path)) std::filesystem::resize_file(path, 0);
    }
  }
  int steps() const { return steps_; }

 private:
  class File : public WritableFile {
   public:
    File(FaultyFileSystem* system, std::filesystem::path path, std::unique_ptr<WritableFile> file)
        : system_(system), path_(std::move(path)), file_(std::move(file)) {}
    arrow::Status Append(std::string_view bytes) override {
      ARROW_RETURN_NOT_OK(system_->Step());
      system_->unsynced_bytes_[path_] = true;
      return file_->Append(bytes);
    }
    arrow::Status Sync() override {
      ARROW_RETURN_NOT_OK(system_->Step());
      system_->unsynced_bytes_[path_] = false;
      return file_->Sync();
    }
    arrow::Status Close() override { return file_->Close(); }

   private:
    FaultyFileSystem* const system_;
    const std::filesystem::path path_;
    const std::unique_ptr<WritableFile> file_;
  };

  arrow::Status Step() {
    return steps_++ == fail_at_ ? arrow::Status::IOError("no space left on device") : arrow::Status::OK();
  }

  const int fail_at_;
  int steps_ = 0;
  std::map<std::filesystem::path, std::set<std::filesystem::path>> unsynced_names_;
  std::map<std::filesystem::path, bool> unsynced_bytes_;
  std::map<std::filesystem::path, std::string> removed_;
};

}  // namespace yarrow::cold::test
