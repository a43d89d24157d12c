#include "table/row_commit.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "key/key_range.h"
#include "key/record_key.h"
#include "store/overlay_cursor.h"

namespace yarrow {
namespace {

using arrow::Status;

// The row of the key that is there now. Whoever drops it before the commit that asks writes the same override entry, or
// makes that commit a conflict.
arrow::Result<std::optional<ColdPlace>> FindLive(const TableImpl& table, const ColdSegments& segments,
                                                 std::string_view key) {
  const auto is_dropped = [&](const ColdPlace& place) -> arrow::Result<bool> {
    PinnedValue stored;
    return table.store().Get(table.entry().partition, place.segment->OverrideKey(place.position), &stored);
  };
  return FindColdRow(segments, table.row_schema(), table.key_prefix(), key, is_dropped);
}

// Segments of `now` that `then` does not have.
ColdSegments NewSegments(const TableImpl& table, const Manifest& then, const Manifest& now) {
  ColdSegments made;
  const ColdSegments& known = table.Segments(then);
  for (const auto& segment : table.Segments(now)) {
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const auto& other) {
      return other->key().segment_id == segment->key().segment_id;
    });
    if (!is_known) made.push_back(segment);
  }
  return made;
}

// Overrides the rows that the segments have of keys in `writes`.
Status OverrideWritten(const TableImpl& table, const ColdSegments& segments, WriteSet* writes) {
  if (segments.empty()) return Status::OK();
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
Status DropStaleOverrides(const TableImpl& table, const ColdSegments& now, WriteSet* writes) {
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
    const bool is_there =
        std::ranges::any_of(now, [&](const auto& segment) { return segment->key().segment_id == key.segment_id; });
    if (!is_there) writes->Delete(partition, cold::EncodeOverrideKey(key));
  }
  return cursor.status();
}

}  // namespace

Status CommitRows(WriteSet* writes, std::span<const TableImpl* const> tables, WriteTransactionToken* token,
                  const std::function<Status(const CommitOptions&)>& commit) {
  std::vector<std::shared_ptr<const Manifest>> manifests;
  for (const TableImpl* table : tables) {
    ARROW_ASSIGN_OR_RAISE(auto manifest, table->cold()->At(token->snapshot()));
    manifests.push_back(std::move(manifest));
  }
  for (;;) {
    std::vector<GuardUse> guards;
    for (size_t i = 0; i < tables.size(); ++i) {
      guards.push_back(tables[i]->guard());
      guards.push_back(tables[i]->places(*manifests[i]));
    }
    CommitOptions options;
    options.transaction = token;
    options.guards = guards;
    const Status status = commit(options);
    if (status.ok() || !IsConflict(status)) return status;
    // Against a changed definition nothing helps, and it may not even know what new segments have.
    if (std::ranges::any_of(tables, &TableImpl::IsOutdated)) return status;
    bool moved = false;
    for (size_t i = 0; i < tables.size(); ++i) {
      if (tables[i]->cold()->places().version() == manifests[i]->places_version) continue;
      ARROW_ASSIGN_OR_RAISE(auto latest, tables[i]->cold()->Latest());
      const TableImpl& table = *tables[i];
      ARROW_RETURN_NOT_OK(table.OutdatedOr(DropStaleOverrides(table, table.Segments(*latest), writes)));
      ARROW_RETURN_NOT_OK(table.OutdatedOr(OverrideWritten(table, NewSegments(table, *manifests[i], *latest), writes)));
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
    ARROW_ASSIGN_OR_RAISE(const auto manifest, table.cold()->Latest());
    const GuardUse guards[] = {table.guard(), table.places(*manifest)};
    const CommitOptions options{.guards = guards};
    std::optional<ColdPlace> place;
    if (const ColdSegments& segments = table.Segments(*manifest); !segments.empty()) {
      // A hot row hides whatever segments have of its key.
      PinnedValue hot;
      ARROW_ASSIGN_OR_RAISE(const bool is_hot, store.Get(partition, key, &hot));
      if (!is_hot) {
        ARROW_RETURN_NOT_OK(table.OutdatedOr(FindLive(table, segments, key).Value(&place)));
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
