// TieredCursor: hot rows and those of segments as one sequence, in key order.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scan/cold_cursor.h"
#include "scan/piece_merge.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

// Has what RowWalker wants of a cursor. Keys of its sources are disjoint. Not thread-safe.
class TieredCursor {
 public:
  // `hot` reads the same ranges at the same snapshot as what `read` says of the pieces. `ranges` ascend.
  TieredCursor(ScanCursor hot, std::unique_ptr<const ColdRead> read, std::vector<ColdPiece> pieces,
               std::vector<KeyRange> ranges);

  bool Next();
  std::string_view key() const { return key_; }  // valid until Next or ResetRange
  std::string_view value() const { return value_; }
  // Goes on with another of the ranges, which come in the order of the scan.
  void ResetRange(std::string_view lower, std::string_view upper);

  const arrow::Status& status() const { return status_; }
  uint64_t rows_visited() const { return rows_visited_; }
  uint64_t bytes_visited() const { return bytes_visited_; }
  uint64_t row_groups_read() const { return cold_.row_groups_read(); }

 private:
  enum class Given : uint8_t { kNone, kHot, kCold };

  bool IsBefore(std::string_view a, std::string_view b) const { return read_->reverse ? a > b : a < b; }
  bool IsInRange(std::string_view key) const { return read_->reverse ? key >= lower_ : upper_.empty() || key < upper_; }
  arrow::Result<Given> FindNext();
  arrow::Status Leave();

  ScanCursor hot_;
  const std::unique_ptr<const ColdRead> read_;
  PieceMerge<ColdCursor> cold_;
  std::string lower_, upper_;  // of the range at hand
  bool hot_has_row_ = false;   // the cursor stands on a row that was not given out yet
  bool is_started_ = false;
  Given given_ = Given::kNone;  // whose row was given out last
  std::string_view key_, value_;
  uint64_t rows_visited_ = 0, bytes_visited_ = 0;
  arrow::Status status_;
};

}  // namespace yarrow
