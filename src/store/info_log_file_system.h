// InfoLogFileSystem: the default file system, with an information log that a full disk does not stop.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "store/guarded_io.h"

namespace yarrow {

// RocksDB's LOG. Thread-safe. What cannot be written is left out.
class InfoLog : public rocksdb::Logger {
 public:
  explicit InfoLog(std::FILE* file) : file_(file, &std::fclose) {}
  ~InfoLog() override { closed_ = true; }

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto micros =
        std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() % 1'000'000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char time[32];
    std::strftime(time, sizeof time, "%Y/%m/%d-%H:%M:%S", &parts);
    std::lock_guard lock(mutex_);
    std::fprintf(file_.get(), "%s.%06d ", time, static_cast<int>(micros));
    std::vfprintf(file_.get(), format, arguments);
    if (!std::string_view(format).ends_with('\n')) std::fputc('\n', file_.get());
    std::fflush(file_.get());
  }
  size_t GetLogFileSize() const override {
    std::lock_guard lock(mutex_);
    const long at = std::ftell(file_.get());
    return at < 0 ? 0 : static_cast<size_t>(at);
  }

 private:
  rocksdb::Status CloseImpl() override { return rocksdb::Status::OK(); }

  mutable std::mutex mutex_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

// RocksDB's own writes through a buffer that refuses to go on after an error: in builds with assertions (Debian's is
// one) the line after the one that found the disk full ends the process.
class InfoLogFileSystem : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "yarrow::InfoLogFileSystem"; }
  rocksdb::IOStatus NewLogger(const std::string& path, const rocksdb::IOOptions&,
                              std::shared_ptr<rocksdb::Logger>* logger, rocksdb::IODebugContext*) override {
    std::FILE* file = std::fopen(path.c_str(), "we");
    if (file == nullptr) return rocksdb::IOStatus::IOError(path, "cannot be made");
    return GuardedIo([&] {
      *logger = std::make_shared<InfoLog>(file);
      return rocksdb::IOStatus::OK();
    });
  }
};

}  // namespace yarrow
