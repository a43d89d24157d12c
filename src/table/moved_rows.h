// MovedRows: where RocksDB has rows still that have moved to segments.
//
// A move deletes a range of keys. Scans pass over the files of it without a look as long as the deletion lies above
// them. Compacting brings both together, which is well when it drops the rows; but it keeps those that an older
// snapshot sees, and then every scan steps over each of them. So a range waits here until no snapshot is older than its
// move.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <vector>

#include "key/key_range.h"

namespace yarrow {

// Thread-safe.
class MovedRows {
 public:
  struct Move {
    KeyRange range;
    uint64_t sequence = 0;  // of its commit
    uint64_t rows = 0;
  };
  void Add(std::vector<Move> moves) {
    std::lock_guard lock(mutex_);
    std::ranges::move(moves, std::back_inserter(waiting_));
  }

  // Rows that wait in ranges that begin in `range`.
  uint64_t CountIn(const KeyRange& range) const {
    std::lock_guard lock(mutex_);
    uint64_t rows = 0;
    for (const Move& move : waiting_) {
      if (move.range.lower >= range.lower && move.range.lower < range.upper) rows += move.rows;
    }
    return rows;
  }

  bool empty() const {
    std::lock_guard lock(mutex_);
    return waiting_.empty();
  }

  // Takes those that no snapshot from `oldest_snapshot` on keeps.
  std::vector<Move> TakeDue(uint64_t oldest_snapshot) {
    std::lock_guard lock(mutex_);
    const auto due =
        std::ranges::partition(waiting_, [&](const Move& move) { return move.sequence > oldest_snapshot; });
    std::vector<Move> taken(std::make_move_iterator(due.begin()), std::make_move_iterator(due.end()));
    waiting_.erase(due.begin(), due.end());
    return taken;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Move> waiting_;
};

}  // namespace yarrow
