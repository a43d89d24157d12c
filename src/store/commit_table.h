// CommitTable: which keys were committed when, as far back as the oldest live write transaction.
#pragma once

#include <arrow/result.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "store/commit_run.h"
#include "store/hash_map64.h"
#include "store/write_set.h"

namespace yarrow {

inline bool Overlap(const WriteRange& a, const WriteRange& b) {
  return a.partition_id == b.partition_id && a.lower < b.upper && b.lower < a.upper;
}

// Keys are kept by their hashes, whole ranges by their bounds. Two keys of one hash share an entry, which can only make
// a conflict out of none. The last small commits are in a map; when the map is full, it becomes a run, and a large
// commit is a run by itself. Not thread-safe: lives under the commit mutex; runs may be read outside.
class CommitTable {
 public:
  explicit CommitTable(uint64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  // A commit of these keys.
  void Record(std::span<const uint64_t> hashes, uint64_t sequence);
  void Record(std::shared_ptr<const KeyHashes> keys, uint64_t sequence);
  void RecordRange(const WriteRange& range, uint64_t sequence);

  // Forgets commits that no live transaction can conflict with: those at or below `sequence`. Some stay for longer:
  // runs go as a whole.
  void DropUpTo(uint64_t sequence);
  void Clear();
  // The runs that these have forgotten, to be freed without the mutex: that takes longer the larger they are.
  using Runs = std::vector<std::shared_ptr<const CommitRun>>;
  Runs TakeForgotten() { return std::exchange(forgotten_, {}); }

  // Sequence of the last commit of the key behind `after`, by itself or within a range; 0: none. An error when it is in
  // a file that cannot be read.
  arrow::Result<uint64_t> LastCommit(uint64_t key_hash, uint32_t partition_id, std::string_view key,
                                     uint64_t after) const;
  // The same for any key within the range, as far as ranges are concerned.
  uint64_t LastCommitOfRange(const WriteRange& range, uint64_t after) const;

  // What was recorded since a position, to be judged outside the mutex. `position` moves to the end.
  struct Position {
    uint64_t runs = 0;  // seen, of all that there ever were
    uint64_t map = 0;   // which one
    size_t points = 0;  // seen in there
  };
  struct Recorded {
    std::vector<std::shared_ptr<const CommitRun>> runs;
    std::vector<CommitRun::Point> points;
  };
  Recorded Since(Position* position, uint64_t after) const;

  // Above the budget, the oldest run in memory should go to a file: who asks gets it, spills it
  // without the mutex, and puts what it became in its place. Null: none.
  std::shared_ptr<const CommitRun> FindRunToSpill() const;
  void Replace(const CommitRun* run, std::shared_ptr<const CommitRun> spilled);
  // It could not be written: nothing is spilled until there is more.
  void KeepInMemory() { kept_bytes_ = run_bytes_; }

  // There was no memory to record all commits up to this sequence: no older transaction can be judged.
  uint64_t lost() const { return lost_; }
  void Lose(uint64_t sequence) noexcept { lost_ = std::max({lost_, newest_, sequence}); }

  // Nothing newer than this is in the table.
  uint64_t newest() const { return newest_; }
  size_t size() const;
  uint64_t memory_bytes() const;

 private:
  // Commits in the map before it becomes a run. Few while there is no run: short transactions then find and forget
  // them in a small map. Many when an old transaction keeps runs alive, whose number costs each of its keys a lookup.
  static constexpr size_t kFewPoints = 512;
  static constexpr size_t kManyPoints = 1 << 16;

  struct RangeCommit {
    WriteRange range;
    uint64_t sequence;
  };
  void Forget(std::shared_ptr<const CommitRun> run) noexcept;
  void CloseMap();
  void ForgetMap();
  void AddRun(std::shared_ptr<const CommitRun> run);

  const uint64_t budget_bytes_;
  HashMap64 last_commit_;                 // of points_
  std::vector<CommitRun::Point> points_;  // as recorded
  uint64_t map_number_ = 0;
  uint64_t map_newest_ = 0;
  std::deque<std::shared_ptr<const CommitRun>> runs_;  // oldest first, about
  std::deque<uint64_t> newest_up_to_;                  // of each run and those before
  uint64_t runs_forgotten_ = 0;
  Runs forgotten_;
  uint64_t run_bytes_ = 0;          // in memory
  uint64_t kept_bytes_ = 0;         // that could not be spilled
  std::deque<RangeCommit> ranges_;  // by sequence
  uint64_t newest_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace yarrow
