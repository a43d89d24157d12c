// ColdSegment: one segment of a table, with what the caches of the database have of it.
#pragma once

#include <arrow/result.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cold/deletion_vector.h"
#include "cold/key_filter.h"
#include "cold/manifest_entry.h"
#include "cold/segment.h"
#include "cold/segment_key.h"
#include "cold/segment_lookup.h"
#include "row/row_schema.h"
#include "store/write_set.h"
#include "tier/cold_tier.h"
#include "yarrow/store.h"

namespace yarrow {

// One segment: its manifest entry, and the way to what the caches have of it, which goes with it. Thread-safe.
class ColdSegment {
 public:
  ColdSegment(std::shared_ptr<ColdTier> tier, cold::ManifestKey key, cold::ManifestEntry entry);
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

  // Whether only the transaction that has made it sees it (NewSegments). A key of it may have been deleted in the hot
  // tier by the same transaction.
  bool is_new() const { return is_new_.load(std::memory_order_acquire); }
  void SetNew(bool is_new) const { is_new_.store(is_new, std::memory_order_release); }

  // Adds what makes it part of its table: the manifest entry and the key filter.
  void AddManifestEntry(const cold::KeyFilter& key_filter, WriteSet* writes) const;
  // For a while, of a segment whose key filter the store does not have yet.
  void CacheFilter(std::shared_ptr<const cold::KeyFilter> key_filter) const;

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
  mutable std::atomic<bool> is_new_{false};
  mutable std::mutex mutex_;
  mutable std::weak_ptr<OpenSegment> opened_;        // last, if somebody uses it still
  mutable std::optional<uint64_t> dropped_version_;  // of OverrideWatch
  mutable cold::DeletionVector dropped_;             // as of then
};

using ColdSegments = std::vector<std::shared_ptr<const ColdSegment>>;

}  // namespace yarrow
