#include "flush/segment_flush.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "cold/segment_path.h"
#include "store/store_commits.h"
#include "yarrow/scan_iterator.h"

namespace yarrow::flush {
namespace {

using arrow::Status;

// A disturbed piece is tried again, not for ever.
constexpr int kMostAttempts = 5;
// Of one piece. More are cheaper to copy with it than to put back one by one.
constexpr size_t kMostChanges = 100'000;
// Rows of a piece up to here are removed by their keys. RocksDB lists the deleted ranges of a memtable anew for the
// first read after each deletion, so the small pieces of many users would cost the square of their number.
constexpr uint64_t kMostByKey = 1'000;

}  // namespace

SegmentFlush::SegmentFlush(std::shared_ptr<const TableImpl> table, const FlushOptions& options)
    : table_(std::move(table)), options_(options), all_(PrefixRange(table_->key_prefix())), next_key_(all_.lower) {}

Status SegmentFlush::Run() {
  for (int attempts = 0;;) {
    recorder_ = std::make_unique<ChangeRecorder>(table_->database().store(), table_->entry().partition, all_);
    snapshot_ = table_->store().GetSnapshot();
    changed_.clear();
    scanner_.reset();
    Piece piece = Piece::kMoved;
    while (piece == Piece::kMoved) {
      ARROW_ASSIGN_OR_RAISE(piece, MovePiece());
    }
    if (piece == Piece::kNoRows) return Status::OK();
    if (++attempts == kMostAttempts) {
      return Status::Invalid("Flush of table ", table_->definition().QualifiedName(),
                             ": large writes changed its rows ", kMostAttempts,
                             " times while it copied them; flush it when they are done");
    }
  }
}

// Hot rows only, all columns, in key order.
Status SegmentFlush::StartAt(std::string lower) {
  ScanSource source = table_->MakeSource({});
  source.cold.reset();
  ScanRequest request;
  request.fill_cache = false;
  request.columns.resize(table_->row_schema()->columns().size());
  std::iota(request.columns.begin(), request.columns.end(), 0);
  ARROW_ASSIGN_OR_RAISE(auto plan, MakeScanPlan(std::move(source), request));
  scanner_ = std::make_unique<PieceScanner>(std::move(plan), snapshot_, &counters_, &cancelled_);
  scanner_->CollectDeleted(&deleted_);
  return scanner_->Start({{std::move(lower), all_.upper}});
}

arrow::Result<SegmentFlush::Piece> SegmentFlush::MovePiece() {
  cold::ManifestKey key{.table_id = table_->definition().id, .user_id = {}, .segment_id = 0};
  if (table_->definition().kind == TableKind::kUser) key.user_id = table_->user();
  ARROW_ASSIGN_OR_RAISE(const int64_t id, table_->entry().segment_ids->Take(1));
  key.segment_id = static_cast<cold::SegmentId>(id);
  ARROW_ASSIGN_OR_RAISE(const auto written, WriteSegment(key));
  if (!written) return Piece::kNoRows;
  range_ = {written->info.first_key(), written->info.last_key + '\0'};
  searched_at_ = snapshot_.sequence();
  is_moved_ = is_disturbed_ = false;
  const Status status = Move(key, *written);
  // After an I/O error nobody knows whether the commit is on disk; what is not will be swept when the database is
  // opened.
  if (!is_moved_ && !status.IsIOError()) {
    ARROW_RETURN_NOT_OK(table_->cold()->tier().files->Remove(table_->store().path() / cold::SegmentPath(key)));
  }
  if (is_disturbed_) return Piece::kDisturbed;
  ARROW_RETURN_NOT_OK(status);
  result_.rows += static_cast<int64_t>(written->info.rows);
  result_.bytes += static_cast<int64_t>(written->info.bytes);
  result_.files += 1;
  next_key_ = range_.upper;
  ARROW_RETURN_NOT_OK(LetMemoryGo(*written));
  return Piece::kMoved;
}

// A scanner keeps the memtable of its start, and a memtable the key filters that went into it: over many segments both
// would grow.
Status SegmentFlush::LetMemoryGo(const cold::WrittenSegment& written) {
  if (static_cast<int64_t>(written.info.rows) == options_.max_segment_rows) scanner_.reset();
  filter_bytes_ += written.key_filter.stored().size();
  if (filter_bytes_ < table_->store().options().write_buffer_bytes / 4) return Status::OK();
  filter_bytes_ = 0;
  return table_->database().store()->FlushMemtables();
}

// Steps 3 and 4.
Status SegmentFlush::Move(const cold::ManifestKey& key, const cold::WrittenSegment& written) {
  ARROW_ASSIGN_OR_RAISE(auto segment,
                        cold::Segment::Open(table_->store().path(), key, written.info, *table_->cold()->tier().files));
  cold::PageCache cache(SegmentCaches::kPageBytes);
  ARROW_ASSIGN_OR_RAISE(const auto lookup, cold::SegmentLookup::Make(std::move(segment), table_->row_schema(),
                                                                     table_->key_prefix(), {}, &cache));
  changes_.clear();
  ARROW_RETURN_NOT_OK(NoteKeysOfFew(written));
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    for (int round = 0; round < kPrepareRounds; ++round) ARROW_RETURN_NOT_OK(Prepare(*lookup));
    is_touched_ = false;
    const Status status = Commit(key, written, *lookup);
    if (!is_touched_) return status;
  }
  return Disturbed();
}

Status SegmentFlush::Disturbed() {
  is_disturbed_ = true;
  return Status::Cancelled("large writes changed the rows");
}

arrow::Result<std::optional<cold::WrittenSegment>> SegmentFlush::WriteSegment(const cold::ManifestKey& key) {
  using OptimizeFor = FlushOptions::OptimizeFor;
  if (!scanner_) ARROW_RETURN_NOT_OK(StartAt(next_key_));
  std::unique_ptr<cold::SegmentWriter> writer;
  int64_t rows = 0;
  while (rows < options_.max_segment_rows) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, scanner_->Next(std::min(kBatchRows, options_.max_segment_rows - rows)));
    if (!batch) break;
    if (!writer) {
      const auto layout =
          options_.optimize_for == OptimizeFor::kScan ? cold::SegmentLayout::kScan : cold::SegmentLayout::kLookup;
      ARROW_ASSIGN_OR_RAISE(
          writer, cold::SegmentWriter::Open(table_->row_schema(), table_->key_prefix(), table_->store().path(), key,
                                            {.layout = layout, .files = table_->cold()->tier().files}));
    }
    ARROW_RETURN_NOT_OK(writer->Write(*batch));
    rows += batch->num_rows();
    if (options_.on_progress) ARROW_RETURN_NOT_OK(options_.on_progress(result_.rows + rows));
  }
  // They are put back like rows that were changed.
  changed_.insert(std::make_move_iterator(deleted_.begin()), std::make_move_iterator(deleted_.end()));
  deleted_.clear();
  if (!writer) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto written, writer->Finish());
  return written;
}

// Looks at the keys of the piece that were written since the last time; those behind it wait for their piece.
Status SegmentFlush::Prepare(const cold::SegmentLookup& lookup) {
  if (recorder_->IsTouched(range_, searched_at_)) ARROW_RETURN_NOT_OK(FindChanges());
  ARROW_ASSIGN_OR_RAISE(auto keys, recorder_->Take(snapshot_.sequence()));
  for (std::string& key : keys) changed_.insert(std::move(key));
  const auto end = changed_.lower_bound(range_.upper);
  for (auto key = changed_.lower_bound(range_.lower); key != end; ++key) ARROW_RETURN_NOT_OK(ReadChange(lookup, *key));
  changed_.erase(changed_.begin(), end);
  return Status::OK();
}

// Large writes name no keys: what they changed is what differs between the snapshot and now, or was found to differ
// before. (A row that came after the snapshot and was deleted since is in neither of both.)
Status SegmentFlush::FindChanges() {
  const Snapshot now = table_->store().GetSnapshot();
  const auto scan = [&](const Snapshot& snapshot) {
    return table_->store().Scan({.partition = table_->entry().partition,
                                 .lower = range_.lower,
                                 .upper = range_.upper,
                                 .snapshot = snapshot,
                                 .fill_cache = false});
  };
  ScanCursor before = scan(snapshot_), after = scan(now);
  bool has_before = before.Next(), has_after = after.Next();
  while (has_before || has_after) {
    const int order = !has_before ? 1 : !has_after ? -1 : before.key().compare(after.key());
    if (order != 0 || before.value() != after.value()) changed_.emplace(order <= 0 ? before.key() : after.key());
    if (changed_.size() > kMostChanges) return Disturbed();
    if (order <= 0) has_before = before.Next();
    if (order >= 0) has_after = after.Next();
  }
  ARROW_RETURN_NOT_OK(before.status());
  ARROW_RETURN_NOT_OK(after.status());
  for (const auto& [key, change] : changes_) changed_.insert(key);
  searched_at_ = now.sequence();
  return Status::OK();
}

Status SegmentFlush::ReadChange(const cold::SegmentLookup& lookup, const std::string& key) {
  const auto [at, is_new] = changes_.try_emplace(key);
  Change& change = at->second;
  PinnedValue row;
  ARROW_ASSIGN_OR_RAISE(const bool found, table_->store().Get(table_->entry().partition, key, &row));
  change.row.reset();
  if (found) change.row = row.view();
  if (is_new) {
    ARROW_ASSIGN_OR_RAISE(change.position, lookup.Find(key));
  }
  return Status::OK();
}

Status SegmentFlush::Commit(const cold::ManifestKey& key, const cold::WrittenSegment& written,
                            const cold::SegmentLookup& lookup) {
  ColdTable& cold = *table_->cold();
  const uint32_t partition = table_->entry().partition.id();
  const auto closed_prefix = [&](const std::string& prefix) {
    return WriteRange{partition, prefix, PrefixSuccessor(prefix)};
  };
  const std::string filter_key = cold::EncodeKeyFilterKey(key.table_id, key.segment_id);
  const std::string manifest_key = cold::EncodeManifestKey(key);
  const std::vector<WriteRange> closed = {{partition, range_.lower, range_.upper},
                                          closed_prefix(manifest_key),
                                          closed_prefix(filter_key),
                                          closed_prefix(cold::OverridePrefix(key.table_id, key.segment_id))};
  const auto segment = cold.MakeSegment(key, {.segment_id = key.segment_id, .level = 0, .info = written.info});
  ColdTable::Move move = cold.BeginMove({.added = {segment}, .removed = {}});
  // From now on no other move raises the version.
  const GuardUse guards[] = {table_->guard(),
                             {.guard = &cold.places(), .version = cold.places().version(), .exclusive = true}};
  const auto committed =
      table_->store().commits().CommitClosed(closed,
                                             [&](WriteSet* writes) -> Status {
                                               // To be searched outside: others wait here.
                                               is_touched_ = recorder_->IsTouched(range_, searched_at_);
                                               if (is_touched_)
                                                 return Status::Cancelled("a large write came into the rows");
                                               ARROW_RETURN_NOT_OK(Prepare(lookup));
                                               segment->AddManifestEntry(written.key_filter, writes);
                                               AddRows(key, writes);
                                               return Status::OK();
                                             },
                                             {.guards = guards, .sync = true, .moves_only = true});
  ARROW_RETURN_NOT_OK(committed.status());
  is_moved_ = true;
  moved_at_ = committed->last_sequence;
  move.Committed(*committed);
  return Status::OK();
}

Status SegmentFlush::NoteKeysOfFew(const cold::WrittenSegment& written) {
  keys_.clear();
  if (written.info.rows > kMostByKey) return Status::OK();
  ScanCursor rows = table_->store().Scan({.partition = table_->entry().partition,
                                          .lower = range_.lower,
                                          .upper = range_.upper,
                                          .snapshot = snapshot_,
                                          .fill_cache = false});
  while (rows.Next()) keys_.emplace_back(rows.key());
  return rows.status();
}

void SegmentFlush::RemoveHotRows(WriteSet* writes) const {
  const Partition partition = table_->entry().partition;
  if (keys_.empty()) {
    writes->DeleteRange(partition, range_.lower, range_.upper);
    return;
  }
  for (const std::string& key : keys_) {
    const auto changed = changes_.find(key);
    if (changed == changes_.end() || !changed->second.row) writes->Delete(partition, key);
  }
}

void SegmentFlush::AddRows(const cold::ManifestKey& key, WriteSet* writes) const {
  const Partition partition = table_->entry().partition;
  RemoveHotRows(writes);
  for (const auto& [changed, change] : changes_) {
    if (change.row) writes->Put(partition, changed, *change.row);
    if (change.position) {
      writes->Put(partition, cold::EncodeOverrideKey({key.table_id, key.segment_id, *change.position}), {});
    }
  }
}

}  // namespace yarrow::flush
