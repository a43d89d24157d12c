// StoreRegistry: one Store per path in a process, however many ask for it at once.
#pragma once

#include <arrow/result.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "yarrow/store.h"

namespace yarrow {

// Thread-safe.
class StoreRegistry {
 public:
  static StoreRegistry& Instance();

  // The open Store of `path`, or what `open` returns. Threads that ask meanwhile wait for it; so do threads that ask
  // while the last owner of a Store is closing it.
  arrow::Result<std::shared_ptr<Store>> GetOrOpen(const std::filesystem::path& path,
                                                  const std::function<arrow::Result<std::shared_ptr<Store>>()>& open);

  // The Store of `path` is closed, all of it. Called by its destructor.
  void Remove(const std::filesystem::path& path);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::filesystem::path, std::weak_ptr<Store>> stores_;  // null while opening; expired while closing
};

}  // namespace yarrow
