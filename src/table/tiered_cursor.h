// TieredCursor: hot rows and those of segments as one sequence, in key order.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "table/cold_cursor.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

// Has what RowWalker wants of a cursor. Keys of its sources are disjoint. Not thread-safe.
class TieredCursor {
 public:
  // `hot` and `cold` read the same ranges at the same snapshot; `read` is what the cold ones share.
  TieredCursor(ScanCursor hot, std::unique_ptr<const ColdRead> read, std::vector<std::unique_ptr<ColdCursor>> cold);

  bool Next();
  std::string_view key() const { return key_; }  // valid until Next or ResetRange
  std::string_view value() const { return value_; }
  // Goes on with another of the ranges, which come in the order of the scan.
  void ResetRange(std::string_view lower, std::string_view upper);

  const arrow::Status& status() const { return status_; }
  uint64_t rows_visited() const { return rows_visited_; }
  uint64_t bytes_visited() const { return bytes_visited_; }
  uint64_t row_groups_read() const;

 private:
  static constexpr size_t kNone = SIZE_MAX;
  static constexpr size_t kHot = SIZE_MAX - 1;

  bool IsBefore(std::string_view a, std::string_view b) const { return read_->reverse ? a > b : a < b; }
  bool IsInRange(std::string_view key) const { return read_->reverse ? key >= lower_ : upper_.empty() || key < upper_; }
  bool Fail(const arrow::Status& status);
  bool AdvanceHot();
  bool AdvanceCold(size_t i);
  bool MayHaveNext(const ColdCursor& cursor) const;
  void Consider(size_t i);

  ScanCursor hot_;
  std::unique_ptr<const ColdRead> read_;
  std::vector<std::unique_ptr<ColdCursor>> cold_;  // in the order of their first keys in the direction of the scan
  size_t begun_ = 0;                               // so many of them; the others when it is their turn
  std::string lower_, upper_;                      // of the range at hand
  bool hot_has_row_ = false;                       // the cursor stands on a row that was not given out yet
  std::vector<bool> has_row_;                      // the same of cold_
  bool is_started_ = false;
  size_t given_ = kNone;  // whose row was given out last
  std::string_view key_, value_;
  uint64_t rows_visited_ = 0, bytes_visited_ = 0;
  arrow::Status status_;
};

}  // namespace yarrow
