// SegmentCompaction: one merge of some segments of one reader (a shared table, or one user of a user table).
//
//   1. record overrides that are written from now on, then take a snapshot S
//   2. stream the rows that the segments have at S into new files, in key order; sync files and folder
//   3. for the overrides written since S: find where the new segments have those rows
//   4. wait for commits to the table that are in flight, hold new ones back; look again at overrides written since 3;
//   in
//      one synced batch put the new manifest entries, key filters and overrides, remove the old ones, and record the
//      old files as deleted
//
// So writers wait for one synced write, readers for nothing. The design is that of docs/architecture.md, "Compaction".
// Memory: that of SegmentMerge, and 10 bits for each row that is written, for the key filters.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cold/segment_lookup.h"
#include "cold/segment_writer.h"
#include "flush/change_recorder.h"
#include "flush/segment_merge.h"
#include "store/write_set.h"
#include "table/table_impl.h"
#include "yarrow/compact.h"

namespace yarrow::flush {

cold::SegmentLayout LayoutOf(FlushOptions::OptimizeFor optimize_for);

// Runs once, in one thread. REQUIRES: the table's move_mutex() is held.
class SegmentCompaction {
 public:
  // `inputs`: of the table's present manifest. `level`: of what they become.
  SegmentCompaction(std::shared_ptr<const TableImpl> table, const CompactOptions& options, ColdSegments inputs,
                    uint32_t level);

  // Changes nothing if it ends with an error, or meanwhile all rows of an input were deleted.
  arrow::Status Run();
  int64_t rows() const { return rows_; }    // written
  int64_t bytes() const { return bytes_; }  // of the files written

 private:
  struct Output {
    cold::ManifestKey key;
    cold::WrittenSegment written;
    std::shared_ptr<const ColdSegment> segment;         // once it is being committed
    std::shared_ptr<const cold::SegmentLookup> lookup;  // once it is asked for
  };

  arrow::Status Merge();
  arrow::Result<std::unique_ptr<cold::SegmentWriter>> OpenOutput(cold::ManifestKey* key);
  arrow::Status FinishOutput(const cold::ManifestKey& key, cold::SegmentWriter* writer);
  cold::SegmentLayout Layout() const;
  arrow::Status Prepare();
  arrow::Status FindOverrides();
  arrow::Status ReadOverride(const std::string& key);
  arrow::Result<std::string> FindCarried(const ColdPiece& input, uint64_t position);
  arrow::Status Commit();
  arrow::Status AddWrites(int64_t now, WriteSet* writes) const;
  arrow::Status RemoveOutputs();

  // An override that was written since the snapshot.
  struct Override {
    std::string carried;    // the key of the same in the new segments; empty: they do not have the row
    bool is_there = false;  // its commit has succeeded
  };

  const std::shared_ptr<const TableImpl> table_;
  const CompactOptions options_;
  const uint32_t level_;
  const ColdSegments inputs_;
  std::unique_ptr<ChangeRecorder> recorder_;
  Snapshot snapshot_;
  uint64_t searched_at_ = 0;       // overrides of large writes are in overrides_ up to this sequence
  std::vector<ColdPiece> pieces_;  // the inputs at the snapshot
  std::vector<Output> outputs_;    // by key
  std::map<std::string, Override> overrides_;
  cold::PageCache pages_;  // of lookups for overrides_
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  bool is_committing_ = false;
  bool is_committed_ = false;
};

}  // namespace yarrow::flush
