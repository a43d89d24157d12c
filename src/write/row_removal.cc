#include "write/row_removal.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "key/key_range.h"
#include "row/row_layout.h"
#include "tier/new_segments.h"
#include "tier/removed_segments.h"
#include "write/run_writer.h"

namespace yarrow {
namespace {

using arrow::Status;

// Fewer are removed by their keys: a range stays in the way of reads until a compaction, and needs the table to itself.
constexpr uint64_t kLeastForRange = 10'000;

// Visits the hot rows that the transaction has not written itself: it has written none.
template <class Visit>  // void(std::string_view key, bool is_deleted)
Status VisitHotRows(const TableImpl& table, const Snapshot& snapshot, const std::atomic<bool>& cancelled,
                    const Visit& visit) {
  const KeyRange range = PrefixRange(table.key_prefix());
  ScanCursor rows = table.store().Scan({.partition = table.entry().partition,
                                        .lower = range.lower,
                                        .upper = range.upper,
                                        .snapshot = snapshot,
                                        .fill_cache = false});
  constexpr uint64_t kRowsBetweenLooks = 4096;
  for (uint64_t i = 0; rows.Next(); ++i) {
    if (i % kRowsBetweenLooks == 0 && cancelled) return Status::Cancelled("The statement was cancelled");
    visit(rows.key(), rows.value().size() >= kRowHeaderSize && IsDeletedRow(rows.value()));
  }
  return rows.status();
}

ColdSegments SegmentsOfOthers(const TableImpl& table, const Manifest& manifest, const WriteSet::View& view) {
  ColdSegments segments = manifest.In(PrefixRange(table.key_prefix()));
  const auto own = NewSegmentIdsOf(table.definition().id, view);
  std::erase_if(segments, [&](const auto& segment) { return own.contains(segment->key().segment_id); });
  return segments;
}

arrow::Result<uint64_t> Remove(const TableImpl& table, const Snapshot& snapshot, bool with_hot_rows, WriteSet* writes) {
  writes->Seal();
  const WriteSet::View view = writes->GetView();
  ARROW_ASSIGN_OR_RAISE(const auto manifest, table.cold()->At(snapshot, view));
  ColdSegments segments = SegmentsOfOthers(table, *manifest, view);
  uint64_t rows = 0;
  for (const auto& segment : segments) {
    ARROW_ASSIGN_OR_RAISE(const auto dropped, segment->Dropped(snapshot, view));
    rows += segment->info().rows - dropped.cardinality();
  }
  if (segments.empty() && !with_hot_rows) return rows;
  writes->AddRun(std::make_shared<const RemovedSegments>(table.entry().partition, table.definition().id,
                                                         std::move(segments), with_hot_rows));
  return rows;
}

}  // namespace

arrow::Result<uint64_t> RemoveSegments(const TableImpl& table, const Snapshot& snapshot, WriteSet* writes) {
  return Remove(table, snapshot, /*with_hot_rows=*/false, writes);
}

arrow::Result<uint64_t> RemoveAllRows(const TableImpl& table, const Snapshot& snapshot,
                                      const std::atomic<bool>& cancelled, WriteSet* writes) {
  uint64_t hot_rows = 0, deleted = 0;
  ARROW_RETURN_NOT_OK(VisitHotRows(table, snapshot, cancelled,
                                   [&](std::string_view, bool is_deleted) { ++(is_deleted ? deleted : hot_rows); }));
  const bool by_range = hot_rows >= kLeastForRange && deleted == 0;
  ARROW_ASSIGN_OR_RAISE(const uint64_t cold_rows, Remove(table, snapshot, by_range, writes));
  if (!by_range && hot_rows > 0) {
    RunWriter rows(table, writes, /*in_files=*/hot_rows > kMostInMemory);
    Status status;
    ARROW_RETURN_NOT_OK(VisitHotRows(table, snapshot, cancelled, [&](std::string_view key, bool is_deleted) {
      if (!is_deleted && status.ok()) status = rows.Delete(key);
    }));
    ARROW_RETURN_NOT_OK(status);
    ARROW_RETURN_NOT_OK(rows.Finish());
  }
  return cold_rows + hot_rows;
}

}  // namespace yarrow
