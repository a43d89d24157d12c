// MovedRows: where RocksDB has rows still that have moved to segments.
//
// A move deletes a range of keys. RocksDB has the rows until it compacts their files, which a table that is written no
// more would wait for in vain. Scans pass over the files without a look as long as the deletion lies above them.
// Compacting brings both together, which is well when it drops the rows; but it keeps those that an older snapshot
// sees, and then every scan steps over each of them. So a range waits here until no snapshot is older than its move.
// (RocksDB may compact by itself before, as much is written; and with a neighbour whose time has come.)
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
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

  // At most, while RocksDB compacts.
  static constexpr std::chrono::milliseconds kBetweenQuestions{50};

  MovedRows(std::shared_ptr<Store> store, Partition rows) : store_(std::move(store)), rows_(rows) {}

  // One range may hold another. Rows are counted for disjoint ones: a range for the room of what was deleted has none.
  void Add(std::vector<Move> moves);

  // Rows that are not dropped yet, in ranges that begin in `range`.
  uint64_t CountIn(const KeyRange& range) const;

  // Whether DropDue() would find any, and nobody is at it.
  bool HasDue() const;

  // Has RocksDB compact the ranges that no snapshot keeps from that, after whoever is doing it already. Asks `goes_on`,
  // if given, in this thread before each and every kBetweenQuestions; what is left when it says no waits on, as does
  // what fails (the rows have moved all the same). Throws std::system_error when there can be no thread.
  void DropDue(const std::function<bool()>& goes_on = {});

 private:
  struct Part {
    uint64_t sequence;
    uint64_t rows;
  };
  // However many moves there are of a range, two parts wait: the first, whose time does not get later, and all others.
  struct Waiting {
    std::string upper;
    Part first;
    std::optional<Part> others;
  };

  std::vector<KeyRange> DueRanges(uint64_t oldest_snapshot) const;
  std::vector<KeyRange> JoinNeighbours(std::vector<KeyRange> ranges) const;
  bool Compact(const KeyRange& range, const std::function<bool()>& goes_on);
  void Erase(const KeyRange& range, uint64_t oldest_snapshot);

  const std::shared_ptr<Store> store_;
  const Partition rows_;
  mutable std::mutex mutex_;
  std::condition_variable dropped_;
  bool is_dropping_ = false;
  std::map<std::string, Waiting> waiting_;  // by the lower end of the range
};

}  // namespace yarrow
