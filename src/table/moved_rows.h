// MovedRows: where RocksDB has rows still that have moved to segments.
//
// A move deletes a range of keys. RocksDB has the rows until it compacts their files, which a table that is written no
// more would wait for in vain. Scans pass over the files without a look as long as the deletion lies above them.
// Compacting brings both together, which is well when it drops the rows; but it keeps those that an older snapshot
// sees, and then every scan steps over each of them. So a range waits here until no snapshot is older than its move.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "key/key_range.h"
#include "yarrow/store.h"

namespace yarrow {

// Thread-safe.
class MovedRows {
 public:
  struct Move {
    KeyRange range;
    uint64_t sequence = 0;  // of its commit
    uint64_t rows = 0;
  };

  MovedRows(std::shared_ptr<Store> store, Partition rows) : store_(std::move(store)), rows_(rows) {}

  void Add(std::vector<Move> moves);

  // Rows that are not dropped yet, in ranges that begin in `range`.
  uint64_t CountIn(const KeyRange& range) const;

  // Whether DropDue() would find any.
  bool HasDue() const;

  // Has RocksDB compact the ranges that no snapshot keeps from that. Asks `goes_on`, if given, before each; what it
  // leaves waits on. One thread at a time: at its end none is left that was due at its start. When RocksDB fails, the
  // rows have moved all the same, and drop out with what it compacts later.
  void DropDue(const std::function<bool()>& goes_on = {});

 private:
  std::optional<Move> FindDue() const;
  void Erase(const Move& move);

  const std::shared_ptr<Store> store_;
  const Partition rows_;
  std::mutex dropping_mutex_;
  mutable std::mutex mutex_;
  std::vector<Move> waiting_;
};

}  // namespace yarrow
