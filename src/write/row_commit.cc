#include "write/row_commit.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "key/key_range.h"
#include "key/record_key.h"
#include "store/overlay_cursor.h"
#include "write/reference_check.h"
#include "write/segment_changes.h"

namespace yarrow {
namespace {

using arrow::Status;

// The row of the key that is there now. Whoever drops it before the commit that asks writes the same override entry, or
// makes that commit a conflict.
arrow::Result<std::optional<ColdPlace>> FindLive(const TableImpl& table, const SegmentIndex& segments,
                                                 std::string_view key) {
  const auto is_dropped = [&](const ColdPlace& place) -> arrow::Result<bool> {
    PinnedValue stored;
    return table.store().Get(table.entry().partition, place.segment->OverrideKey(place.position), &stored);
  };
  return FindColdRow(segments, table.row_schema(), table.key_prefix(), key, is_dropped);
}

// Overrides the rows that the segments have of keys in `writes`.
Status OverrideWritten(const TableImpl& table, const ColdSegments& added, WriteSet* writes) {
  if (added.empty()) return Status::OK();
  SegmentIndex segments;
  for (const auto& segment : added) segments = segments.With(segment);
  writes->Seal();
  const WriteSet::View view = writes->GetView();
  OverlayCursor cursor;
  const Partition partition = table.entry().partition;
  const std::string upper = PrefixSuccessor(table.key_prefix());
  cursor.Position(view, partition, table.key_prefix(), upper, nullptr, /*reverse=*/false);
  for (; cursor.current() != nullptr; cursor.Advance()) {
    const std::string key(cursor.current()->key());
    ARROW_ASSIGN_OR_RAISE(const auto place, FindLive(table, segments, key));
    if (place) writes->Put(partition, place->segment->OverrideKey(place->position), {});
  }
  return cursor.status();
}

// Where segments were cleared since the snapshot, rows went without a word about their keys. IsConflict() when the
// transaction writes one of them: it was there, and is nowhere now.
Status CheckStillThere(const TableImpl& table, const Snapshot& snapshot, WriteSet* writes) {
  const Store& store = table.store();
  const Partition partition = table.entry().partition;
  const Snapshot present = store.GetSnapshot();
  // Both tiers at one moment: a row may be moving.
  const auto is_there_at = [&](const Snapshot& moment, const Manifest& manifest,
                               const std::string& key) -> arrow::Result<bool> {
    PinnedValue stored;
    ARROW_ASSIGN_OR_RAISE(const bool is_hot, store.Get(partition, key, &stored, moment));
    if (is_hot) return true;
    const auto is_dropped = [&](const ColdPlace& place) {
      return place.segment->IsDropped(place.position, moment, {});
    };
    ARROW_ASSIGN_OR_RAISE(const auto place,
                          FindColdRow(manifest.index, table.row_schema(), table.key_prefix(), key, is_dropped));
    return place.has_value();
  };
  ARROW_ASSIGN_OR_RAISE(const auto then, table.cold()->At(snapshot));
  ARROW_ASSIGN_OR_RAISE(const auto now, table.cold()->At(present));
  writes->Seal();
  const WriteSet::View view = writes->GetView();
  OverlayCursor cursor;
  const std::string upper = PrefixSuccessor(table.key_prefix());
  cursor.Position(view, partition, table.key_prefix(), upper, nullptr, /*reverse=*/false);
  for (; cursor.current() != nullptr; cursor.Advance()) {
    const std::string key(cursor.current()->key());
    ARROW_ASSIGN_OR_RAISE(const bool is_there, is_there_at(present, *now, key));
    if (is_there) continue;
    ARROW_ASSIGN_OR_RAISE(const bool was_there, is_there_at(snapshot, *then, key));
    if (!was_there) continue;
    return ConflictError("write conflict: another transaction deleted all rows of table " +
                             table.definition().QualifiedName() + " after this one began",
                         ConflictKey{partition.id(), key});
  }
  return cursor.status();
}

// A table that was altered in its transaction is there twice, and has its places once.
std::vector<GuardUse> GuardsOf(std::span<const TableImpl* const> tables,
                               std::span<const std::shared_ptr<const Manifest>> manifests,
                               const SegmentChanges& changes) {
  std::vector<GuardUse> guards;
  for (size_t i = 0; i < tables.size(); ++i) {
    guards.push_back(tables[i]->guard());
    const auto is_same = [&](const TableImpl* other) { return other->cold() == tables[i]->cold(); };
    if (std::ranges::any_of(tables.first(i), is_same)) continue;
    guards.push_back(tables[i]->places(*manifests[i]));
    guards.back().exclusive = changes.IsOf(*tables[i]->cold());
  }
  return guards;
}

// Rows have moved since `then`: the writes follow them.
Status FollowMoves(const TableImpl& table, const Manifest& then, const Snapshot& snapshot, SegmentChanges* segments,
                   WriteSet* writes) {
  const ManifestEdit changes = table.cold()->ChangesSince(then);  // maybe more than led to the latest known
  ARROW_RETURN_NOT_OK(segments->RemoveByRow(table, changes.removed, writes));
  ARROW_RETURN_NOT_OK(DropStaleOverrides(table, changes.removed, writes));
  ARROW_RETURN_NOT_OK(OverrideWritten(table, changes.added, writes));
  return changes.clears ? CheckStillThere(table, snapshot, writes) : Status::OK();
}

}  // namespace

Status CommitRows(WriteSet* writes, std::span<const TableImpl* const> tables, WriteTransactionToken* token,
                  const std::function<CommitWrites>& commit) {
  ARROW_RETURN_NOT_OK(CheckReferences(tables, token->snapshot(), writes));
  std::vector<std::shared_ptr<const Manifest>> manifests;
  for (const TableImpl* table : tables) {
    ARROW_ASSIGN_OR_RAISE(auto manifest, table->cold()->At(token->snapshot()));
    manifests.push_back(std::move(manifest));
  }
  SegmentChanges segments(tables, token->snapshot(), writes);
  for (;;) {
    std::optional<WriteSet::Savepoint> without_removals;
    if (segments.removes()) {
      without_removals = writes->MakeSavepoint();
      ARROW_RETURN_NOT_OK(segments.AddRemovals(writes));
    }
    const std::vector<GuardUse> guards = GuardsOf(tables, manifests, segments);
    CommitOptions options;
    options.transaction = token;
    options.guards = guards;
    options.guards_judge_ranges = segments.removes_hot_rows();
    if (!segments.empty()) options.when_admitted = [&] { return segments.Begin(); };
    const arrow::Result<CommitResult> committed = commit(options);
    segments.End(committed);
    if (committed.ok()) return Status::OK();
    if (without_removals) writes->RollbackTo(*without_removals);
    if (segments.AwaitOther()) continue;
    const Status& status = committed.status();
    if (!IsConflict(status)) return status;
    // Against a changed definition nothing helps, and it may not even know what new segments have.
    if (std::ranges::any_of(tables, &TableImpl::IsOutdated)) return status;
    ARROW_ASSIGN_OR_RAISE(bool moved, segments.RemoveHotByRow(writes));
    for (size_t i = 0; i < tables.size(); ++i) {
      if (tables[i]->cold()->places().version() == manifests[i]->places_version) continue;
      const TableImpl& table = *tables[i];
      auto latest = table.cold()->Latest();
      ARROW_RETURN_NOT_OK(table.OutdatedOr(FollowMoves(table, *manifests[i], token->snapshot(), &segments, writes)));
      manifests[i] = std::move(latest);
      moved = true;
    }
    if (!moved) return status;
  }
}

Status CommitRow(const TableImpl& table, std::string_view key, std::string_view row) {
  Store& store = table.store();
  const Partition partition = table.entry().partition;
  for (;;) {
    const auto manifest = table.cold()->Latest();
    const GuardUse guards[] = {table.guard(), table.places(*manifest)};
    const CommitOptions options{.guards = guards};
    std::optional<ColdPlace> place;
    if (manifest->index.Spans(key)) {
      // A hot row hides whatever segments have of its key.
      PinnedValue hot;
      ARROW_ASSIGN_OR_RAISE(const bool is_hot, store.Get(partition, key, &hot));
      if (!is_hot) {
        ARROW_RETURN_NOT_OK(table.OutdatedOr(FindLive(table, manifest->index, key).Value(&place)));
      }
    }
    Status status;
    if (place) {
      WriteSet writes;
      writes.Put(partition, key, row);
      writes.Put(partition, place->segment->OverrideKey(place->position), {});
      status = store.commits().Commit(writes, options).status();
    } else {
      status = store.commits().CommitPut(partition, key, row, options).status();
    }
    const bool moved = table.cold()->places().version() != manifest->places_version;
    if (status.ok() || !IsConflict(status) || !moved || table.IsOutdated()) return status;
  }
}

}  // namespace yarrow
