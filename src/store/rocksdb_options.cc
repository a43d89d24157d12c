#include "store/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

namespace yarrow {

namespace {

rocksdb::BlockBasedTableOptions MakeTableOptions(const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = block_cache;
  table.block_size = 16 << 10;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = true;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return table;
}

}  // namespace

rocksdb::DBOptions MakeDbOptions(const StoreOptions&) {
  rocksdb::DBOptions db;
  db.max_background_jobs = 2;
  db.info_log_level = rocksdb::WARN_LEVEL;
  db.max_log_file_size = 1 << 20;
  db.keep_log_file_num = 2;
  // Spreads the writing of SST files over time instead of leaving it all to one sync that stalls commits.
  db.bytes_per_sync = 1 << 20;
  return db;
}

rocksdb::ColumnFamilyOptions MakePartitionOptions(const StoreOptions& options,
                                                  const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::ColumnFamilyOptions partition;
  partition.table_factory.reset(rocksdb::NewBlockBasedTableFactory(MakeTableOptions(block_cache)));
  partition.write_buffer_size = options.write_buffer_bytes;
  partition.level_compaction_dynamic_level_bytes = true;
  partition.disable_auto_compactions = options.disable_auto_compaction;
  partition.compression = rocksdb::kLZ4Compression;
  // Tombstones in front of a scan cost a microsecond for every few of them until compaction drops them, so a file in
  // which half of some 1,024 neighbours are tombstones is compacted soon.
  partition.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(1024, 512, 0.5));
  return partition;
}

}  // namespace yarrow
