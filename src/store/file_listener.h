// FileListener: counts the changes of the set of SST files, so that what was derived from it can be cached.
#pragma once

#include <rocksdb/listener.h>

#include <atomic>
#include <cstdint>

namespace yarrow {

class FileListener : public rocksdb::EventListener {
 public:
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { Bump(); }
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override { Bump(); }
  void OnExternalFileIngested(rocksdb::DB*, const rocksdb::ExternalFileIngestionInfo&) override { Bump(); }

 private:
  void Bump() { version_.fetch_add(1, std::memory_order_acq_rel); }
  std::atomic<uint64_t> version_{1};
};

}  // namespace yarrow
