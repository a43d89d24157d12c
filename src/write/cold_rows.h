// ColdRows: the rows of segments that a statement names by their keys, one after the other.
//
// The first row of a page is looked up like any single one. Whoever comes back to the page is a statement
// over many rows: its columns are bound once, and keys that come in order are found next to the one before. The same
// holds for the overrides of a segment.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cold/deletion_vector.h"
#include "cold/page_rows.h"
#include "store/write_set.h"
#include "table/table_impl.h"
#include "tier/cold_table.h"
#include "yarrow/store.h"

namespace yarrow {

// What one reader sees of one table at a snapshot, with its own writes. Not thread-safe. Table, snapshot and writes
// outlive it.
class ColdRows {
 public:
  // `writes` may grow meanwhile: the rows that they drop are not found.
  ColdRows(const TableImpl& table, const Snapshot& snapshot, WriteSet* writes)
      : table_(table), snapshot_(snapshot), writes_(writes) {}
  ColdRows(const TableImpl& table, const Snapshot& snapshot, WriteSet::View overlay)
      : table_(table), snapshot_(snapshot), overlay_(std::move(overlay)) {}

  const TableImpl& table() const { return table_; }
  // The row with this whole key, if a segment has it and it was not dropped.
  arrow::Result<std::optional<ColdPlace>> Find(std::string_view key);
  // The encoded row at a place that Find gave last; valid until the next call.
  arrow::Result<std::string_view> Read(const ColdPlace& place);

 private:
  // Pages that are bound at a time: several segments may have rows of one stretch of keys.
  static constexpr size_t kMostPages = 8;
  // Lookups after which one that nobody came back to makes room.
  static constexpr uint64_t kFewLookupsElsewhere = 64;
  // Lookups in a segment after which all of its overrides are read at once.
  static constexpr uint64_t kFewLookups = 32;

  struct Visited {
    std::optional<size_t> page;                // the last one
    std::unique_ptr<cold::PageRows> rows;      // of it, if it was visited more than once
    std::list<cold::SegmentId>::iterator use;  // in used_, if there are rows
    uint64_t last_use = 0;                     // of lookups_
    uint64_t lookups = 0;
    std::optional<cold::DeletionVector> dropped;  // without what writes_ drop
    // Of the last key that was looked up by itself: who reads the row needs it again.
    std::shared_ptr<const cold::SegmentLookup> lookup;
  };

  arrow::Status FindManifest();
  // In the segment that had the row before.
  arrow::Result<std::optional<ColdPlace>> FindInLast(std::string_view key);
  arrow::Result<std::optional<uint64_t>> FindPosition(const ColdSegment& segment, std::string_view key);
  arrow::Result<bool> IsDropped(const ColdPlace& place);
  bool MakeRoom();
  arrow::Status Bind(cold::SegmentId id, std::shared_ptr<const cold::SegmentLookup> lookup, Visited* visited);
  void Unbind(Visited* visited);

  const TableImpl& table_;
  const Snapshot& snapshot_;
  WriteSet* writes_ = nullptr;
  WriteSet::View overlay_;
  std::shared_ptr<const Manifest> manifest_;  // at the snapshot, with those of the writes; null: there are none
  std::shared_ptr<const ColdSegment> last_;   // that had the row before; null: none, or it was not found
  std::optional<size_t> external_runs_;       // that the writes had when it was asked for
  std::map<cold::SegmentId, Visited> visited_;
  std::list<cold::SegmentId> used_;  // those with rows, the last used first
  uint64_t lookups_ = 0;
  std::string key_, row_;  // what Read returned
};

}  // namespace yarrow
