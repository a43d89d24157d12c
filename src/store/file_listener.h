// FileListener: hears from RocksDB when the set of SST files changes, so that what was derived from it is not kept
// longer.
#pragma once

#include <rocksdb/listener.h>

#include <atomic>
#include <cstdint>

#include "store/memtable_sample.h"

namespace yarrow {

// Thread-safe. The sample must outlive the database.
class FileListener : public rocksdb::EventListener {
 public:
  explicit FileListener(MemtableSample* memtable_sample) : memtable_sample_(memtable_sample) {}

  // Another one after each change.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& flush) override {
    memtable_sample_->Drop(flush.cf_id, flush.largest_seqno);
    Bump();
  }
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override { Bump(); }
  void OnExternalFileIngested(rocksdb::DB*, const rocksdb::ExternalFileIngestionInfo&) override { Bump(); }

 private:
  void Bump() { version_.fetch_add(1, std::memory_order_acq_rel); }
  MemtableSample* const memtable_sample_;
  std::atomic<uint64_t> version_{1};
};

}  // namespace yarrow
