#include "write/segment_changes.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "catalog/records.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "store/overlay_cursor.h"
#include "store/store_commits.h"
#include "tier/removed_segments.h"
#include "write/run_writer.h"

namespace yarrow {
namespace {

using arrow::Status;

// The first position that `now` has and `then` has not.
std::optional<uint64_t> FirstNew(const cold::DeletionVector& then, const cold::DeletionVector& now, uint64_t rows) {
  std::optional<uint64_t> first;
  now.VisitDropped(0, rows, [&](uint64_t position) {
    if (!first && !then.Contains(position)) first = position;
  });
  return first;
}

}  // namespace

SegmentChanges::SegmentChanges(std::span<const TableImpl* const> tables, const Snapshot& snapshot, WriteSet* writes)
    : snapshot_(snapshot) {
  if (writes->external_runs() == 0) return;
  writes->Seal();
  const WriteSet::View view = writes->GetView();
  std::map<uint32_t, const TableImpl*> by_id;
  for (const TableImpl* table : tables) by_id.emplace(table->definition().id, table);
  for (const auto& [id, table] : by_id) {
    OfTable mine;
    mine.table = table;
    mine.runs = NewSegmentsOf(id, view);
    mine.removed = RemovedSegmentsOf(id, view);
    mine.with_hot_rows = RemovesHotRowsOf(id, view);
    if (mine.runs.empty() && !mine.clears()) continue;
    for (const auto& run : mine.runs) {
      const ColdSegments segments = run->segments();
      mine.added.insert(mine.added.end(), segments.begin(), segments.end());
      run->AddManifestEntries(writes);
    }
    tables_.push_back(std::move(mine));
  }
}

bool SegmentChanges::removes() const {
  return std::ranges::any_of(tables_, &OfTable::clears);
}

bool SegmentChanges::removes_hot_rows() const {
  return std::ranges::any_of(tables_, &OfTable::with_hot_rows);
}

bool SegmentChanges::IsOf(const ColdTable& table) const {
  return std::ranges::any_of(tables_, [&](const OfTable& mine) { return mine.table->cold().get() == &table; });
}

Status SegmentChanges::AddRemovals(WriteSet* writes) {
  deleted_at_ = NowMicros();
  for (OfTable& mine : tables_) ARROW_RETURN_NOT_OK(AddRemovals(&mine, writes));
  return writes->status();
}

Status SegmentChanges::AddRemovals(OfTable* mine, WriteSet* writes) const {
  const TableImpl& table = *mine->table;
  const Partition partition = table.entry().partition;
  if (mine->with_hot_rows) writes->DeleteRange(partition, table.key_prefix(), PrefixSuccessor(table.key_prefix()));
  if (mine->removed.empty()) return writes->status();
  const uint32_t id = table.definition().id;
  mine->overrides.clear();
  mine->deleted.clear();
  ARROW_RETURN_NOT_OK(DropStaleOverrides(table, mine->removed, writes));
  for (const auto& segment : mine->removed) {
    ARROW_ASSIGN_OR_RAISE(const auto dropped, segment->Dropped(snapshot_, {}));
    mine->overrides[segment->key().segment_id] = dropped.cardinality();
    mine->deleted.push_back(segment->key());
    writes->Delete(partition, cold::EncodeManifestKey(segment->key()));
    writes->Delete(partition, cold::EncodeKeyFilterKey(id, segment->key().segment_id));
    // The overrides go behind the commit, as a range: transactions are judged by keys.
  }
  table.cold()->tier().deleted.AddRecords(mine->deleted, deleted_at_, writes);
  return writes->status();
}

// Who replaces or deletes a row of a segment overrides it. Hot rows go without a look when nobody has written any.
Status SegmentChanges::CheckUntouched(const OfTable& mine) const {
  const TableImpl& table = *mine.table;
  if (mine.with_hot_rows && table.guard().guard->last_commit_sequence() > snapshot_.sequence()) {
    return ConflictError("write conflict: another transaction wrote to table " + table.definition().QualifiedName());
  }
  if (mine.removed.empty()) return Status::OK();
  const Snapshot now = table.store().GetSnapshot();
  for (const auto& segment : mine.removed) {
    ARROW_ASSIGN_OR_RAISE(const auto dropped, segment->Dropped(now, {}));
    if (dropped.cardinality() == mine.overrides.at(segment->key().segment_id)) continue;
    ARROW_ASSIGN_OR_RAISE(const auto then, segment->Dropped(snapshot_, {}));
    const std::string message =
        "write conflict: another transaction changed a row of table " + table.definition().QualifiedName();
    const auto position = FirstNew(then, dropped, segment->info().rows);
    if (!position) return ConflictError(message);
    ARROW_ASSIGN_OR_RAISE(const auto lookup, segment->Lookup(table.row_schema(), table.key_prefix()));
    ARROW_ASSIGN_OR_RAISE(std::string key, lookup->ReadKey(*position));
    return ConflictError(message, ConflictKey{table.entry().partition.id(), std::move(key)});
  }
  return Status::OK();
}

Status SegmentChanges::Begin() {
  for (OfTable& mine : tables_) {
    ARROW_RETURN_NOT_OK(CheckUntouched(mine));
    ColdTable* const cold = mine.table->cold().get();
    auto move = cold->TryBeginMove({.added = mine.added, .removed = mine.removed, .clears = mine.clears()});
    if (!move) {
      in_the_way_ = cold;
      return Status::Cancelled("rows of a table are being moved");
    }
    mine.move.emplace(std::move(*move));
  }
  return Status::OK();
}

bool SegmentChanges::AwaitOther() {
  for (OfTable& mine : tables_) mine.move.reset();
  if (in_the_way_ == nullptr) return false;
  std::exchange(in_the_way_, nullptr)->Latest();
  return true;
}

void SegmentChanges::End(const arrow::Result<CommitResult>& committed) {
  // After an I/O error nobody knows whether the commit is on disk; what is not will be swept when the database is
  // opened.
  const bool may_be_there = committed.ok() || committed.status().IsIOError();
  for (OfTable& mine : tables_) {
    if (may_be_there) std::ranges::for_each(mine.runs, &NewSegments::Keep);
    if (!committed.ok()) continue;
    mine.move->Committed(*committed);
    mine.table->cold()->tier().deleted.Add(mine.deleted, deleted_at_, committed->last_sequence);
  }
}

Status SegmentChanges::RemoveByRow(const TableImpl& table, const ColdSegments& merged, WriteSet* writes) {
  const auto mine =
      std::ranges::find(tables_, table.definition().id, [](const OfTable& of) { return of.table->definition().id; });
  if (mine == tables_.end()) return Status::OK();
  writes->Seal();
  const WriteSet::View view = writes->GetView();
  std::string key;
  for (const auto& segment : merged) {
    const auto same = [&](const auto& removed) { return removed->key().segment_id == segment->key().segment_id; };
    if (std::erase_if(mine->removed, same) == 0) continue;
    ARROW_ASSIGN_OR_RAISE(const auto dropped, segment->Dropped(snapshot_, view));
    ARROW_ASSIGN_OR_RAISE(const auto lookup, segment->Lookup(table.row_schema(), table.key_prefix()));
    RunWriter rows(table, writes, segment->info().rows > kMostInMemory);
    // What the transaction writes of a key it has written since, or before: that stays.
    OverlayCursor own;
    const std::string behind = segment->info().last_key + '\0';
    own.Position(view, table.entry().partition, segment->info().first_key(), behind, nullptr, /*reverse=*/false);
    uint64_t position = 0;
    for (size_t page = 0; page < lookup->segment()->pages().size(); ++page) {
      ARROW_ASSIGN_OR_RAISE(const auto keys, lookup->ReadKeys(page));
      for (int64_t row = 0; row < keys.rows(); ++row, ++position) {
        if (dropped.Contains(position)) continue;
        ARROW_RETURN_NOT_OK(keys.Encode(row, &key));
        while (own.current() != nullptr && own.current()->key() < key) own.Advance();
        const bool is_written = own.current() != nullptr && own.current()->key() == key;
        if (!is_written) ARROW_RETURN_NOT_OK(rows.DeleteAbsent(key));
      }
    }
    ARROW_RETURN_NOT_OK(own.status());
    ARROW_RETURN_NOT_OK(rows.Finish());
  }
  if (mine->runs.empty() && !mine->clears()) tables_.erase(mine);
  return Status::OK();
}

arrow::Result<bool> SegmentChanges::RemoveHotByRow(WriteSet* writes) {
  bool any = false;
  for (OfTable& mine : tables_) {
    if (!std::exchange(mine.with_hot_rows, false)) continue;
    any = true;
    const TableImpl& table = *mine.table;
    const KeyRange range = PrefixRange(table.key_prefix());
    ScanCursor rows = table.store().Scan({.partition = table.entry().partition,
                                          .lower = range.lower,
                                          .upper = range.upper,
                                          .snapshot = snapshot_,
                                          .fill_cache = false});
    RunWriter deleted(table, writes, /*in_files=*/true);
    while (rows.Next()) ARROW_RETURN_NOT_OK(deleted.Delete(rows.key()));
    ARROW_RETURN_NOT_OK(rows.status());
    ARROW_RETURN_NOT_OK(deleted.Finish());
  }
  std::erase_if(tables_, [](const OfTable& mine) { return mine.runs.empty() && !mine.clears(); });
  return any;
}

Status DropStaleOverrides(const TableImpl& table, const ColdSegments& removed, WriteSet* writes) {
  if (removed.empty()) return Status::OK();
  std::unordered_set<cold::SegmentId> gone;
  for (const auto& segment : removed) gone.insert(segment->key().segment_id);
  writes->Seal();
  const WriteSet::View view = writes->GetView();
  OverlayCursor cursor;
  const Partition partition = table.entry().partition;
  const std::string lower = RecordPrefix(RecordKind::kOverride, table.definition().id);
  const std::string upper = PrefixSuccessor(lower);
  cursor.Position(view, partition, lower, upper, nullptr, /*reverse=*/false);
  for (; cursor.current() != nullptr; cursor.Advance()) {
    if (cursor.current()->kind != WriteOp::Kind::kPut) continue;
    ARROW_ASSIGN_OR_RAISE(const auto key, cold::DecodeOverrideKey(cursor.current()->key()));
    if (gone.contains(key.segment_id)) writes->Delete(partition, cold::EncodeOverrideKey(key));
  }
  return cursor.status();
}

}  // namespace yarrow
