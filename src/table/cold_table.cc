#include "table/cold_table.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "cold/segment_path.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

using arrow::Status;

namespace {

using Discard = std::function<Status(const std::filesystem::path& path)>;

Status SweepFolder(cold::FileSystem& files, const std::filesystem::path& folder,
                   const std::set<std::filesystem::path>& known, const Discard& discard) {
  ARROW_ASSIGN_OR_RAISE(const auto names, files.List(folder));
  for (const std::string& name : names) {
    const std::filesystem::path path = folder / name;
    if (std::filesystem::is_directory(path)) {
      if (cold::IsFolderName(name)) ARROW_RETURN_NOT_OK(SweepFolder(files, path, known, discard));
    } else if (known.count(path) == 0 && (cold::ParseSegmentFileName(name) || cold::IsTemporaryName(name))) {
      ARROW_RETURN_NOT_OK(discard(path));
    }
  }
  return Status::OK();
}

}  // namespace

Status SweepSegmentFiles(const ColdTier& tier) {
  const std::filesystem::path folder = tier.store->path() / cold::kColdFolder;
  ARROW_ASSIGN_OR_RAISE(const bool exists, tier.files->Exists(folder));
  if (!exists) return Status::OK();
  std::set<std::filesystem::path> known;
  const KeyRange all = PrefixRange(RecordPrefix(RecordKind::kManifest));
  ScanCursor entries = tier.store->Scan({.partition = tier.rows, .lower = all.lower, .upper = all.upper});
  while (entries.Next()) {
    ARROW_ASSIGN_OR_RAISE(const auto key, cold::DecodeManifestKey(entries.key()));
    known.insert(tier.store->path() / cold::SegmentPath(key));
  }
  ARROW_RETURN_NOT_OK(entries.status());
  for (const DeletedFile& file : tier.deleted.List()) known.insert(tier.store->path() / cold::SegmentPath(file.key));
  const auto remove = [&](const std::filesystem::path& path) { return tier.files->Remove(path); };
  // What names them may be lost.
  const auto keep = [&](const std::filesystem::path& path) -> Status {
    const auto below = std::filesystem::path("salvaged") / path.lexically_relative(tier.store->path()).parent_path();
    ARROW_RETURN_NOT_OK(cold::CreateFoldersDurably(*tier.files, tier.store->path(), below));
    return tier.files->Rename(path, tier.store->path() / below / path.filename());
  };
  return SweepFolder(*tier.files, folder, known, tier.store->losses().empty() ? Discard(remove) : Discard(keep));
}

ColdSegment::~ColdSegment() {
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
  return open->Lookup(schema, key_prefix, &tier_->caches.row_groups);
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
  tier_->caches.key_filters.Insert(CacheId(), filter, filter->memory_bytes());
  return filter;
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
  ScanCursor overrides = tier_->store->Scan(
      {.partition = tier_->rows, .lower = range.lower, .upper = range.upper, .snapshot = snapshot, .overlay = overlay});
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
  ScanCursor entry = tier_->store->Scan(
      {.partition = tier_->rows, .lower = key, .upper = KeySuccessor(key), .snapshot = snapshot, .overlay = overlay});
  const bool found = entry.Next();
  ARROW_RETURN_NOT_OK(entry.status());
  return found;
}

const ColdSegments& Manifest::Of(std::string_view user) const {
  static const ColdSegments none;
  const auto at = of_user.find(user);
  return at == of_user.end() ? none : at->second;
}

arrow::Result<std::shared_ptr<ColdTable>> ColdTable::Load(std::shared_ptr<ColdTier> tier, uint32_t table_id,
                                                          std::shared_ptr<CommitGuard> places) {
  std::shared_ptr<ColdTable> table(new ColdTable(std::move(tier), table_id, std::move(places)));
  std::lock_guard lock(table->mutex_);
  ARROW_RETURN_NOT_OK(table->AddManifest(0));
  table->may_have_segments_ = !table->history_.back()->of_user.empty();
  return table;
}

arrow::Result<std::shared_ptr<const Manifest>> ColdTable::Read(const Snapshot& snapshot) const {
  auto manifest = std::make_shared<Manifest>();
  const KeyRange range = PrefixRange(cold::ManifestPrefix(table_id_));
  ScanCursor entries =
      tier_->store->Scan({.partition = tier_->rows, .lower = range.lower, .upper = range.upper, .snapshot = snapshot});
  while (entries.Next()) {
    ARROW_ASSIGN_OR_RAISE(auto key, cold::DecodeManifestKey(entries.key()));
    auto& known = known_[key.segment_id];
    std::shared_ptr<const ColdSegment> segment = known.lock();
    if (!segment) {
      ARROW_ASSIGN_OR_RAISE(auto entry, cold::DecodeManifestEntry(key.segment_id, entries.value()));
      known = segment = std::make_shared<const ColdSegment>(tier_, key, std::move(entry));
    }
    manifest->of_user[key.user_id.value_or("")].push_back(std::move(segment));
  }
  ARROW_RETURN_NOT_OK(entries.status());
  return std::shared_ptr<const Manifest>(std::move(manifest));
}

// That of the present. REQUIRES: nothing is being moved.
Status ColdTable::AddManifest(uint64_t since) const {
  ARROW_ASSIGN_OR_RAISE(const auto read, Read({}));
  auto manifest = std::make_shared<Manifest>(*read);
  manifest->since = since;
  manifest->places_version = places_->version();
  history_.push_back(std::move(manifest));
  return Status::OK();
}

// The manifest of the last move, if it could not be read then.
Status ColdTable::CatchUp() const {
  if (!unread_) return Status::OK();
  ARROW_RETURN_NOT_OK(AddManifest(*unread_));
  unread_.reset();
  return Status::OK();
}

arrow::Result<std::shared_ptr<const Manifest>> ColdTable::At(const Snapshot& snapshot) const {
  if (snapshot.is_null()) return Latest();
  std::lock_guard lock(mutex_);
  if (moving_) return Read(snapshot);
  ARROW_RETURN_NOT_OK(CatchUp());
  auto at = history_.rbegin();
  // The first one is for all snapshots that are left.
  while ((*at)->since > snapshot.sequence() && std::next(at) != history_.rend()) ++at;
  return *at;
}

void ColdTable::ForgetBefore(uint64_t oldest) const {
  std::lock_guard lock(mutex_);
  // One is asked for by the snapshots from its own sequence up to that of the next.
  const auto needed = std::ranges::find_if(history_.begin() + 1, history_.end(),
                                           [&](const auto& next) { return next->since > oldest; });
  history_.erase(history_.begin(), needed - 1);
}

bool ColdTable::IsHeld(cold::SegmentId segment_id) const {
  std::lock_guard lock(mutex_);
  const auto known = known_.find(segment_id);
  return known != known_.end() && !known->second.expired();
}

arrow::Result<std::shared_ptr<const Manifest>> ColdTable::Latest() const {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [this] { return !moving_; });
  ARROW_RETURN_NOT_OK(CatchUp());
  return history_.back();
}

std::shared_ptr<const Manifest> ColdTable::LastKnown() const {
  std::lock_guard lock(mutex_);
  return history_.back();
}

Status ColdTable::BeginMove() {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [this] { return !moving_; });
  ARROW_RETURN_NOT_OK(CatchUp());
  moving_ = true;
  if (!may_have_segments_.exchange(true)) ++tier_->first_segments;
  return Status::OK();
}

void ColdTable::EndMove(std::optional<uint64_t> sequence) {
  std::lock_guard lock(mutex_);
  if (sequence) unread_ = sequence;
  ARROW_UNUSED(CatchUp());  // else whoever asks next tries again, and gets the error
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  moving_ = false;
  moved_.notify_all();
}

arrow::Result<std::optional<ColdPlace>> FindColdRow(const ColdSegments& segments, std::string_view key,
                                                    const std::function<FindPosition>& find,
                                                    const std::function<IsDropped>& is_dropped) {
  const uint64_t hash = cold::KeyFilter::Hash(key);
  for (const auto& segment : segments) {
    ARROW_ASSIGN_OR_RAISE(const bool possible, segment->MayContain(key, hash));
    if (!possible) continue;
    ARROW_ASSIGN_OR_RAISE(const auto position, find(*segment));
    if (!position) continue;
    const ColdPlace place{segment, *position};
    ARROW_ASSIGN_OR_RAISE(const bool dropped, is_dropped(place));
    if (!dropped) return place;
  }
  return std::nullopt;
}

arrow::Result<std::optional<ColdPlace>> FindColdRow(const ColdSegments& segments,
                                                    const std::shared_ptr<const RowSchema>& schema,
                                                    const std::string& key_prefix, std::string_view key,
                                                    const std::function<IsDropped>& is_dropped) {
  const auto find = [&](const ColdSegment& segment) -> arrow::Result<std::optional<uint64_t>> {
    ARROW_ASSIGN_OR_RAISE(const auto lookup, segment.Lookup(schema, key_prefix));
    return lookup->Find(key);
  };
  return FindColdRow(segments, key, find, is_dropped);
}

}  // namespace yarrow
