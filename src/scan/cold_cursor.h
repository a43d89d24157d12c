// ColdCursor: the rows of one segment that a snapshot sees, as encoded keys and rows, in key order.
//
// This is the way of exact answers to everything: rows of segments go through the same predicate, decoder and merge as
// hot ones. They are read as batches of the columns that the scan needs and encoded again.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/row_encoder.h"
#include "cold/deletion_vector.h"
#include "cold/segment_scan.h"
#include "key/key_range.h"
#include "scan/cold_pieces.h"
#include "store/write_set.h"
#include "yarrow/predicate.h"

namespace yarrow {

// What the cursors of one scan share. Immutable.
struct ColdRead {
  std::shared_ptr<const RowSchema> schema;
  std::string key_prefix;
  std::vector<int> columns;  // that are needed; others are NULL in the rows. The key's are among them
  Predicate predicate;       // lets row groups be passed over; rows are tested by whoever takes them
  bool reverse = false;
  Snapshot snapshot;
  WriteSet::View overlay;
};

// Not thread-safe.
class ColdCursor {
 public:
  // `ranges` ascend and are disjoint. REQUIRES: `read` outlives the cursor.
  ColdCursor(const ColdRead* read, const ColdPiece& piece, std::vector<KeyRange> ranges);

  // Moves to the next row, in the direction of the scan. False at the end.
  arrow::Result<bool> Advance();
  std::string_view key() const { return key_; }  // valid until Advance
  std::string_view value() const { return row_; }
  // Those that keys were looked up in count, too, also when the cache has them.
  uint64_t row_groups_read() const { return scan_ ? scan_->counts().row_groups_read : row_groups_looked_into_; }

 private:
  arrow::Result<bool> NextOfScan();
  arrow::Result<bool> NextPoint();
  void CountRowGroupOf(std::string_view key);

  const ColdRead* const read_;
  const std::shared_ptr<const ColdSegment> segment_;
  const cold::DeletionVector dropped_;
  std::vector<KeyRange> ranges_;
  const bool points_;  // every range is one key: rows are looked up, not scanned
  size_t points_done_ = 0;
  uint64_t row_groups_looked_into_ = 0;
  std::optional<size_t> row_group_;  // the last of those
  std::unique_ptr<cold::SegmentScan> scan_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  uint64_t first_row_ = 0;  // of batch_, in the segment
  int64_t next_ = 0;        // row of batch_
  RowEncoder encoder_;
  std::string key_, row_;
};

}  // namespace yarrow
