// ColdTable: the segments of one table, as any snapshot sees them.
//
// Which segments a table has is told by its manifest entries in RocksDB, pinned by the same snapshots as its hot rows.
// They are read once, when the table is opened. From then on each commit that changes them says what it changes, and
// makes a version of the manifest out of the one before (as LevelDB's VersionEdit does); the versions that snapshots
// may ask for are kept in memory. While such a commit is under way, nobody can tell from memory which snapshots see it:
// then the store is asked for one of the entries that it writes or deletes.
//
//   BeginMove         readers ask the store
//   (commit)          moves the rows; exclusive on places()
//   Move::Committed   the new version is known, with its sequence; readers ask memory again
//
// A reader takes its snapshot first and asks then: a snapshot that sees the move was taken after BeginMove.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "cold/segment_key.h"
#include "store/store_commits.h"
#include "store/write_set.h"
#include "tier/cold_segment.h"
#include "tier/cold_tier.h"
#include "tier/manifest.h"
#include "yarrow/store.h"

namespace yarrow {

// Thread-safe.
class ColdTable {
 public:
  // `places` is exclusive to commits that move rows between tiers, and shared by all other writers of the table.
  static arrow::Result<std::shared_ptr<ColdTable>> Load(std::shared_ptr<ColdTier> tier, uint32_t table_id,
                                                        std::shared_ptr<CommitGuard> places);

  // False: no snapshot taken before the call sees a segment.
  bool MayHaveSegments() const { return may_have_segments_.load(std::memory_order_acquire); }
  // The same of a transaction with these writes.
  bool MayHaveSegments(const WriteSet::View& writes) const;
  // What a snapshot taken before the call sees; null: what the latest commits left, as Latest.
  arrow::Result<std::shared_ptr<const Manifest>> At(const Snapshot& snapshot) const;
  // The same with the segments among a transaction's writes (NewSegments), without those that it removes
  // (RemovedSegments).
  arrow::Result<std::shared_ptr<const Manifest>> At(const Snapshot& snapshot, const WriteSet::View& writes) const;
  // The last one; waits for a move that is under way.
  std::shared_ptr<const Manifest> Latest() const;
  // The same without waiting: that of a moment ago, for estimates.
  std::shared_ptr<const Manifest> LastKnown() const;
  std::shared_ptr<const Manifest> LastKnown(const WriteSet::View& writes) const;  // with the segments among these
  // What the commits behind `then` have changed, up to the latest one; waits for a move that is under way. A segment
  // that came and went is in neither list. REQUIRES: a snapshot from the time of `then` is held.
  ManifestEdit ChangesSince(const Manifest& then) const;

  CommitGuard& places() const { return *places_; }
  // Held by whoever moves rows between tiers, for as long as that takes.
  std::mutex& move_mutex() const { return move_mutex_; }
  uint32_t table_id() const { return table_id_; }
  ColdTier& tier() const { return *tier_; }
  // A segment that is being added.
  std::shared_ptr<const ColdSegment> MakeSegment(cold::ManifestKey key, cold::ManifestEntry entry) const {
    return std::make_shared<const ColdSegment>(tier_, std::move(key), std::move(entry));
  }

  // A move under way. Ends with it, without effect unless it was committed. The table outlives it.
  class Move {
   public:
    explicit Move(ColdTable* table) : table_(table) {}
    Move(Move&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {}
    ~Move() {
      if (table_ != nullptr) table_->EndMove(std::nullopt);
    }
    // As far as is known, what the commit returned.
    void Committed(const CommitResult& commit) noexcept { std::exchange(table_, nullptr)->EndMove(commit); }

   private:
    ColdTable* table_;
  };

  // See above. A move that is under way is waited for. The edit is what the commit will change: it writes the entries
  // of what is added, and deletes those of what is removed.
  Move BeginMove(ManifestEdit edit);
  // The same for a merge: nothing when one of those that it removes is there no more, since a transaction has deleted
  // all of its rows.
  std::optional<Move> BeginMerge(ManifestEdit edit);
  // Without waiting: nothing when another move is under way. For who has places() to itself by then, which the other
  // one may be waiting for.
  std::optional<Move> TryBeginMove(ManifestEdit edit);
  // The same for a commit that takes all segments away; `all` gets them.
  Move BeginDrop(ColdSegments* all);

  // Forgets the manifests that no snapshot of `oldest` or later asks for.
  void ForgetBefore(uint64_t oldest) const;

 private:
  ColdTable(std::shared_ptr<ColdTier> tier, uint32_t table_id, std::shared_ptr<CommitGuard> places)
      : tier_(std::move(tier)), table_id_(table_id), places_(std::move(places)) {}
  arrow::Status ReadEntries();
  std::shared_ptr<const Manifest> WithChangesOf(std::shared_ptr<const Manifest> committed,
                                                const WriteSet::View& writes) const;
  Move Begin(Manifest next, ManifestEdit edit);  // under mutex_
  Move BeginEdit(ManifestEdit edit);             // under mutex_
  void ForgetNowAndThen() const;
  // Nothing: the commit failed.
  void EndMove(std::optional<CommitResult> commit) noexcept;
  // Whether a snapshot sees the commit with that edit.
  arrow::Result<bool> Sees(const Snapshot& snapshot, const ManifestEdit& edit) const;

  // `edit`: what made it from the one before; null of the first one, so that what was removed is held no longer.
  // `earliest`: its commit may have had a lower sequence than manifest->since, down to this one.
  struct Version {
    std::shared_ptr<const Manifest> manifest;
    std::shared_ptr<const ManifestEdit> edit;
    uint64_t earliest = 0;
  };

  const std::shared_ptr<ColdTier> tier_;
  const uint32_t table_id_;
  const std::shared_ptr<CommitGuard> places_;
  mutable std::mutex move_mutex_;
  std::atomic<bool> may_have_segments_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable moved_;
  // Of the move that is under way: for readers meanwhile, and for the time after it.
  Version next_;
  std::shared_ptr<Manifest> done_;
  mutable std::vector<Version> history_;  // ascending; never empty
};

}  // namespace yarrow
