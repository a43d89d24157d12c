// What RocksDB itself counts, for tests that hold our counters against it.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

#include <cstdint>

#include "store/store_impl.h"
#include "yarrow/store.h"

namespace yarrow::test {

// Counts what iterators read in the calling thread, from its construction on. One at a time in a thread.
class ReadCounts {
 public:
  ReadCounts() {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
    rocksdb::get_perf_context()->Reset();
  }
  ~ReadCounts() { rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable); }
  ReadCounts(const ReadCounts&) = delete;
  ReadCounts& operator=(const ReadCounts&) = delete;

  // Steps of iterators from key to key: one from each entry to the next, and those over hidden versions and tombstones.
  uint64_t steps() const { return rocksdb::get_perf_context()->internal_key_skipped_count; }
  uint64_t blocks() const {
    return rocksdb::get_perf_context()->block_read_count + rocksdb::get_perf_context()->block_cache_hit_count;
  }
};

// Snapshots that somebody holds.
inline uint64_t LiveSnapshots(const Store& store) {
  uint64_t count = 0;
  store.impl()->db->GetIntProperty(rocksdb::DB::Properties::kNumSnapshots, &count);
  return count;
}

}  // namespace yarrow::test
