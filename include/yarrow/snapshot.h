// Snapshot: one point in time of a whole database.
#pragma once

#include <cstdint>
#include <memory>

namespace yarrow {

class Store;
struct StoreImpl;

// Pins a RocksDB sequence number: everything read through one Snapshot is of one moment, whatever is written
// meanwhile. Nothing is locked. Copies share the pin, which is given up with the last of them. Keeps its Store open.
class Snapshot {
 public:
  Snapshot() = default;  // null: stands for "now" where a snapshot may be given
  bool is_null() const { return pin_ == nullptr; }
  uint64_t sequence() const;  // 0 when null

 private:
  friend class Store;
  friend struct StoreImpl;
  struct Pin;
  std::shared_ptr<const Pin> pin_;
};

}  // namespace yarrow
