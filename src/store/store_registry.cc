#include "store/store_registry.h"

#include <sys/stat.h>

#include <algorithm>

#include "store/home_process.h"

namespace yarrow {

StoreRegistry& StoreRegistry::Instance() {
  static StoreRegistry* const registry = new StoreRegistry;  // outlives every static Store
  return *registry;
}

std::optional<StoreRegistry::Identity> StoreRegistry::IdentityOf(const std::filesystem::path& path) {
  struct stat directory {};
  if (::stat(path.c_str(), &directory) != 0) return std::nullopt;
  return Identity(directory.st_dev, directory.st_ino);
}

StoreRegistry::Stores::iterator StoreRegistry::Find(const std::filesystem::path& path,
                                                    const std::optional<Identity>& identity) {
  if (identity) {
    const auto is_it = [&](const auto& entry) { return entry.second.identity == identity; };
    if (const auto found = std::ranges::find_if(stores_, is_it); found != stores_.end()) return found;
  }
  return stores_.find(path);
}

arrow::Result<std::shared_ptr<Store>> StoreRegistry::GetOrOpen(
    const std::filesystem::path& path, const std::function<arrow::Result<std::shared_ptr<Store>>()>& open) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  const HomeProcess::OpenStore opening;  // so a child has no lock of ours that somebody holds
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      const std::optional<Identity> identity = IdentityOf(path);
      const auto found = Find(path, identity);
      if (found == stores_.end()) {
        stores_.emplace(path, Known{.store = {}, .identity = identity});
        break;
      }
      if (std::shared_ptr<Store> store = found->second.store.lock()) {
        if (found->second.identity == identity) return store;
        return arrow::Status::IOError("the database at '", path.string(),
                                      "' is open in this process, but its directory was moved or removed since: close "
                                      "it before another one is opened in its place");
      }
      changed_.wait(lock);
    }
  }
  arrow::Result<std::shared_ptr<Store>> opened = open();
  std::lock_guard lock(mutex_);
  if (opened.ok()) {
    stores_[path] = {.store = *opened, .identity = IdentityOf(path)};
  } else {
    stores_.erase(path);
  }
  changed_.notify_all();
  return opened;
}

void StoreRegistry::Remove(const std::filesystem::path& path) {
  std::lock_guard lock(mutex_);
  stores_.erase(path);
  changed_.notify_all();
}

}  // namespace yarrow
