// MovedRows: where RocksDB has rows still that have moved to segments.
//
// A move deletes a range of keys. Scans pass over the files of it without a look as long as the deletion lies above
// them. Compacting brings both together, which is well when it drops the rows; but it keeps those that an older
// snapshot sees, and then every scan steps over each of them. So a range waits here until no snapshot is older than its
// move.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "key/key_range.h"

namespace yarrow {

// Thread-safe.
class MovedRows {
 public:
  // `sequence`: of the last of the moves, or a later one.
  void Add(const std::vector<KeyRange>& ranges, uint64_t sequence) {
    std::lock_guard lock(mutex_);
    for (const KeyRange& range : ranges) waiting_.push_back({range, sequence});
  }

  bool empty() const {
    std::lock_guard lock(mutex_);
    return waiting_.empty();
  }

  // Takes those that no snapshot from `oldest_snapshot` on keeps.
  std::vector<KeyRange> TakeDue(uint64_t oldest_snapshot) {
    std::lock_guard lock(mutex_);
    std::vector<KeyRange> due;
    std::erase_if(waiting_, [&](const Waiting& waiting) {
      if (waiting.sequence > oldest_snapshot) return false;
      due.push_back(waiting.range);
      return true;
    });
    return due;
  }

 private:
  struct Waiting {
    KeyRange range;
    uint64_t sequence;
  };
  mutable std::mutex mutex_;
  std::vector<Waiting> waiting_;
};

}  // namespace yarrow
