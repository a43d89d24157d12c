// How a database is opened, and what is behind one that is open.
#pragma once

#include <arrow/result.h>

#include <filesystem>
#include <memory>

#include "table/database_impl.h"
#include "yarrow/database.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace yarrow {

// What is behind the facade.
const std::shared_ptr<DatabaseImpl>& ImplOf(const Database& database);

// Database::Open on other file systems, which must outlive it; for tests of disks that fail and forget. Nothing runs in
// its background, and a second call for the same folder does not return the same database.
arrow::Result<std::shared_ptr<Database>> OpenDatabaseOn(rocksdb::Env* env, cold::FileSystem* files,
                                                        const std::filesystem::path& path, const StoreOptions& options);

}  // namespace yarrow
