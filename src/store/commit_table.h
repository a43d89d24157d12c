// CommitTable: which keys were committed when, as far back as the oldest live write transaction.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>

#include "store/hash_map64.h"
#include "yarrow/write_set.h"

namespace yarrow {

// Maps the hash of a key to the sequence of its last commit; whole ranges are kept by their bounds. Two keys of one
// hash share an entry, which can only make a conflict out of none. Not thread-safe: lives under the commit mutex.
class CommitTable {
 public:
  explicit CommitTable(uint64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  void Record(uint64_t key_hash, uint64_t sequence);
  void RecordRange(const WriteRange& range, uint64_t sequence);
  // Evicts the oldest entries while the table is above its budget, raising floor().
  void EnforceBudget();

  // Forgets commits that no live transaction can conflict with: those at or below `sequence`.
  void DropUpTo(uint64_t sequence);
  void Clear();

  // Sequence of the last recorded commit of the key, by itself or within a range; 0 if none is known.
  uint64_t LastCommit(uint64_t key_hash, uint32_t partition_id, std::string_view key) const;

  // Nothing newer than this is in the table.
  uint64_t newest() const { return newest_; }
  // Entries up to this sequence may have been evicted: an older transaction cannot be judged.
  uint64_t floor() const { return floor_; }
  size_t size() const { return last_commit_.size() + ranges_.size(); }
  uint64_t memory_bytes() const;

 private:
  struct RangeCommit {
    WriteRange range;
    uint64_t sequence;
  };
  // Drops the first of order_ or, if its key was committed again, moves it to the end. Returns the sequence dropped or
  // 0.
  uint64_t PopPoint();
  void PopRange();

  const uint64_t budget_bytes_;
  HashMap64 last_commit_;
  std::deque<std::pair<uint64_t, uint64_t>> order_;  // (hash, sequence), each hash once, oldest first
  std::deque<RangeCommit> ranges_;                   // as recorded
  uint64_t range_bytes_ = 0;
  uint64_t newest_ = 0;
  uint64_t floor_ = 0;
};

}  // namespace yarrow
