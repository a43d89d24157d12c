// SegmentFlush: moves one reader's hot rows (a shared table's, or one user's) to segments.
//
//   1. record changed keys from now on, then take a snapshot S
//   2. stream the rows of S into a Parquet file, up to the size of a segment; sync file and folder
//   3. prepare the commit: what to put back of rows changed since S, where the segment has their old versions
//   4. close the range: commits in flight there end, new ones wait; look again at keys changed since 3; in one synced
//      batch write the manifest entry, remove the hot rows, put the changed rows back, override their old versions
//
// So writers wait for one synced write, readers for nothing. The design is that of docs/architecture.md, "Flush".
#pragma once

#include <arrow/result.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "cold/segment_writer.h"
#include "flush/change_recorder.h"
#include "scan/piece_scanner.h"
#include "store/write_set.h"
#include "table/table_impl.h"
#include "yarrow/flush.h"

namespace yarrow::flush {

// Runs once, in one thread. One flush of a table at a time (FlushTable sees to that).
class SegmentFlush {
 public:
  SegmentFlush(std::shared_ptr<const TableImpl> table, const FlushOptions& options);

  // What moved, also when it ends with an error.
  const FlushResult& result() const { return result_; }
  // Of the last commit that moved rows.
  uint64_t moved_at() const { return moved_at_; }
  arrow::Status Run();

 private:
  // One piece: steps 2 to 4. kDisturbed: large writes changed too much of it, or too often.
  enum class Piece { kMoved, kNoRows, kDisturbed };
  arrow::Result<Piece> MovePiece();
  arrow::Result<std::optional<cold::WrittenSegment>> WriteSegment(const cold::ManifestKey& key);
  arrow::Status Prepare(const cold::SegmentLookup& lookup);
  arrow::Status FindChanges();
  arrow::Status Disturbed();
  arrow::Status ReadChange(const cold::SegmentLookup& lookup, const std::string& key);
  arrow::Status Move(const cold::ManifestKey& key, const cold::WrittenSegment& written);
  arrow::Status Commit(const cold::ManifestKey& key, const cold::WrittenSegment& written,
                       const cold::SegmentLookup& lookup);
  arrow::Status NoteKeysOfFew(const cold::WrittenSegment& written);
  // The hot rows that are left.
  void AddRows(const cold::ManifestKey& key, WriteSet* writes) const;
  void RemoveHotRows(WriteSet* writes) const;
  arrow::Status StartAt(std::string lower);
  arrow::Status LetMemoryGo(const cold::WrittenSegment& written);

  // A key that was written since the snapshot.
  struct Change {
    std::optional<std::string> row;    // its hot row now
    std::optional<uint64_t> position;  // of its old row in the segment
  };

  const std::shared_ptr<const TableImpl> table_;
  const FlushOptions options_;
  const KeyRange all_;
  FlushResult result_;

  std::string next_key_;  // where the rows begin that are still to move
  std::unique_ptr<ChangeRecorder> recorder_;
  Snapshot snapshot_;
  std::unique_ptr<PieceScanner> scanner_;  // null: to be started at next_key_
  ScanCounters counters_;
  std::atomic<bool> cancelled_{false};
  std::vector<std::string> deleted_;            // soft-deleted rows, which stay where they are
  std::set<std::string, std::less<>> changed_;  // keys written since the snapshot, of pieces that are still to come
  KeyRange range_;                              // of the piece at hand
  std::vector<std::string> keys_;               // of its rows in the snapshot, when they are few
  std::map<std::string, Change> changes_;       // in range_
  uint64_t searched_at_ = 0;                    // changes that name no keys are in changes_ up to this sequence
  uint64_t moved_at_ = 0;
  uint64_t filter_bytes_ = 0;  // in the memtable, at most
  bool is_moved_ = false;      // the piece's commit succeeded
  bool is_touched_ = false;    // a large write came before the piece's commit had it to itself
  bool is_disturbed_ = false;
};

}  // namespace yarrow::flush
