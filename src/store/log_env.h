// LogEnv: the Env of one store, which keeps its LogLedger.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/guarded_io.h"
#include "store/log_ledger.h"

namespace yarrow {

// The number of a file of the log; none for other files.
inline std::optional<uint64_t> LogNumberOf(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end == name.data() || std::string(end) != ".log") return std::nullopt;
  return number;
}

// The number of a MANIFEST; none for other files.
inline std::optional<uint64_t> ManifestNumberOf(const std::string& path) {
  constexpr std::string_view kPrefix = "MANIFEST-";
  const std::string name = path.substr(path.rfind('/') + 1);
  if (!name.starts_with(kPrefix)) return std::nullopt;
  uint64_t number = 0;
  const char* const behind = name.data() + name.size();
  const auto [end, error] = std::from_chars(name.data() + kPrefix.size(), behind, number);
  return error == std::errc() && end == behind ? std::optional(number) : std::nullopt;
}

// Notes in the ledger what is synced of the log and of MANIFESTs, and takes a file of the log out of it before that is
// removed. A file to which nothing was written is removed when it is closed. Thread-safe.
class LedgerFileSystem : public rocksdb::FileSystemWrapper {
 public:
  using Status = rocksdb::IOStatus;
  using Options = rocksdb::IOOptions;
  using Context = rocksdb::IODebugContext;

  LedgerFileSystem(const std::shared_ptr<rocksdb::FileSystem>& files, LogLedger* ledger, bool is_lax)
      : FileSystemWrapper(files), ledger_(ledger), is_lax_(is_lax) {}
  const char* Name() const override { return "yarrow::LedgerFileSystem"; }

  Status NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                         std::unique_ptr<rocksdb::FSWritableFile>* file, Context* context) override {
    Status made = target()->NewWritableFile(path, options, file, context);
    return made.ok() ? GuardedIo([&] { return Watch(path, file); }) : made;
  }
  Status DeleteFile(const std::string& path, const Options& options, Context* context) override {
    return GuardedIo([&] {
      const auto log = LogNumberOf(path), number = log ? log : ManifestNumberOf(path);
      if (number) {
        const arrow::Status forgotten = ledger_->Forget(*number);
        if (!forgotten.ok()) return Status::IOError(forgotten.message());
      }
      return target()->DeleteFile(path, options, context);
    });
  }
  Status NewDirectory(const std::string& path, const Options& options, std::unique_ptr<rocksdb::FSDirectory>* folder,
                      Context* context) override {
    return GuardedIo([&] {
      Status opened = target()->NewDirectory(path, options, folder, context);
      if (opened.ok()) *folder = std::make_unique<Folder>(std::move(*folder), ledger_);
      return opened;
    });
  }

 private:
  // Has what is synced of the new file noted, if it is one of the log or a MANIFEST.
  Status Watch(const std::string& path, std::unique_ptr<rocksdb::FSWritableFile>* file) {
    const auto log = LogNumberOf(path), manifest = ManifestNumberOf(path);
    if (manifest) {
      ledger_->AddManifest(*manifest);
      *file = std::make_unique<SyncedFile>(std::move(*file), ledger_, *manifest);
    }
    if (!log) return Status::OK();
    const arrow::Status added = ledger_->Add(*log, is_lax_);
    if (!added.ok()) return Status::IOError(added.message());
    *file = std::make_unique<Log>(std::move(*file), this, path, *log);
    return Status::OK();
  }

  class SyncedFile : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    SyncedFile(std::unique_ptr<rocksdb::FSWritableFile> file, LogLedger* ledger, uint64_t number)
        : FSWritableFileOwnerWrapper(std::move(file)), ledger_(ledger), number_(number) {}

    Status Append(const rocksdb::Slice& data, const Options& options, Context* context) override {
      return Note(data, target()->Append(data, options, context));
    }
    Status Append(const rocksdb::Slice& data, const Options& options, const rocksdb::DataVerificationInfo& info,
                  Context* context) override {
      return Note(data, target()->Append(data, options, info, context));
    }
    Status Sync(const Options& options, Context* context) override {
      const uint64_t written = written_;
      return NoteSync(written, target()->Sync(options, context));
    }
    Status Fsync(const Options& options, Context* context) override {
      const uint64_t written = written_;
      return NoteSync(written, target()->Fsync(options, context));
    }

   protected:
    uint64_t written() const { return written_; }

   private:
    Status Note(const rocksdb::Slice& data, Status status) {
      written_ += data.size();  // also when it failed: then something may be there
      return status;
    }
    Status NoteSync(uint64_t bytes, Status status) {
      if (status.ok()) ledger_->NoteSynced(number_, bytes);
      return status;
    }

    LogLedger* const ledger_;
    const uint64_t number_;
    std::atomic<uint64_t> written_ = 0;
  };

  class Log : public SyncedFile {
   public:
    Log(std::unique_ptr<rocksdb::FSWritableFile> file, LedgerFileSystem* files, std::string path, uint64_t number)
        : SyncedFile(std::move(file), files->ledger_, number), files_(files), path_(std::move(path)) {}
    Status Close(const Options& options, Context* context) override {
      Status closed = target()->Close(options, context);
      if (closed.ok() && written() == 0) {
        files_->DeleteFile(path_, options, context).PermitUncheckedError();
      } else {  // else less is known after a power cut
        GuardedIo([&] {
          ARROW_UNUSED(files_->ledger_->Sync());
          return Status::OK();
        }).PermitUncheckedError();
      }
      return closed;
    }

   private:
    LedgerFileSystem* const files_;
    const std::string path_;
  };

  class Folder : public rocksdb::FSDirectoryWrapper {
   public:
    Folder(std::unique_ptr<rocksdb::FSDirectory> folder, LogLedger* ledger)
        : FSDirectoryWrapper(std::move(folder)), ledger_(ledger) {}
    Status Fsync(const Options& options, Context* context) override {
      const std::vector<uint64_t> unnamed = ledger_->Unnamed();
      return Note(unnamed, FSDirectoryWrapper::Fsync(options, context));
    }
    Status FsyncWithDirOptions(const Options& options, Context* context,
                               const rocksdb::DirFsyncOptions& what) override {
      const std::vector<uint64_t> unnamed = ledger_->Unnamed();
      return Note(unnamed, FSDirectoryWrapper::FsyncWithDirOptions(options, context, what));
    }

   private:
    Status Note(const std::vector<uint64_t>& unnamed, Status status) {
      if (status.ok()) ledger_->NoteNamed(unnamed);
      return status;
    }
    LogLedger* const ledger_;
  };

  LogLedger* const ledger_;
  const bool is_lax_;
};

// On `base`, which must outlive it, as the ledger must.
class LogEnv : public rocksdb::EnvWrapper {
 public:
  LogEnv(rocksdb::Env* base, LogLedger* ledger, bool is_lax) : EnvWrapper(base) {
    file_system_ = std::make_shared<LedgerFileSystem>(base->GetFileSystem(), ledger, is_lax);
  }
  const char* Name() const override { return "yarrow::LogEnv"; }
  // RocksDB removes files by its Env and not by the file system of that.
  rocksdb::Status DeleteFile(const std::string& path) override {
    return file_system_->DeleteFile(path, rocksdb::IOOptions(), nullptr);
  }
};

}  // namespace yarrow
