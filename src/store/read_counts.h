// What RocksDB itself counts, for tests that hold our counters against it. Test-only.
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

  // Of keys and values of the entries that iterators stood on.
  uint64_t entry_bytes() const { return rocksdb::get_perf_context()->iter_read_bytes; }
  // Internal keys that iterators passed; a step forward from entry to entry passes one.
  uint64_t keys_passed() const { return rocksdb::get_perf_context()->internal_key_skipped_count; }
  uint64_t tombstones_passed() const { return rocksdb::get_perf_context()->internal_delete_skipped_count; }
};

// Snapshots that somebody holds.
inline uint64_t LiveSnapshots(const Store& store) {
  uint64_t count = 0;
  store.impl()->db->GetIntProperty(rocksdb::DB::Properties::kNumSnapshots, &count);
  return count;
}

}  // namespace yarrow::test
