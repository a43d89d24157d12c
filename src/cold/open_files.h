// OpenFiles: files that are read, of which only so many are open at a time.
//
// Segments are in use by the thousand: a scan of a table with 10,000 of them holds them all. A descriptor is taken when
// bytes are read, and kept for the next read while there is room; so a process runs out of descriptors only when all of
// them are being read from at once.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>

namespace yarrow::cold {

// Thread-safe. Lives as long as the files it opened.
class OpenFiles {
 public:
  // That of the process. As many stay open as KeptFilesBudget says when one is opened.
  static OpenFiles& OfProcess();

  // Opens the file, so that one that is not there is an error now. ReadAt of the result is thread-safe. The file must
  // not be replaced by another one while the result lives. Errors are IOError, naming path and reason.
  arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::filesystem::path& path);

  size_t idle() const;  // open, and not being read from

 private:
  class File;
  using Idle = std::list<File*>;

  arrow::Result<int> Acquire(File* file);
  void Release(File* file);
  void Forget(File* file);
  arrow::Result<int> OpenDescriptor(const std::filesystem::path& path);
  // Closes the ones that were not used for the longest time.
  void Shrink(size_t most_idle);

  mutable std::mutex mutex_;
  Idle idle_;  // the one used last first
  size_t most_idle_ = 0;
};

}  // namespace yarrow::cold
