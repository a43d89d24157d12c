#include "tier/cold_segment.h"

#include <utility>

#include "key/key_range.h"
#include "store/store_commits.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

ColdSegment::ColdSegment(std::shared_ptr<ColdTier> tier, cold::ManifestKey key, cold::ManifestEntry entry)
    : tier_(std::move(tier)), key_(std::move(key)), entry_(std::move(entry)) {
  tier_->held.Add(CacheId());
}

ColdSegment::~ColdSegment() {
  tier_->held.Remove(CacheId());
  tier_->caches.key_filters.Erase(CacheId());
  tier_->caches.open_segments.Erase(CacheId());
}

arrow::Result<std::shared_ptr<OpenSegment>> ColdSegment::OpenFile() const {
  std::lock_guard lock(mutex_);
  if (auto open = tier_->caches.open_segments.Find(CacheId())) return open;
  std::shared_ptr<OpenSegment> open = opened_.lock();
  if (!open) {
    ARROW_ASSIGN_OR_RAISE(auto segment, cold::Segment::Open(tier_->store->path(), key_, entry_.info, *tier_->files));
    open = std::make_shared<OpenSegment>(std::move(segment));
    opened_ = open;
  }
  tier_->caches.open_segments.Insert(CacheId(), open, open->segment().memory_bytes());
  return open;
}

arrow::Result<std::shared_ptr<const cold::Segment>> ColdSegment::Open() const {
  ARROW_ASSIGN_OR_RAISE(auto open, OpenFile());
  const cold::Segment* segment = &open->segment();
  return std::shared_ptr<const cold::Segment>(std::move(open), segment);
}

arrow::Result<std::shared_ptr<const cold::SegmentLookup>> ColdSegment::Lookup(
    const std::shared_ptr<const RowSchema>& schema, const std::string& key_prefix) const {
  ARROW_ASSIGN_OR_RAISE(const auto open, OpenFile());
  return open->Lookup(schema, key_prefix, &tier_->caches.pages);
}

// Null: there is none.
arrow::Result<std::shared_ptr<const cold::KeyFilter>> ColdSegment::Filter() const {
  std::lock_guard lock(mutex_);
  if (auto filter = tier_->caches.key_filters.Find(CacheId())) return filter;
  PinnedValue stored;
  const std::string filter_key = cold::EncodeKeyFilterKey(key_.table_id, key_.segment_id);
  ARROW_ASSIGN_OR_RAISE(const bool found, tier_->store->Get(tier_->rows, filter_key, &stored));
  if (!found) return nullptr;
  const std::string what = "segment " + std::to_string(key_.segment_id);
  ARROW_ASSIGN_OR_RAISE(auto decoded, cold::KeyFilter::Decode(std::string(stored.view()), what));
  const auto filter = std::make_shared<const cold::KeyFilter>(std::move(decoded));
  CacheFilter(filter);
  return filter;
}

void ColdSegment::CacheFilter(std::shared_ptr<const cold::KeyFilter> key_filter) const {
  const size_t bytes = key_filter->memory_bytes();
  tier_->caches.key_filters.Insert(CacheId(), std::move(key_filter), bytes);
}

void ColdSegment::AddManifestEntry(const cold::KeyFilter& key_filter, WriteSet* writes) const {
  writes->Put(tier_->rows, cold::EncodeManifestKey(key_), cold::EncodeManifestEntry(entry_));
  writes->Put(tier_->rows, cold::EncodeKeyFilterKey(key_.table_id, key_.segment_id), key_filter.stored());
}

arrow::Result<bool> ColdSegment::MayContain(std::string_view key, uint64_t key_hash) const {
  if (!Spans(key)) return false;
  ARROW_ASSIGN_OR_RAISE(const auto filter, Filter());
  return !filter || filter->MayContain(key_hash);  // it only saves work
}

arrow::Result<cold::DeletionVector> ColdSegment::Dropped(const Snapshot& snapshot,
                                                         const WriteSet::View& overlay) const {
  const std::string prefix = cold::OverridePrefix(key_.table_id, key_.segment_id);
  std::optional<uint64_t> version;
  if (overlay.empty() && !snapshot.is_null()) version = tier_->overrides.VersionAt(prefix, snapshot.sequence());
  if (version) {
    std::lock_guard lock(mutex_);
    if (dropped_version_ == version) return dropped_;
  }
  const KeyRange range = PrefixRange(prefix);
  ScanCursor overrides = tier_->store->commits().Scan(
      {.partition = tier_->rows, .lower = range.lower, .upper = range.upper, .snapshot = snapshot}, overlay);
  cold::DeletionVector::Builder builder;
  while (overrides.Next()) ARROW_RETURN_NOT_OK(builder.AddKey(overrides.key()));
  ARROW_RETURN_NOT_OK(overrides.status());
  cold::DeletionVector dropped = builder.Finish();
  if (version) {
    std::lock_guard lock(mutex_);
    dropped_version_ = version;
    dropped_ = dropped;
  }
  return dropped;
}

arrow::Result<bool> ColdSegment::IsDropped(uint64_t position, const Snapshot& snapshot,
                                           const WriteSet::View& overlay) const {
  const std::string key = OverrideKey(position);
  if (overlay.empty()) {
    PinnedValue stored;
    return tier_->store->Get(tier_->rows, key, &stored, snapshot);
  }
  ScanCursor entry = tier_->store->commits().Scan(
      {.partition = tier_->rows, .lower = key, .upper = KeySuccessor(key), .snapshot = snapshot}, overlay);
  const bool found = entry.Next();
  ARROW_RETURN_NOT_OK(entry.status());
  return found;
}

}  // namespace yarrow
