#include "database/open_database.h"

#include <map>
#include <mutex>
#include <utility>

#include "flush/background.h"
#include "store/guarded.h"
#include "store/home_process.h"
#include "store/store_impl.h"
#include "table/database_impl.h"
#include "yarrow/database.h"

namespace yarrow {

struct DatabaseAccess {
  static std::shared_ptr<Database> Make(std::shared_ptr<DatabaseImpl> impl) {
    return std::shared_ptr<Database>(new Database(std::move(impl)));
  }
  static const std::shared_ptr<DatabaseImpl>& ImplOf(const Database& database) { return database.impl_; }
};

namespace {

// What those who have opened a database share. Jobs of the background hold the DatabaseImpl, too, so the end of it is
// when the last of the others lets go.
struct OpenDatabase {
  explicit OpenDatabase(std::shared_ptr<DatabaseImpl> opened) : impl(std::move(opened)), background(impl.get()) {}
  const std::shared_ptr<DatabaseImpl> impl;
  flush::Background background;
};

// One DatabaseImpl per open Store, as there is one Store per directory: catalog and counters are shared by all.
class DatabaseRegistry {
 public:
  arrow::Result<std::shared_ptr<DatabaseImpl>> Find(std::shared_ptr<Store> store) {
    std::lock_guard lock(mutex_);
    std::erase_if(known_, [](const auto& entry) { return entry.second.impl.expired(); });
    Known& known = known_[store.get()];
    auto open = known.open.lock();
    if (!open) {
      auto impl = known.impl.lock();
      if (!impl) {
        ARROW_ASSIGN_OR_RAISE(impl, DatabaseImpl::Open(std::move(store)));
      }
      known.impl = impl;
      open = std::shared_ptr<OpenDatabase>(new OpenDatabase(std::move(impl)), DeleteAtHome());
      known.open = open;
    }
    DatabaseImpl* const impl = open->impl.get();
    return std::shared_ptr<DatabaseImpl>(std::move(open), impl);
  }

 private:
  struct Known {
    std::weak_ptr<DatabaseImpl> impl;
    std::weak_ptr<OpenDatabase> open;
  };
  std::mutex mutex_;
  std::map<const Store*, Known> known_;
};

}  // namespace

arrow::Result<std::shared_ptr<Database>> Database::Open(const std::filesystem::path& path,
                                                        const StoreOptions& options) {
  static DatabaseRegistry databases;
  ARROW_ASSIGN_OR_RAISE(auto store, Store::Open(path, options));
  std::shared_ptr<DatabaseImpl> impl;
  ARROW_RETURN_NOT_OK(RunGuarded([&] { return databases.Find(std::move(store)).Value(&impl); }));
  return std::shared_ptr<Database>(new Database(std::move(impl)));
}

arrow::Result<std::shared_ptr<Database>> OpenDatabaseOn(rocksdb::Env* env, cold::FileSystem* files,
                                                        const std::filesystem::path& path,
                                                        const StoreOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto store, OpenStoreOn(env, path, options));
  return DatabaseImpl::Open(std::move(store), files).Map(DatabaseAccess::Make);
}

const std::shared_ptr<DatabaseImpl>& ImplOf(const Database& database) {
  return DatabaseAccess::ImplOf(database);
}

}  // namespace yarrow
