// SpillFile: what memory should not hold, in a file that nobody else sees.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

namespace yarrow {

// Has no name, so nothing is left of it after a crash. Thread-safe.
class SpillFile {
 public:
  static arrow::Result<std::shared_ptr<SpillFile>> Create(const std::filesystem::path& folder);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  // A place for so many bytes, which no one else gets.
  uint64_t Reserve(uint64_t size) { return end_.fetch_add(size); }
  arrow::Status Write(uint64_t offset, const void* bytes, size_t size);
  arrow::Status Read(uint64_t offset, void* bytes, size_t size) const;
  // Gives the room of the place back to the file system, where that can be done.
  void Free(uint64_t offset, uint64_t size);

 private:
  SpillFile(int fd, std::filesystem::path folder) : fd_(fd), folder_(std::move(folder)) {}

  const int fd_;
  const std::filesystem::path folder_;  // for messages
  std::atomic<uint64_t> end_{0};
};

}  // namespace yarrow
