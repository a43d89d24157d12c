// The RocksDB options of every store, in one place.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include <memory>

#include "yarrow/store.h"

namespace yarrow {

// Of all files of the log together, until Store::SetMostLogBytes says otherwise.
constexpr uint64_t kMostLogBytes = 128 << 20;

rocksdb::DBOptions MakeDbOptions(const StoreOptions& options);

// LRU, cut into shards that hold the largest entries there are.
std::shared_ptr<rocksdb::Cache> MakeBlockCache(uint64_t bytes);

// Of every partition, and of the SST files that are ingested into it.
rocksdb::ColumnFamilyOptions MakePartitionOptions(const StoreOptions& options,
                                                  const std::shared_ptr<rocksdb::Cache>& block_cache);

}  // namespace yarrow
