#include "write/row_commit.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "key/key_range.h"
#include "key/record_key.h"
#include "store/overlay_cursor.h"
#include "tier/new_segments.h"

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

// Takes back the overrides in `writes` of segments that were merged into others: nobody would read or remove them.
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

// The segments among the writes of a transaction on their way into the manifests of their tables.
class Arrival {
 public:
  // Adds their manifest entries to the writes. Those of tables that are not among `tables` were dropped since.
  Arrival(std::span<const TableImpl* const> tables, WriteSet* writes) {
    if (writes->external_runs() == 0) return;
    writes->Seal();
    const WriteSet::View view = writes->GetView();
    std::map<uint32_t, ColdTable*> by_id;  // so that two commits begin their moves in the same order
    for (const TableImpl* table : tables) by_id.emplace(table->definition().id, table->cold().get());
    for (const auto& [id, table] : by_id) {
      std::vector<std::shared_ptr<const NewSegments>> runs = NewSegmentsOf(id, view);
      if (runs.empty()) continue;
      OfTable& of_table = tables_.emplace_back();
      of_table.table = table;
      for (const auto& run : runs) {
        const ColdSegments segments = run->segments();
        of_table.edit.added.insert(of_table.edit.added.end(), segments.begin(), segments.end());
        run->AddManifestEntries(writes);
      }
      of_table.runs = std::move(runs);
    }
  }

  bool empty() const { return tables_.empty(); }
  bool IsOf(const ColdTable& table) const {
    return std::ranges::any_of(tables_, [&](const OfTable& mine) { return mine.table == &table; });
  }

  // While the commit has the places of the tables to itself. Who is in the way is waited for afterwards: the commit of
  // that move may wait for this one.
  Status Begin() {
    for (OfTable& mine : tables_) {
      std::optional<ColdTable::Move> move = mine.table->TryBeginMove(mine.edit);
      if (!move) {
        in_the_way_ = mine.table;
        return Status::Cancelled("rows of a table are being moved");
      }
      mine.move.emplace(std::move(*move));
    }
    return Status::OK();
  }
  // Whether that was why the commit failed, and is over.
  bool AwaitOther() {
    for (OfTable& mine : tables_) mine.move.reset();
    if (in_the_way_ == nullptr) return false;
    std::exchange(in_the_way_, nullptr)->Latest();
    return true;
  }
  void End(const arrow::Result<CommitResult>& committed) {
    // After an I/O error nobody knows whether the commit is on disk; what is not will be swept when the database is
    // opened.
    const bool may_be_there = committed.ok() || committed.status().IsIOError();
    for (OfTable& mine : tables_) {
      if (may_be_there) std::ranges::for_each(mine.runs, &NewSegments::Keep);
      if (committed.ok()) mine.move->Committed(*committed);
    }
  }

 private:
  struct OfTable {
    ColdTable* table = nullptr;
    std::vector<std::shared_ptr<const NewSegments>> runs;
    ManifestEdit edit;
    std::optional<ColdTable::Move> move;
  };
  std::vector<OfTable> tables_;
  ColdTable* in_the_way_ = nullptr;
};

// A table that was altered in its transaction is there twice, and has its places once.
std::vector<GuardUse> GuardsOf(std::span<const TableImpl* const> tables,
                               std::span<const std::shared_ptr<const Manifest>> manifests, const Arrival& arrival) {
  std::vector<GuardUse> guards;
  for (size_t i = 0; i < tables.size(); ++i) {
    guards.push_back(tables[i]->guard());
    const auto is_same = [&](const TableImpl* other) { return other->cold() == tables[i]->cold(); };
    if (std::ranges::any_of(tables.first(i), is_same)) continue;
    guards.push_back(tables[i]->places(*manifests[i]));
    guards.back().exclusive = arrival.IsOf(*tables[i]->cold());
  }
  return guards;
}

}  // namespace

Status CommitRows(WriteSet* writes, std::span<const TableImpl* const> tables, WriteTransactionToken* token,
                  const std::function<CommitWrites>& commit) {
  std::vector<std::shared_ptr<const Manifest>> manifests;
  for (const TableImpl* table : tables) {
    ARROW_ASSIGN_OR_RAISE(auto manifest, table->cold()->At(token->snapshot()));
    manifests.push_back(std::move(manifest));
  }
  Arrival arrival(tables, writes);
  for (;;) {
    const std::vector<GuardUse> guards = GuardsOf(tables, manifests, arrival);
    CommitOptions options;
    options.transaction = token;
    options.guards = guards;
    if (!arrival.empty()) options.when_admitted = [&] { return arrival.Begin(); };
    const arrow::Result<CommitResult> committed = commit(options);
    arrival.End(committed);
    if (arrival.AwaitOther()) continue;
    const Status& status = committed.status();
    if (status.ok() || !IsConflict(status)) return status;
    // Against a changed definition nothing helps, and it may not even know what new segments have.
    if (std::ranges::any_of(tables, &TableImpl::IsOutdated)) return status;
    bool moved = false;
    for (size_t i = 0; i < tables.size(); ++i) {
      if (tables[i]->cold()->places().version() == manifests[i]->places_version) continue;
      const TableImpl& table = *tables[i];
      auto latest = table.cold()->Latest();
      const ManifestEdit changes = table.cold()->ChangesSince(*manifests[i]);  // maybe more than led to `latest`
      ARROW_RETURN_NOT_OK(table.OutdatedOr(DropStaleOverrides(table, changes.removed, writes)));
      ARROW_RETURN_NOT_OK(table.OutdatedOr(OverrideWritten(table, changes.added, writes)));
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
      status = store.Commit(writes, options).status();
    } else {
      status = store.CommitPut(partition, key, row, options).status();
    }
    const bool moved = table.cold()->places().version() != manifest->places_version;
    if (status.ok() || !IsConflict(status) || !moved || table.IsOutdated()) return status;
  }
}

}  // namespace yarrow
