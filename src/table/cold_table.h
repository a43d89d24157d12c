// ColdTable: the segments of one table, as any snapshot sees them; ColdTier: what the tables of a database share.
//
// Which segments a table has is told by its manifest entries in RocksDB, pinned by the same snapshots as its hot rows.
// Reading them for each scan and each key would cost more than the scan, so the manifests that snapshots may ask for
// are kept in memory, each with the sequence from which it holds. While a commit that changes the manifest is under
// way, nobody can tell from memory which snapshots see it: then the store itself is asked.
//
//   BeginMove      readers ask the store
//   (commit)       moves the rows; exclusive on places()
//   EndMove        the new manifest is known, with its sequence; readers ask memory again
//
// A reader takes its snapshot first and asks then: a snapshot that sees the move was taken after BeginMove.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cold/deletion_vector.h"
#include "cold/file_system.h"
#include "cold/key_filter.h"
#include "cold/manifest_entry.h"
#include "cold/segment.h"
#include "cold/segment_key.h"
#include "cold/segment_lookup.h"
#include "row/row_schema.h"
#include "table/deleted_files.h"
#include "table/jobs.h"
#include "table/moved_rows.h"
#include "table/override_watch.h"
#include "table/segment_caches.h"
#include "yarrow/store.h"

namespace yarrow {

// Thread-safe.
struct ColdTier {
  ColdTier(std::shared_ptr<Store> of, Partition rows_partition)
      : store(std::move(of)),
        rows(rows_partition),
        overrides(store, rows_partition),
        deleted(store, rows_partition),
        moved_rows(store, rows_partition) {}

  const std::shared_ptr<Store> store;
  const Partition rows;  // where manifest entries, key filters and overrides lie, beside the hot rows
  SegmentCaches caches;
  // Tables that got their first segment since the database was opened: what was planned before reads rows only.
  std::atomic<uint64_t> first_segments{0};
  const OverrideWatch overrides;
  DeletedFiles deleted;
  MovedRows moved_rows;
  Jobs jobs;
  cold::FileSystem* files = &cold::OsFileSystem();
};

// Removes the segment files below the folder cold/ that neither a manifest entry nor a deleted file's record names:
// what a crash has left of flushes and compactions that were not committed. Files and folders of other names stay. For
// a database that is being opened.
arrow::Status SweepSegmentFiles(const ColdTier& tier);

// One segment: its manifest entry, and the way to what the caches have of it, which goes with it. Thread-safe.
class ColdSegment {
 public:
  ColdSegment(std::shared_ptr<ColdTier> tier, cold::ManifestKey key, cold::ManifestEntry entry)
      : tier_(std::move(tier)), key_(std::move(key)), entry_(std::move(entry)) {}
  ~ColdSegment();
  ColdSegment(const ColdSegment&) = delete;
  ColdSegment& operator=(const ColdSegment&) = delete;

  const cold::ManifestKey& key() const { return key_; }
  const cold::SegmentInfo& info() const { return entry_.info; }
  uint32_t level() const { return entry_.level; }
  // Between its first and last key.
  bool Spans(std::string_view key) const { return info().first_key() <= key && key <= info().last_key; }

  // Opened unless it is; stays open for as long as the result lives, and while the cache has room. Errors name the
  // file.
  arrow::Result<std::shared_ptr<const cold::Segment>> Open() const;
  // For single rows with all columns of the schema.
  arrow::Result<std::shared_ptr<const cold::SegmentLookup>> Lookup(const std::shared_ptr<const RowSchema>& schema,
                                                                   const std::string& key_prefix) const;
  // False: the segment has no such key. Asks the key filter, and opens no file.
  arrow::Result<bool> MayContain(std::string_view key, uint64_t key_hash) const;

  std::string OverrideKey(uint64_t position) const {
    return cold::EncodeOverrideKey({key_.table_id, key_.segment_id, position});
  }
  // The positions whose rows are there no more at `snapshot`, or for whom has written `overlay`. Those of the present
  // are kept in memory.
  arrow::Result<cold::DeletionVector> Dropped(const Snapshot& snapshot, const WriteSet::View& overlay) const;
  // Of one of them.
  arrow::Result<bool> IsDropped(uint64_t position, const Snapshot& snapshot, const WriteSet::View& overlay) const;

 private:
  SegmentCaches::Id CacheId() const { return {key_.table_id, key_.segment_id}; }
  arrow::Result<std::shared_ptr<OpenSegment>> OpenFile() const;
  arrow::Result<std::shared_ptr<const cold::KeyFilter>> Filter() const;

  const std::shared_ptr<ColdTier> tier_;
  const cold::ManifestKey key_;
  const cold::ManifestEntry entry_;
  mutable std::mutex mutex_;
  mutable std::weak_ptr<OpenSegment> opened_;        // last, if somebody uses it still
  mutable std::optional<uint64_t> dropped_version_;  // of OverrideWatch
  mutable cold::DeletionVector dropped_;             // as of then
};

using ColdSegments = std::vector<std::shared_ptr<const ColdSegment>>;

// The segments of a table from one commit on. Immutable.
struct Manifest {
  static constexpr uint64_t kUnknownVersion = UINT64_MAX;

  uint64_t since = 0;  // sequence of that commit
  // Of ColdTable::places() from then on; not known when it was read while rows were moved. A writer that names another
  // version than the present one has to look its keys up again.
  uint64_t places_version = kUnknownVersion;
  std::map<std::string, ColdSegments, std::less<>> of_user;  // "": of a shared table; by segment id

  const ColdSegments& Of(std::string_view user) const;
};

// Thread-safe.
class ColdTable {
 public:
  // `places` is exclusive to commits that move rows between tiers, and shared by all other writers of the table.
  static arrow::Result<std::shared_ptr<ColdTable>> Load(std::shared_ptr<ColdTier> tier, uint32_t table_id,
                                                        std::shared_ptr<CommitGuard> places);

  // False: no snapshot taken before the call sees a segment.
  bool MayHaveSegments() const { return may_have_segments_.load(std::memory_order_acquire); }
  // What a snapshot taken before the call sees; null: what the latest commits left, as Latest.
  arrow::Result<std::shared_ptr<const Manifest>> At(const Snapshot& snapshot) const;
  // The last one; waits for a move that is under way.
  arrow::Result<std::shared_ptr<const Manifest>> Latest() const;
  // The same without waiting: that of a moment ago, for estimates.
  std::shared_ptr<const Manifest> LastKnown() const;

  CommitGuard& places() const { return *places_; }
  // Held by whoever moves rows between tiers, for as long as that takes.
  std::mutex& move_mutex() const { return move_mutex_; }
  uint32_t table_id() const { return table_id_; }
  ColdTier& tier() const { return *tier_; }

  // See above. BeginMove waits for a move that is under way; after an error there is no EndMove. `sequence` is that of
  // the commit; nothing: nothing moved.
  arrow::Status BeginMove();
  void EndMove(std::optional<uint64_t> sequence);

  // Forgets the manifests that no snapshot of `oldest` or later asks for.
  void ForgetBefore(uint64_t oldest) const;
  // Whether anything in memory stands for the segment: a manifest, a scan.
  bool IsHeld(cold::SegmentId segment_id) const;

 private:
  ColdTable(std::shared_ptr<ColdTier> tier, uint32_t table_id, std::shared_ptr<CommitGuard> places)
      : tier_(std::move(tier)), table_id_(table_id), places_(std::move(places)) {}
  // Under mutex_.
  arrow::Result<std::shared_ptr<const Manifest>> Read(const Snapshot& snapshot) const;
  arrow::Status AddManifest(uint64_t since) const;
  arrow::Status CatchUp() const;

  const std::shared_ptr<ColdTier> tier_;
  const uint32_t table_id_;
  const std::shared_ptr<CommitGuard> places_;
  mutable std::mutex move_mutex_;
  std::atomic<bool> may_have_segments_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable moved_;
  bool moving_ = false;
  mutable std::optional<uint64_t> unread_;  // from then on holds a manifest that is not in history_ yet
  mutable std::vector<std::shared_ptr<const Manifest>> history_;               // ascending; never empty
  mutable std::map<cold::SegmentId, std::weak_ptr<const ColdSegment>> known_;  // so that each is opened once
};

// A row in a segment.
struct ColdPlace {
  std::shared_ptr<const ColdSegment> segment;
  uint64_t position = 0;
};
// The place of the row with this whole key that is not dropped. Several segments may have had the key one after the
// other; all but one of their rows are dropped. `find` looks the key up in a segment whose key filter lets it pass.
using FindPosition = arrow::Result<std::optional<uint64_t>>(const ColdSegment& segment);
using IsDropped = arrow::Result<bool>(const ColdPlace& place);
arrow::Result<std::optional<ColdPlace>> FindColdRow(const ColdSegments& segments, std::string_view key,
                                                    const std::function<FindPosition>& find,
                                                    const std::function<IsDropped>& is_dropped);
arrow::Result<std::optional<ColdPlace>> FindColdRow(const ColdSegments& segments,
                                                    const std::shared_ptr<const RowSchema>& schema,
                                                    const std::string& key_prefix, std::string_view key,
                                                    const std::function<IsDropped>& is_dropped);

}  // namespace yarrow
