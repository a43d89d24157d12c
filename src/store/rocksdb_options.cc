#include "store/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <memory>

#include "store/file_limit.h"
#include "store/skipped_entries.h"

namespace yarrow {

namespace {

rocksdb::BlockBasedTableOptions MakeTableOptions(const std::shared_ptr<rocksdb::Cache>& block_cache) {
  // Measured on 1M rows of 150 mixed bytes under 13-byte keys; one thread on a shared machine, the fastest
  // tenth of slices of 5,000 rows:
  //
  //   block, compression    SST MB   scan, cached   scan, uncached   Get, cached
  //    4 KB, none            167.0   209 ns a row     252 ns a row       5.1 us
  //   16 KB, none            165.7   161              173                4.7
  //   32 KB, none            165.5   151              165                4.4
  //   64 KB, none            165.3   159              165                5.2
  //    4 KB, LZ4              93.2   194              288                4.3
  //   16 KB, LZ4              86.4   152              218                4.4
  //   32 KB, LZ4              84.5   161              201                4.8
  //   16 KB, Zstandard        59.7   as LZ4           434                6.4
  //
  // From 16 KB on a cached scan does not get faster, while each uncached Get reads and decompresses more. LZ4 halves
  // the files and costs a cached scan nothing.
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

std::shared_ptr<rocksdb::Cache> MakeBlockCache(uint64_t bytes) {
  // An entry larger than a shard is never kept, and the largest ones are filters of whole files: of 64 MB of narrow
  // rows they take some 8 MB. RocksDB's own choice, 64 shards whatever the size, made each Get read megabytes.
  constexpr uint64_t kShardBytes = 64 << 20;
  constexpr int kMostShardBits = 6;
  int shard_bits = 0;
  while (shard_bits < kMostShardBits && (bytes >> (shard_bits + 1)) >= kShardBytes) ++shard_bits;
  return rocksdb::NewLRUCache(bytes, shard_bits);
}

rocksdb::DBOptions MakeDbOptions(const StoreOptions&) {
  rocksdb::DBOptions db;
  db.max_background_jobs = 2;
  db.statistics = std::make_shared<SkippedEntries>();
  db.stats_persist_period_sec = 0;  // it has nothing else to say
  db.info_log_level = rocksdb::WARN_LEVEL;
  db.max_log_file_size = 1 << 20;
  db.keep_log_file_num = 2;
  // Spreads the writing of SST files over time instead of leaving it all to one sync that stalls commits.
  db.bytes_per_sync = 1 << 20;
  // Beyond, files are opened again when they are read.
  db.max_open_files = static_cast<int>(KeptFilesBudget());
  // Else a partition that is hardly written keeps every log since its last row.
  db.max_total_wal_size = kMostLogBytes;
  // The log is checked, and what was being written at its end cut off, before RocksDB reads it (LogRecovery).
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
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
