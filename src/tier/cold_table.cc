#include "tier/cold_table.h"

#include <algorithm>
#include <map>
#include <utility>

#include "key/key_range.h"
#include "key/record_key.h"
#include "store/oldest_snapshot.h"
#include "tier/new_segments.h"
#include "tier/removed_segments.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

using arrow::Status;

arrow::Result<std::shared_ptr<ColdTable>> ColdTable::Load(std::shared_ptr<ColdTier> tier, uint32_t table_id,
                                                          std::shared_ptr<CommitGuard> places) {
  std::shared_ptr<ColdTable> table(new ColdTable(std::move(tier), table_id, std::move(places)));
  ARROW_RETURN_NOT_OK(table->ReadEntries());
  return table;
}

Status ColdTable::ReadEntries() {
  auto manifest = std::make_shared<Manifest>();
  const KeyRange range = PrefixRange(cold::ManifestPrefix(table_id_));
  ScanCursor entries = tier_->store->Scan({.partition = tier_->rows, .lower = range.lower, .upper = range.upper});
  while (entries.Next()) {
    ARROW_ASSIGN_OR_RAISE(auto key, cold::DecodeManifestKey(entries.key()));
    ARROW_ASSIGN_OR_RAISE(auto entry, cold::DecodeManifestEntry(key.segment_id, entries.value()));
    manifest->index = manifest->index.With(MakeSegment(std::move(key), std::move(entry)));
  }
  ARROW_RETURN_NOT_OK(entries.status());
  manifest->places_version = places_->version();
  may_have_segments_ = !manifest->index.empty();
  history_.push_back({std::move(manifest), nullptr});
  return Status::OK();
}

// Reads one entry: an added one is there from the commit on, a removed one until then.
arrow::Result<bool> ColdTable::Sees(const Snapshot& snapshot, const ManifestEdit& edit) const {
  const bool is_added = !edit.added.empty();
  const ColdSegment& segment = is_added ? *edit.added.front() : *edit.removed.front();
  PinnedValue stored;
  ARROW_ASSIGN_OR_RAISE(const bool is_there,
                        tier_->store->Get(tier_->rows, cold::EncodeManifestKey(segment.key()), &stored, snapshot));
  return is_there == is_added;
}

arrow::Result<std::shared_ptr<const Manifest>> ColdTable::At(const Snapshot& snapshot) const {
  if (snapshot.is_null()) return Latest();
  Version known;
  std::vector<Version> doubtful;  // what the snapshot may see, oldest first
  {
    std::lock_guard lock(mutex_);
    // The first one is for all snapshots that are left.
    const auto behind =
        std::upper_bound(history_.begin() + 1, history_.end(), snapshot.sequence(),
                         [](uint64_t sequence, const Version& then) { return sequence < then.manifest->since; });
    known = *std::prev(behind);
    for (auto later = behind; later != history_.end() && later->earliest <= snapshot.sequence(); ++later) {
      doubtful.push_back(*later);
    }
    if (behind + static_cast<std::ptrdiff_t>(doubtful.size()) == history_.end() && next_.edit)
      doubtful.push_back(next_);
  }
  for (Version& version : doubtful) {
    // Nothing tells whether the snapshot sees an edit without segments, and both sides of it have the same ones. Unless
    // it sees a later edit, it gets the earlier side: a writer then hears what was cleared, at worst for nothing.
    if (version.edit->added.empty() && version.edit->removed.empty()) continue;
    ARROW_ASSIGN_OR_RAISE(const bool sees, Sees(snapshot, *version.edit));
    if (!sees) break;
    known = std::move(version);
  }
  return known.manifest;
}

bool ColdTable::MayHaveSegments(const WriteSet::View& writes) const {
  return MayHaveSegments() || !NewSegmentsOf(table_id_, writes).empty();
}

arrow::Result<std::shared_ptr<const Manifest>> ColdTable::At(const Snapshot& snapshot,
                                                             const WriteSet::View& writes) const {
  ARROW_ASSIGN_OR_RAISE(auto committed, At(snapshot));
  return WithChangesOf(std::move(committed), writes);
}

std::shared_ptr<const Manifest> ColdTable::LastKnown(const WriteSet::View& writes) const {
  return WithChangesOf(LastKnown(), writes);
}

std::shared_ptr<const Manifest> ColdTable::WithChangesOf(std::shared_ptr<const Manifest> committed,
                                                         const WriteSet::View& writes) const {
  const auto own = NewSegmentsOf(table_id_, writes);
  const ColdSegments removed = RemovedSegmentsOf(table_id_, writes);
  if (own.empty() && removed.empty()) return committed;
  auto manifest = std::make_shared<Manifest>(*committed);
  for (const auto& run : own) {
    for (const auto& segment : run->segments()) manifest->index = manifest->index.With(segment);
  }
  for (const auto& segment : removed) manifest->index = manifest->index.Without(segment);
  return manifest;
}

std::shared_ptr<const Manifest> ColdTable::Latest() const {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [this] { return next_.edit == nullptr; });
  return history_.back().manifest;
}

std::shared_ptr<const Manifest> ColdTable::LastKnown() const {
  std::lock_guard lock(mutex_);
  return history_.back().manifest;
}

ManifestEdit ColdTable::ChangesSince(const Manifest& then) const {
  ManifestEdit changes;
  std::map<cold::SegmentId, std::shared_ptr<const ColdSegment>> added, removed;
  {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [this] { return next_.edit == nullptr; });
    const auto first =
        std::upper_bound(history_.begin(), history_.end(), then.number,
                         [](uint64_t number, const Version& other) { return number < other.manifest->number; });
    for (auto version = first; version != history_.end(); ++version) {
      changes.clears = changes.clears || version->edit->clears;
      for (const auto& segment : version->edit->added) added.emplace(segment->key().segment_id, segment);
      for (const auto& segment : version->edit->removed) {
        if (added.erase(segment->key().segment_id) == 0) removed.emplace(segment->key().segment_id, segment);
      }
    }
  }
  for (auto& [id, segment] : added) changes.added.push_back(std::move(segment));
  for (auto& [id, segment] : removed) changes.removed.push_back(std::move(segment));
  return changes;
}

// What EndMove needs is allocated here.
ColdTable::Move ColdTable::Begin(Manifest next, ManifestEdit edit) {
  next.number = history_.back().manifest->number + 1;
  done_ = std::make_shared<Manifest>(next);
  if (history_.size() == history_.capacity()) history_.reserve(2 * history_.size());
  next_ = {std::make_shared<const Manifest>(std::move(next)), std::make_shared<const ManifestEdit>(std::move(edit))};
  if (!next_.edit->added.empty() && !may_have_segments_.exchange(true)) ++tier_->first_segments;
  return Move(this);
}

// Now and then, so that many moves in a row leave few versions.
void ColdTable::ForgetNowAndThen() const {
  constexpr size_t kManyVersions = 64;
  {
    std::lock_guard lock(mutex_);
    if (history_.size() % kManyVersions != 0) return;
  }
  ForgetBefore(OldestSnapshot(*tier_->store));
}

ColdTable::Move ColdTable::BeginMove(ManifestEdit edit) {
  ForgetNowAndThen();
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [this] { return next_.edit == nullptr; });
  return BeginEdit(std::move(edit));
}

std::optional<ColdTable::Move> ColdTable::BeginMerge(ManifestEdit edit) {
  ForgetNowAndThen();
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [this] { return next_.edit == nullptr; });
  const SegmentIndex& present = history_.back().manifest->index;
  const auto is_there = [&](const auto& segment) { return present.Contains(segment); };
  if (!std::ranges::all_of(edit.removed, is_there)) return std::nullopt;
  return BeginEdit(std::move(edit));
}

std::optional<ColdTable::Move> ColdTable::TryBeginMove(ManifestEdit edit) {
  std::lock_guard lock(mutex_);
  if (next_.edit != nullptr) return std::nullopt;
  return BeginEdit(std::move(edit));
}

ColdTable::Move ColdTable::BeginEdit(ManifestEdit edit) {
  Manifest next;
  next.index = history_.back().manifest->index;
  for (const auto& segment : edit.removed) next.index = next.index.Without(segment);
  for (const auto& segment : edit.added) next.index = next.index.With(segment);
  return Begin(std::move(next), std::move(edit));
}

ColdTable::Move ColdTable::BeginDrop(ColdSegments* all) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [this] { return next_.edit == nullptr; });
  *all = history_.back().manifest->In();
  return Begin({}, {.added = {}, .removed = *all, .clears = true});
}

void ColdTable::EndMove(std::optional<CommitResult> commit) noexcept {
  Version ended;  // destroyed outside of the lock
  std::unique_lock lock(mutex_);
  std::swap(ended, next_);
  if (commit) {
    done_->since = commit->last_sequence;
    done_->places_version = places_->version();
    history_.push_back({std::move(done_), ended.edit, commit->first_sequence});
  }
  done_.reset();
  lock.unlock();
  moved_.notify_all();
}

void ColdTable::ForgetBefore(uint64_t oldest) const {
  std::lock_guard lock(mutex_);
  // One is asked for by the snapshots from its own sequence up to that of the next.
  const auto needed = std::ranges::find_if(history_.begin() + 1, history_.end(),
                                           [&](const Version& next) { return next.manifest->since > oldest; });
  history_.erase(history_.begin(), needed - 1);
  history_.front().edit.reset();
}

}  // namespace yarrow
