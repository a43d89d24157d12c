// SegmentChanges: the segments that one commit brings (NewSegments), and those that it removes as a whole with or
// without all hot rows (RemovedSegments), on their way into the manifests of their tables.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "store/store_commits.h"
#include "table/table_impl.h"
#include "tier/new_segments.h"
#include "yarrow/store.h"

namespace yarrow {

// Of the commit of one transaction, for one thread.
class SegmentChanges {
 public:
  // Adds the manifest entries of new segments to the writes. Those of tables that are not among `tables` were dropped
  // since. Tables and writes outlive it; `snapshot` is the transaction's.
  SegmentChanges(std::span<const TableImpl* const> tables, const Snapshot& snapshot, WriteSet* writes);

  bool empty() const { return tables_.empty(); }
  bool removes() const;
  bool removes_hot_rows() const;
  bool IsOf(const ColdTable& table) const;

  // Adds what takes the removed segments out of their manifests, which depends on where rows lie.
  arrow::Status AddRemovals(WriteSet* writes);
  // While the commit has the places of the tables to itself. IsConflict(), naming a row, when others have changed one
  // of a removed segment since the snapshot. Who is in the way is waited for afterwards: the commit of that move may
  // wait for this one.
  arrow::Status Begin();
  // Whether that was why the commit failed, and is over.
  bool AwaitOther();
  void End(const arrow::Result<CommitResult>& committed);

  // Some of the removed segments were merged into others meanwhile, so they cannot go as a whole: their rows are
  // deleted one by one.
  arrow::Status RemoveByRow(const TableImpl& table, const ColdSegments& merged, WriteSet* writes);
  // Others have written to the tables since the snapshot, or moved rows: hot rows that were there then are deleted one
  // by one. False when none go as a whole.
  arrow::Result<bool> RemoveHotByRow(WriteSet* writes);

 private:
  struct OfTable {
    const TableImpl* table = nullptr;
    std::vector<std::shared_ptr<const NewSegments>> runs;
    ColdSegments added;
    ColdSegments removed;
    bool with_hot_rows = false;  // all of them go as well
    bool clears() const { return with_hot_rows || !removed.empty(); }
    std::map<cold::SegmentId, uint64_t> overrides;  // of removed ones, at the snapshot
    std::vector<cold::ManifestKey> deleted;         // files of removed ones
    std::optional<ColdTable::Move> move;
  };
  arrow::Status AddRemovals(OfTable* mine, WriteSet* writes) const;
  arrow::Status CheckUntouched(const OfTable& mine) const;

  const Snapshot snapshot_;
  std::list<OfTable> tables_;  // by table id, so that two commits begin their moves in the same order
  int64_t deleted_at_ = 0;
  ColdTable* in_the_way_ = nullptr;
};

// Takes back the overrides in `writes` of segments that are there no more: nobody would read or remove them.
arrow::Status DropStaleOverrides(const TableImpl& table, const ColdSegments& removed, WriteSet* writes);

}  // namespace yarrow
