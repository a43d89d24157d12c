// For tests: a file system on which writes of the log can be held up, or made to fail.
#pragma once

#include <rocksdb/env.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace yarrow::test {

// Thread-safe.
class GatedEnv : public rocksdb::EnvWrapper {
 public:
  GatedEnv() : rocksdb::EnvWrapper(rocksdb::Env::Default()) {}
  const char* Name() const override { return "GatedEnv"; }

  // From now on each append to the log waits for Open().
  void Close() { Set(true, false); }
  void Open() { Set(false, false); }
  // Lets the waiting ones go, to fail like all that follow.
  void Fail() { Set(false, true); }

  void FailSyncs() { failing_syncs_ = true; }
  int syncs() const { return syncs_; }  // of the log so far

  // Returns when an append is waiting.
  void AwaitArrival() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

  rocksdb::Status NewWritableFile(const std::string& name, std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override {
    rocksdb::Status status = target()->NewWritableFile(name, file, options);
    if (status.ok() && name.ends_with(".log")) *file = std::make_unique<GatedFile>(std::move(*file), this);
    return status;
  }

 private:
  class GatedFile : public rocksdb::WritableFileWrapper {
   public:
    GatedFile(std::unique_ptr<rocksdb::WritableFile> file, GatedEnv* env)
        : rocksdb::WritableFileWrapper(file.get()), file_(std::move(file)), env_(env) {}
    rocksdb::Status Append(const rocksdb::Slice& data) override {
      rocksdb::Status status = env_->Pass();
      return status.ok() ? file_->Append(data) : status;
    }
    rocksdb::Status Append(const rocksdb::Slice& data, const rocksdb::DataVerificationInfo& info) override {
      rocksdb::Status status = env_->Pass();
      return status.ok() ? file_->Append(data, info) : status;
    }

    rocksdb::Status Sync() override {
      if (env_->failing_syncs_) return rocksdb::Status::IOError("the disk forgets");
      ++env_->syncs_;
      return file_->Sync();
    }

   private:
    std::unique_ptr<rocksdb::WritableFile> file_;
    GatedEnv* env_;
  };

  void Set(bool closed, bool failing) {
    std::lock_guard lock(mutex_);
    closed_ = closed;
    failing_ = failing;
    changed_.notify_all();
  }

  rocksdb::Status Pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !closed_; });
    --waiting_;
    return failing_ ? rocksdb::Status::IOError("the disk is on fire") : rocksdb::Status::OK();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  bool failing_ = false;
  int waiting_ = 0;
  std::atomic<bool> failing_syncs_ = false;
  std::atomic<int> syncs_ = 0;
};

}  // namespace yarrow::test
