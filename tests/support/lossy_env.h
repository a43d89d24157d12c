// RocksDB's files on a LossyDisk. For tests.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "lossy_disk.h"
#include "store/log_ledger.h"
#include "store/store_env.h"

namespace yarrow::test {

// Over RocksDB's default, whose syncs it leaves out. Thread-safe.
class LossyRocksFiles : public rocksdb::FileSystemWrapper {
 public:
  using Status = rocksdb::IOStatus;
  using Options = rocksdb::IOOptions;
  using Context = rocksdb::IODebugContext;

  explicit LossyRocksFiles(LossyDisk* disk) : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}
  const char* Name() const override { return "LossyRocksFiles"; }

  Status NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                         std::unique_ptr<rocksdb::FSWritableFile>* file, Context* context) override {
    const Status made =
        Run(LossyDisk::Call::kMake, path, [&] { return target()->NewWritableFile(path, options, file, context); });
    if (made.ok()) *file = std::make_unique<File>(std::move(*file), disk_, path, /*is_reopened=*/false);
    return made;
  }
  Status ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                            std::unique_ptr<rocksdb::FSWritableFile>* file, Context* context) override {
    const Status opened =
        Run(LossyDisk::Call::kMake, path, [&] { return target()->ReopenWritableFile(path, options, file, context); });
    if (opened.ok()) *file = std::make_unique<File>(std::move(*file), disk_, path, /*is_reopened=*/true);
    return opened;
  }
  Status ReuseWritableFile(const std::string&, const std::string&, const rocksdb::FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>*, Context*) override {
    return Status::NotSupported("no option that asks for it is set");
  }
  Status NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                         std::unique_ptr<rocksdb::FSRandomRWFile>* file, Context* context) override {
    const Status opened = target()->NewRandomRWFile(path, options, file, context);
    if (opened.ok()) *file = std::make_unique<SlotFile>(std::move(*file), disk_, path);
    return opened;
  }
  Status NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSSequentialFile>* file, Context* context) override {
    if (path != kStartIdFile) return target()->NewSequentialFile(path, options, file, context);
    *file = std::make_unique<TextFile>(start_id_);
    return Status::OK();
  }
  Status NewDirectory(const std::string& path, const Options& options, std::unique_ptr<rocksdb::FSDirectory>* folder,
                      Context* context) override {
    const Status opened = target()->NewDirectory(path, options, folder, context);
    if (opened.ok()) *folder = std::make_unique<Folder>(std::move(*folder), disk_, path);
    return opened;
  }
  Status DeleteFile(const std::string& path, const Options& options, Context* context) override {
    return Run(LossyDisk::Call::kRemove, path, [&] { return target()->DeleteFile(path, options, context); });
  }
  Status DeleteDir(const std::string& path, const Options& options, Context* context) override {
    return Run(LossyDisk::Call::kRemove, path, [&] { return target()->DeleteDir(path, options, context); });
  }
  Status Truncate(const std::string& path, size_t size, const Options& options, Context* context) override {
    return Run(LossyDisk::Call::kWrite, path, [&] { return target()->Truncate(path, size, options, context); });
  }
  Status CreateDir(const std::string& path, const Options& options, Context* context) override {
    return Run(LossyDisk::Call::kMake, path, [&] { return target()->CreateDir(path, options, context); });
  }
  Status CreateDirIfMissing(const std::string& path, const Options& options, Context* context) override {
    return Run(LossyDisk::Call::kMake, path, [&] { return target()->CreateDirIfMissing(path, options, context); });
  }
  Status RenameFile(const std::string& from, const std::string& to, const Options& options, Context* context) override {
    return Run(LossyDisk::Call::kRename, to, [&] { return target()->RenameFile(from, to, options, context); });
  }
  Status LinkFile(const std::string& from, const std::string& to, const Options& options, Context* context) override {
    return Run(LossyDisk::Call::kMake, to, [&] { return target()->LinkFile(from, to, options, context); });
  }

 private:
  static Status Error(int error, const std::string& path) {
    if (error == 0) return Status::OK();
    return error == ENOSPC ? Status::NoSpace(path, std::strerror(error)) : Status::IOError(path, std::strerror(error));
  }

  class File : public rocksdb::FSWritableFileWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile> file, LossyDisk* disk, std::string path, bool is_reopened)
        : rocksdb::FSWritableFileWrapper(file.get()),
          file_(std::move(file)),
          disk_(disk),
          path_(std::move(path)),
          is_reopened_(is_reopened),
          on_disk_(disk->OpenFile(path_)) {}
    ~File() override {
      disk_->CloseUnchanged(*on_disk_, [this] { file_.reset(); });
    }

    Status Append(const rocksdb::Slice& data, const Options& options, Context* context) override {
      const LossyDisk::Turn turn = disk_->Begin(LossyDisk::Call::kWrite, path_);
      if (turn.error() == 0) return target()->Append(data, options, context);
      // A disk that is full takes some of it.
      if (turn.error() == ENOSPC) {
        (void)target()->Append(rocksdb::Slice(data.data(), data.size() / 2), options, context);
      }
      return Error(turn.error(), path_);
    }
    Status Append(const rocksdb::Slice& data, const Options& options, const rocksdb::DataVerificationInfo&,
                  Context* context) override {
      return Append(data, options, context);
    }
    Status PositionedAppend(const rocksdb::Slice&, uint64_t, const Options&, Context*) override {
      return Status::NotSupported("for direct writes only, which no option asks for");
    }
    Status PositionedAppend(const rocksdb::Slice& data, uint64_t offset, const Options& options,
                            const rocksdb::DataVerificationInfo&, Context* context) override {
      return PositionedAppend(data, offset, options, context);
    }
    Status Truncate(uint64_t size, const Options& options, Context* context) override {
      const LossyDisk::Turn turn = disk_->Begin(LossyDisk::Call::kWrite, path_);
      return turn.error() == 0 ? target()->Truncate(size, options, context) : Error(turn.error(), path_);
    }
    Status Sync(const Options&, Context*) override { return Error(disk_->Sync(*on_disk_, path_, is_reopened_), path_); }
    Status Fsync(const Options& options, Context* context) override { return Sync(options, context); }
    Status RangeSync(uint64_t, uint64_t, const Options&, Context*) override { return Status::OK(); }
    Status Close(const Options& options, Context* context) override {
      Status closed;
      disk_->CloseUnchanged(*on_disk_, [&] { closed = target()->Close(options, context); });
      return closed;
    }

   private:
    std::unique_ptr<rocksdb::FSWritableFile> file_;
    LossyDisk* const disk_;
    const std::string path_;
    const bool is_reopened_;
    const std::shared_ptr<LossyDisk::File> on_disk_;
  };

  // Written in place.
  class SlotFile : public rocksdb::FSRandomRWFileOwnerWrapper {
   public:
    SlotFile(std::unique_ptr<rocksdb::FSRandomRWFile> file, LossyDisk* disk, std::string path)
        : FSRandomRWFileOwnerWrapper(std::move(file)),
          disk_(disk),
          path_(std::move(path)),
          on_disk_(disk->OpenFile(path_)) {}
    Status Write(uint64_t offset, const rocksdb::Slice& data, const Options& options, Context* context) override {
      const LossyDisk::Turn turn = disk_->Begin(LossyDisk::Call::kWrite, path_);
      return turn.error() == 0 ? target()->Write(offset, data, options, context) : Error(turn.error(), path_);
    }
    Status Sync(const Options&, Context*) override { return Error(disk_->Sync(*on_disk_, path_), path_); }
    Status Fsync(const Options& options, Context* context) override { return Sync(options, context); }

   private:
    LossyDisk* const disk_;
    const std::string path_;
    const std::shared_ptr<LossyDisk::File> on_disk_;
  };

  class TextFile : public rocksdb::FSSequentialFile {
   public:
    explicit TextFile(std::string text) : text_(std::move(text)) {}
    Status Read(size_t count, const Options&, rocksdb::Slice* result, char* scratch, Context*) override {
      count = text_.copy(scratch, count, at_);
      at_ += count;
      *result = rocksdb::Slice(scratch, count);
      return Status::OK();
    }
    Status Skip(uint64_t count) override {
      at_ = std::min<size_t>(text_.size(), at_ + count);
      return Status::OK();
    }

   private:
    const std::string text_;
    size_t at_ = 0;
  };

  class Folder : public rocksdb::FSDirectoryWrapper {
   public:
    Folder(std::unique_ptr<rocksdb::FSDirectory> folder, LossyDisk* disk, std::string path)
        : rocksdb::FSDirectoryWrapper(std::move(folder)), disk_(disk), path_(std::move(path)) {}
    Status Fsync(const Options&, Context*) override { return Error(disk_->SyncFolder(path_), path_); }
    Status FsyncWithDirOptions(const Options& options, Context* context, const rocksdb::DirFsyncOptions&) override {
      return Fsync(options, context);
    }

   private:
    LossyDisk* const disk_;
    const std::string path_;
  };

  template <class Do>
  Status Run(LossyDisk::Call call, const std::string& path, const Do& run) {
    const LossyDisk::Turn turn = disk_->Begin(call, path);
    return turn.error() == 0 ? run() : Error(turn.error(), path);
  }

  static std::string NewStartId() {
    std::random_device random;
    std::string id;
    for (int i = 0; i < 16; ++i) {
      for (const unsigned half : {random() % 16, random() % 16}) id += "0123456789abcdef"[half];
    }
    return id;
  }

  LossyDisk* const disk_;
  const std::string start_id_ = NewStartId();  // who mounts a disk again has started the system again
};

// As a store has it otherwise, on a LossyDisk that must outlive it.
class LossyEnv : public rocksdb::EnvWrapper {
 public:
  explicit LossyEnv(LossyDisk* disk)
      : rocksdb::EnvWrapper(std::shared_ptr<rocksdb::Env>(NewStoreEnv(std::make_shared<LossyRocksFiles>(disk)))) {}
  const char* Name() const override { return "LossyEnv"; }
  // After an error RocksDB's threads sleep for a second, also when the database is being closed.
  void SleepForMicroseconds(int micros) override { target()->SleepForMicroseconds(std::min(micros, 1000)); }
};

}  // namespace yarrow::test
