// ChangeRecorder: which keys of a range are written while a flush copies it.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "key/key_range.h"
#include "store/commit_listener.h"
#include "yarrow/store.h"

namespace yarrow::flush {

// Rounds of looking at changed keys before commits are held back: each finds those of the round before.
inline constexpr int kPrepareRounds = 3;

// Listens from its making to its end. Whoever makes one, then takes a snapshot, learns of every key of the range that
// any commit invisible to the snapshot writes: such a commit was announced here before it could be seen. Thread-safe.
class ChangeRecorder : public CommitListener {
 public:
  ChangeRecorder(std::shared_ptr<Store> store, Partition partition, KeyRange range);
  ~ChangeRecorder() override;
  ChangeRecorder(const ChangeRecorder&) = delete;
  ChangeRecorder& operator=(const ChangeRecorder&) = delete;

  // Keys announced since the last call, less those of commits that are known to be at or before `sequence`. OutOfMemory
  // when there was none for some.
  arrow::Result<std::vector<std::string>> Take(uint64_t sequence);
  // Whether a commit that is through, behind `sequence`, has touched `range` without naming single keys: a large one,
  // or one that deleted ranges.
  bool IsTouched(const KeyRange& range, uint64_t sequence) const;

  void OnAnnounce(const CommitView& commit) noexcept override;
  void OnResolve(const CommitView& commit, const CommitOutcome& outcome) noexcept override;

 private:
  struct Changes {
    uint32_t in_flight = 0;  // commits that write the key
    uint64_t last = 0;       // sequence of the last one that is through
  };

  struct RangeChange {
    const CommitView* commit;  // null when it is through
    KeyRange range;
    uint64_t last = 0;
  };

  void Announce(const CommitView& commit);

  bool IsMine(uint32_t partition_id, std::string_view key) const;

  const std::shared_ptr<Store> store_;
  const uint32_t partition_id_;
  const KeyRange range_;
  mutable std::mutex mutex_;
  std::map<std::string, Changes, std::less<>> changed_;
  std::vector<RangeChange> ranges_;
  bool is_lost_ = false;  // there was no memory for something
};

}  // namespace yarrow::flush
