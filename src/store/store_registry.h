// StoreRegistry: one Store per directory in a process, however many ask for it at once and by whatever path.
#pragma once

#include <arrow/result.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "yarrow/store.h"

namespace yarrow {

// Thread-safe.
class StoreRegistry {
 public:
  static StoreRegistry& Instance();

  // The open Store of the directory `path`, or what `open` returns. Threads that ask meanwhile wait for it; so do
  // threads that ask while the last owner of a Store is closing it. An error in a process that was forked while one was
  // open, and for a directory that took the place of one that is open.
  arrow::Result<std::shared_ptr<Store>> GetOrOpen(const std::filesystem::path& path,
                                                  const std::function<arrow::Result<std::shared_ptr<Store>>()>& open);

  // The Store of `path` is closed, all of it. Called by its destructor.
  void Remove(const std::filesystem::path& path);

 private:
  using Identity = std::pair<uint64_t, uint64_t>;  // device and inode
  struct Known {
    std::weak_ptr<Store> store;        // null while opening; expired while closing
    std::optional<Identity> identity;  // nothing as long as the directory is being made
  };
  using Stores = std::map<std::filesystem::path, Known>;

  static std::optional<Identity> IdentityOf(const std::filesystem::path& path);
  Stores::iterator Find(const std::filesystem::path& path, const std::optional<Identity>& identity);

  std::mutex mutex_;
  std::condition_variable changed_;
  Stores stores_;  // by the path it was opened with
};

}  // namespace yarrow
