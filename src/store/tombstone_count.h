// TombstoneCount: how many tombstones RocksDB's iterators stepped over in this thread.
#pragma once

#include <cstdint>

namespace yarrow {

// Counts from its construction on, in the thread that made it. May be nested. Costs each step of an iterator some 30
// nanoseconds. Keys of a range deletion are not counted: RocksDB does not.
class TombstoneCount {
 public:
  // Counts nothing when not `enabled`.
  explicit TombstoneCount(bool enabled = true);
  ~TombstoneCount();
  TombstoneCount(const TombstoneCount&) = delete;
  TombstoneCount& operator=(const TombstoneCount&) = delete;

  uint64_t value() const;

 private:
  const bool enabled_;
  int level_before_ = 0;
  uint64_t count_before_ = 0;
};

}  // namespace yarrow
