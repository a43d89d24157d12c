#include "flush/segment_compaction.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "catalog/records.h"
#include "cold/deleted_file.h"
#include "cold/segment_path.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "store/store_commits.h"
#include "yarrow/scan_iterator.h"

namespace yarrow::flush {
namespace {

using arrow::Status;

constexpr uint64_t kLookupCacheBytes = 64 << 20;

}  // namespace

cold::SegmentLayout LayoutOf(FlushOptions::OptimizeFor optimize_for) {
  const bool scan = optimize_for == FlushOptions::OptimizeFor::kScan;
  return scan ? cold::SegmentLayout::kScan : cold::SegmentLayout::kLookup;
}

SegmentCompaction::SegmentCompaction(std::shared_ptr<const TableImpl> table, const CompactOptions& options,
                                     ColdSegments inputs, uint32_t level)
    : table_(std::move(table)),
      options_(options),
      level_(level),
      inputs_(std::move(inputs)),
      pages_(kLookupCacheBytes) {}

Status SegmentCompaction::Run() {
  recorder_ =
      std::make_unique<ChangeRecorder>(table_->database().store(), table_->entry().partition,
                                       PrefixRange(RecordPrefix(RecordKind::kOverride, table_->definition().id)));
  snapshot_ = table_->store().GetSnapshot();
  searched_at_ = snapshot_.sequence();
  Status status = [&] {
    for (const auto& segment : inputs_) {
      ARROW_ASSIGN_OR_RAISE(auto dropped, segment->Dropped(snapshot_, {}));
      pieces_.push_back({segment, std::move(dropped)});
    }
    ARROW_RETURN_NOT_OK(Merge());
    for (int round = 0; round < kPrepareRounds; ++round) ARROW_RETURN_NOT_OK(Prepare());
    return Commit();
  }();
  // After an I/O error of the commit nobody knows whether it is on disk; if not, the files will be swept when the
  // database is opened.
  const bool may_be_committed = is_committed_ || (is_committing_ && status.IsIOError());
  if (!may_be_committed) ARROW_RETURN_NOT_OK(RemoveOutputs());
  return status;
}

// As most rows are laid out now.
cold::SegmentLayout SegmentCompaction::Layout() const {
  if (options_.optimize_for) return LayoutOf(*options_.optimize_for);
  uint64_t all = 0, lookup = 0;
  for (const auto& segment : inputs_) {
    all += segment->info().rows;
    if (segment->info().layout == cold::SegmentLayout::kLookup) lookup += segment->info().rows;
  }
  return lookup * 2 > all ? cold::SegmentLayout::kLookup : cold::SegmentLayout::kScan;
}

arrow::Result<std::unique_ptr<cold::SegmentWriter>> SegmentCompaction::OpenOutput(cold::ManifestKey* key) {
  ARROW_ASSIGN_OR_RAISE(const int64_t id, table_->entry().segment_ids->Take(1));
  *key = inputs_.front()->key();
  key->segment_id = static_cast<cold::SegmentId>(id);
  return cold::SegmentWriter::Open(table_->row_schema(), table_->key_prefix(), table_->store().path(), *key,
                                   {.layout = Layout(), .files = table_->cold()->tier().files});
}

Status SegmentCompaction::FinishOutput(const cold::ManifestKey& key, cold::SegmentWriter* writer) {
  auto finished = writer->Finish();
  // It may have its name by then.
  if (!finished.ok()) ARROW_UNUSED(table_->cold()->tier().files->Remove(writer->path()));
  ARROW_ASSIGN_OR_RAISE(auto written, std::move(finished));
  rows_ += static_cast<int64_t>(written.info.rows);
  bytes_ += static_cast<int64_t>(written.info.bytes);
  outputs_.push_back({.key = key, .written = std::move(written), .segment = nullptr, .lookup = nullptr});
  return Status::OK();
}

// Step 2. The rows are shared out evenly, so that no small rest is left over.
Status SegmentCompaction::Merge() {
  int64_t left = 0;
  for (const ColdPiece& piece : pieces_) {
    left += static_cast<int64_t>(piece.segment->info().rows - piece.dropped.cardinality());
  }
  int64_t files = (left + options_.max_segment_rows - 1) / options_.max_segment_rows;
  ARROW_ASSIGN_OR_RAISE(const auto merge, SegmentMerge::Make(table_->row_schema(), table_->key_prefix(), pieces_));
  for (; files > 0; --files) {
    cold::ManifestKey key;
    ARROW_ASSIGN_OR_RAISE(const auto writer, OpenOutput(&key));
    int64_t missing = (left + files - 1) / files;
    left -= missing;
    while (missing > 0) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, merge->Next(std::min(missing, kBatchRows)));
      if (!batch) {
        return Status::Invalid("Compaction of table ", table_->definition().QualifiedName(), ": ", missing,
                               " rows that its segments should have were not found; nothing was changed");
      }
      ARROW_RETURN_NOT_OK(writer->Write(*batch));
      missing -= batch->num_rows();
      if (options_.on_progress) {
        ARROW_RETURN_NOT_OK(options_.on_progress(rows_ + static_cast<int64_t>(writer->rows())));
      }
    }
    ARROW_RETURN_NOT_OK(FinishOutput(key, writer.get()));
  }
  return Status::OK();
}

// Step 3.
Status SegmentCompaction::Prepare() {
  ARROW_ASSIGN_OR_RAISE(const auto changed, recorder_->Take(snapshot_.sequence()));
  for (const std::string& key : changed) ARROW_RETURN_NOT_OK(ReadOverride(key));
  const KeyRange all = PrefixRange(RecordPrefix(RecordKind::kOverride, table_->definition().id));
  return recorder_->IsTouched(all, searched_at_) ? FindOverrides() : Status::OK();
}

// Large writes name no keys.
Status SegmentCompaction::FindOverrides() {
  const Snapshot now = table_->store().GetSnapshot();
  for (const ColdPiece& piece : pieces_) {
    const std::string prefix = cold::OverridePrefix(table_->definition().id, piece.segment->key().segment_id);
    ScanCursor cursor = table_->store().Scan({.partition = table_->entry().partition,
                                              .lower = prefix,
                                              .upper = PrefixSuccessor(prefix),
                                              .snapshot = now,
                                              .fill_cache = false});
    while (cursor.Next()) {
      const std::string key(cursor.key());
      ARROW_ASSIGN_OR_RAISE(const auto override_key, cold::DecodeOverrideKey(key));
      const bool known = piece.dropped.Contains(override_key.position) || overrides_.contains(key);
      if (!known) ARROW_RETURN_NOT_OK(ReadOverride(key));
    }
    ARROW_RETURN_NOT_OK(cursor.status());
  }
  searched_at_ = now.sequence();
  return Status::OK();
}

Status SegmentCompaction::ReadOverride(const std::string& key) {
  ARROW_ASSIGN_OR_RAISE(const auto override_key, cold::DecodeOverrideKey(key));
  const auto input = std::ranges::find_if(
      pieces_, [&](const ColdPiece& piece) { return piece.segment->key().segment_id == override_key.segment_id; });
  if (input == pieces_.end()) return Status::OK();
  const auto [at, is_new] = overrides_.try_emplace(key);
  PinnedValue stored;
  ARROW_ASSIGN_OR_RAISE(at->second.is_there, table_->store().Get(table_->entry().partition, key, &stored));
  if (is_new && !input->dropped.Contains(override_key.position)) {
    ARROW_ASSIGN_OR_RAISE(at->second.carried, FindCarried(*input, override_key.position));
  }
  return Status::OK();
}

// The override of the same row in the new segments.
arrow::Result<std::string> SegmentCompaction::FindCarried(const ColdPiece& input, uint64_t position) {
  ARROW_ASSIGN_OR_RAISE(const auto from, input.segment->Lookup(table_->row_schema(), table_->key_prefix()));
  ARROW_ASSIGN_OR_RAISE(const std::string key, from->ReadKey(position));
  const auto output =
      std::ranges::lower_bound(outputs_, key, {}, [](const Output& o) { return o.written.info.last_key; });
  std::optional<uint64_t> place;
  if (output != outputs_.end()) {
    if (!output->lookup) {
      ARROW_ASSIGN_OR_RAISE(auto segment, cold::Segment::Open(table_->store().path(), output->key, output->written.info,
                                                              *table_->cold()->tier().files));
      ARROW_ASSIGN_OR_RAISE(output->lookup, cold::SegmentLookup::Make(std::move(segment), table_->row_schema(),
                                                                      table_->key_prefix(), {}, &pages_));
    }
    ARROW_ASSIGN_OR_RAISE(place, output->lookup->Find(key));
  }
  if (!place) {
    return Status::Invalid("Compaction of table ", table_->definition().QualifiedName(), ": the row with ",
                           table_->row_schema()->DescribeKey(key),
                           " was changed meanwhile and is not in the merged segments; nothing was changed");
  }
  return cold::EncodeOverrideKey({output->key.table_id, output->key.segment_id, *place});
}

// Step 4. The places of the table are this commit's alone, so no override of its segments can come.
Status SegmentCompaction::Commit() {
  ColdTable& cold = *table_->cold();
  const uint32_t id = table_->definition().id;
  std::vector<WriteRange> closed;
  for (const std::string& prefix : {cold::ManifestPrefix(id), cold::KeyFilterPrefix(id),
                                    RecordPrefix(RecordKind::kOverride, id), cold::DeletedFilePrefix(id)}) {
    closed.push_back({table_->entry().partition.id(), prefix, PrefixSuccessor(prefix)});
  }
  const int64_t now = NowMicros();
  ManifestEdit edit{.added = {}, .removed = inputs_, .clears = false};
  for (Output& output : outputs_) {
    output.segment = cold.MakeSegment(
        output.key, {.segment_id = output.key.segment_id, .level = level_, .info = output.written.info});
    edit.added.push_back(output.segment);
  }
  std::optional<ColdTable::Move> move = cold.BeginMerge(std::move(edit));
  if (!move) {  // their rows were deleted, or the table was dropped
    rows_ = bytes_ = 0;
    return table_->CheckReadable({});
  }
  // From now on no other move raises the version.
  const GuardUse guards[] = {table_->guard(),
                             {.guard = &cold.places(), .version = cold.places().version(), .exclusive = true}};
  is_committing_ = true;
  const auto committed = table_->store().commits().CommitClosed(closed,
                                                                [&](WriteSet* writes) -> Status {
                                                                  ARROW_RETURN_NOT_OK(Prepare());
                                                                  return AddWrites(now, writes);
                                                                },
                                                                {.guards = guards, .sync = true, .moves_only = true});
  ARROW_RETURN_NOT_OK(committed.status());
  is_committed_ = true;
  move->Committed(*committed);
  std::vector<cold::ManifestKey> deleted;
  for (const auto& segment : inputs_) deleted.push_back(segment->key());
  cold.tier().deleted.Add(deleted, now, committed->last_sequence);
  return Status::OK();
}

Status SegmentCompaction::AddWrites(int64_t now, WriteSet* writes) const {
  const Partition partition = table_->entry().partition;
  const uint32_t id = table_->definition().id;
  std::vector<cold::ManifestKey> deleted;
  for (const ColdPiece& piece : pieces_) {
    const cold::ManifestKey& key = deleted.emplace_back(piece.segment->key());
    writes->Delete(partition, cold::EncodeManifestKey(key));
    writes->Delete(partition, cold::EncodeKeyFilterKey(id, key.segment_id));
    // A range that is deleted costs readers of its neighbours something; most segments have no overrides.
    const std::string prefix = cold::OverridePrefix(id, key.segment_id);
    const bool has_new = std::ranges::any_of(overrides_, [&](const auto& o) { return o.first.starts_with(prefix); });
    if (!piece.dropped.empty() || has_new) writes->DeleteRange(partition, prefix, PrefixSuccessor(prefix));
  }
  table_->cold()->tier().deleted.AddRecords(deleted, now, writes);
  for (const Output& output : outputs_) output.segment->AddManifestEntry(output.written.key_filter, writes);
  for (const auto& [key, change] : overrides_) {
    if (change.is_there && !change.carried.empty()) writes->Put(partition, change.carried, {});
  }
  return Status::OK();
}

Status SegmentCompaction::RemoveOutputs() {
  for (const Output& output : outputs_) {
    ARROW_RETURN_NOT_OK(table_->cold()->tier().files->Remove(table_->store().path() / cold::SegmentPath(output.key)));
  }
  return Status::OK();
}

}  // namespace yarrow::flush
