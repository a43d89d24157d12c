// The Env of a store.
#pragma once

#include <rocksdb/env.h>

#include <memory>
#include <utility>

#include "store/info_log_file_system.h"
#include "store/log_file_system.h"
#include "store/manifest_file_system.h"

namespace yarrow {

// What a store opens RocksDB with, over `files`.
inline std::unique_ptr<rocksdb::Env> NewStoreEnv(std::shared_ptr<rocksdb::FileSystem> files) {
  return rocksdb::NewCompositeEnv(std::make_shared<InfoLogFileSystem>(
      std::make_shared<LogFileSystem>(std::make_shared<ManifestFileSystem>(std::move(files)))));
}

// One for the whole process, and another one for each forked child; never destroyed, as RocksDB's own default is not.
rocksdb::Env* StoreEnv();

}  // namespace yarrow
