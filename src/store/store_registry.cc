#include "store/store_registry.h"

namespace yarrow {

StoreRegistry& StoreRegistry::Instance() {
  static StoreRegistry* const registry = new StoreRegistry;  // outlives every static Store
  return *registry;
}

arrow::Result<std::shared_ptr<Store>> StoreRegistry::GetOrOpen(
    const std::filesystem::path& path, const std::function<arrow::Result<std::shared_ptr<Store>>()>& open) {
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto found = stores_.find(path);
      if (found == stores_.end()) break;
      if (std::shared_ptr<Store> store = found->second.lock()) return store;
      changed_.wait(lock);
    }
    stores_.emplace(path, std::weak_ptr<Store>());
  }
  arrow::Result<std::shared_ptr<Store>> opened = open();
  std::lock_guard lock(mutex_);
  if (opened.ok()) {
    stores_[path] = *opened;
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
