// Partition: a key space of a Store.
#pragma once

#include <cstdint>

namespace yarrow {

struct StoreImpl;

// Names one partition (a RocksDB column family). Small, copyable; valid as long as its Store.
class Partition {
 public:
  Partition() = default;
  uint32_t id() const { return id_; }
  bool valid() const { return handle_ != nullptr; }

 private:
  friend struct StoreImpl;
  friend class WriteSet;
  void* handle_ = nullptr;  // rocksdb::ColumnFamilyHandle
  const StoreImpl* store_ = nullptr;
  uint32_t id_ = 0;
};

}  // namespace yarrow
