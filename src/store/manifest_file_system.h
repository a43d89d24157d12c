// ManifestFileSystem: SST files stay when RocksDB's MANIFEST may name them.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "store/guarded_io.h"

namespace yarrow {

// After an error of writing or syncing its MANIFEST nobody knows what of it is on disk. RocksDB keeps its files then,
// but (as of 7.8) for those of the ingest that failed: if the MANIFEST has them after all, the database cannot be
// opened any more. So from such an error on, until RocksDB has put another MANIFEST in place, no SST file of the folder
// is removed. When the database is opened, RocksDB removes those that its MANIFEST does not name. Thread-safe.
class ManifestFileSystem : public rocksdb::FileSystemWrapper {
 public:
  using Status = rocksdb::IOStatus;
  using Options = rocksdb::IOOptions;
  using Context = rocksdb::IODebugContext;

  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "yarrow::ManifestFileSystem"; }

  Status NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                         std::unique_ptr<rocksdb::FSWritableFile>* file, Context* context) override {
    return GuardedIo([&] {
      Status made = target()->NewWritableFile(path, options, file, context);
      if (made.ok() && NameOf(path).starts_with("MANIFEST-")) {
        *file = std::make_unique<Manifest>(std::move(*file), this, FolderOf(path));
      }
      return made;
    });
  }
  Status RenameFile(const std::string& from, const std::string& to, const Options& options, Context* context) override {
    Status renamed = target()->RenameFile(from, to, options, context);
    if (!renamed.ok()) return renamed;
    GuardedIo([&] {  // else it stays uncertain
      if (NameOf(to) != "CURRENT") return Status::OK();
      std::lock_guard lock(mutex_);
      uncertain_.erase(FolderOf(to));
      return Status::OK();
    })
        .PermitUncheckedError();
    return renamed;
  }
  Status DeleteFile(const std::string& path, const Options& options, Context* context) override {
    return GuardedIo([&] {
      if (path.ends_with(".sst") && IsUncertain(FolderOf(path))) return Status::OK();
      return target()->DeleteFile(path, options, context);
    });
  }

 private:
  static std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  static std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }
  bool IsUncertain(const std::string& folder) {
    std::lock_guard lock(mutex_);
    return is_all_uncertain_ || uncertain_.contains(folder);
  }

  class Manifest : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    Manifest(std::unique_ptr<rocksdb::FSWritableFile> file, ManifestFileSystem* files, std::string folder)
        : FSWritableFileOwnerWrapper(std::move(file)), files_(files), folder_(std::move(folder)) {}
    Status Append(const rocksdb::Slice& data, const Options& options, Context* context) override {
      return Note(target()->Append(data, options, context));
    }
    Status Append(const rocksdb::Slice& data, const Options& options, const rocksdb::DataVerificationInfo& info,
                  Context* context) override {
      return Note(target()->Append(data, options, info, context));
    }
    Status Flush(const Options& options, Context* context) override { return Note(target()->Flush(options, context)); }
    Status Sync(const Options& options, Context* context) override { return Note(target()->Sync(options, context)); }
    Status Fsync(const Options& options, Context* context) override { return Note(target()->Fsync(options, context)); }

   private:
    Status Note(Status status) {
      if (!status.ok()) {
        std::lock_guard lock(files_->mutex_);
        try {
          files_->uncertain_.insert(folder_);
        } catch (const std::bad_alloc&) {
          files_->is_all_uncertain_ = true;
        }
      }
      return status;
    }
    ManifestFileSystem* const files_;
    const std::string folder_;
  };

  std::mutex mutex_;
  std::set<std::string> uncertain_;  // folders
  bool is_all_uncertain_ = false;    // there was no memory for the name of one
};

}  // namespace yarrow
