// EmptyRanges: ranges of keys that scans found empty, so that later ones need not step over what was deleted there.
//
// RocksDB keeps a deleted key as a tombstone until compaction drops it, and its iterators step over one after the
// other. The front of a queue is nothing but tombstones: each reader of its first row would pass them all.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/commit_listener.h"
#include "store/write_set.h"

namespace yarrow {

// A range is known together with a sequence: it is empty at each snapshot of that sequence or a later one that is there
// already. Whoever takes a snapshot first and asks then gets no wrong answer: a commit of a key takes it out of the
// ranges when it is announced, and that is before any snapshot can see it.
//
// What is known is in memory only, and may be forgotten at any time. Thread-safe.
class EmptyRanges : public CommitListener {
 public:
  // A range over which fewer tombstones are known is not kept.
  static constexpr uint64_t kLeastTombstones = 16;
  // Of memory. Above, what was not used for the longest time is forgotten.
  static constexpr uint64_t kMostBytes = 4 << 20;

  // False: no range is known at all, so there is nothing to ask.
  bool any() const { return count_.load(std::memory_order_acquire) > 0; }

  // When `key` lies in a known range: moves it to the first key behind. True when it was moved.
  bool SkipForward(uint32_t partition_id, uint64_t sequence, std::string* key);
  // When the keys right below `bound` are of a known range: moves it to the first key of that. True when it was moved.
  bool SkipBackward(uint32_t partition_id, uint64_t sequence, std::string* bound);

  // A search for an empty range that begins (backward: ends) where a scan stands. While it lives, it hears of commits:
  //
  //   Search search(&ranges, ...);  then take a snapshot, look how far there is no key, and Add what was found
  class Search {
   public:
    // [lower, upper) is where to look; an empty upper is open.
    Search(EmptyRanges* ranges, uint32_t partition_id, std::string lower, std::string upper, bool reverse);
    ~Search();
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;

    // What is left of the range without the keys that are being committed; false: nothing.
    bool Rest(std::string* lower, std::string* upper) const;
    // No key is in [lower, upper) at the snapshot of that sequence, only so many tombstones. False when nothing was
    // added.
    bool Add(std::string lower, std::string upper, uint64_t sequence, uint64_t tombstones);

   private:
    friend class EmptyRanges;
    EmptyRanges* const ranges_;
    const uint32_t partition_id_;
    const bool reverse_;
    std::string lower_;  // shrinks with each key that is committed: what is left was not written to since
    std::string upper_;
    bool in_vain_ = false;  // nothing is left
  };

  // A commit of that sequence has deleted `deleted` and then written `ops`, its only ones in there. REQUIRES: it is
  // announced still, and holds others back from the ranges.
  void AddDeleted(std::span<const WriteRange> deleted, std::span<const WriteOp> ops, uint64_t sequence) noexcept;

  uint64_t bytes() const;   // of memory, about
  uint64_t passed() const;  // how often a scan was moved behind a range

  void OnAnnounce(const CommitView& commit) noexcept override;
  void OnResolve(const CommitView& commit, const CommitOutcome& outcome) noexcept override;

 private:
  struct Range {
    std::string end;
    uint64_t since = 0;
    uint64_t tombstones = 0;  // about
    uint64_t used = 0;        // when, by clock_
  };
  using Ranges = std::map<std::string, Range, std::less<>>;  // by their first key; disjoint

  // A commit with many keys counts as the ranges from its first to its last one, so that looking through them again
  // costs nothing.
  struct InFlight {
    const CommitView* commit;
    std::vector<WriteRange> hulls;
  };
  static std::vector<WriteRange> HullsOf(std::span<const WriteOp> ops);

  // All under mutex_.
  void Insert(uint32_t partition_id, std::string lower, Range range);
  Ranges::iterator Erase(Ranges* ranges, Ranges::iterator at);
  void Cut(Ranges* ranges, std::string_view lower, std::string_view upper);
  void CutOps(std::span<const WriteOp> ops);
  void CutRanges(std::span<const WriteRange> ranges);
  void ForgetOldest();
  void ForgetAll() noexcept;
  void Announce(const CommitView& commit);
  static void Cut(const InFlight& commit, Search* search);

  mutable std::mutex mutex_;
  std::map<uint32_t, Ranges> by_partition_;
  std::vector<Search*> searches_;
  std::vector<InFlight> in_flight_;
  uint64_t bytes_ = 0;
  uint64_t clock_ = 0;
  uint64_t passed_ = 0;
  bool is_lost_ = false;  // a commit under way could not be noted: nothing is added any more
  std::atomic<uint64_t> count_{0};
};

}  // namespace yarrow
