// SegmentScan: the rows of a segment within key ranges, as record batches of the table's columns as they are now.
//
// Row groups are left unread when the first keys of the manifest put them outside the ranges or their statistics make
// the predicate false for all of their rows. Of a row group that a range cuts only the pages with rows in the range are
// read; the pages at its ends are cut exactly, by binary search in their key columns. The predicate only skips row
// groups: rows still have to be tested.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cold/column_source.h"
#include "cold/segment.h"
#include "key/key_range.h"
#include "yarrow/batch.h"
#include "yarrow/predicate.h"

namespace yarrow::cold {

struct SegmentScanOptions {
  std::vector<int> columns;      // positions in the table's columns, in output order; may be none
  std::string key_prefix;        // what the keys of the segment's rows start with
  std::vector<KeyRange> ranges;  // of whole keys, normalized; KeyRange{} is all
  Predicate predicate;           // columns by position in the table's columns
  bool reverse = false;          // the last batch first; rows within a batch ascend nevertheless
  int64_t batch_rows = kBatchRows;
};

struct SegmentScanCounts {
  uint64_t row_groups_read = 0;
  uint64_t row_groups_out_of_range = 0;  // no key of theirs is in a range
  uint64_t row_groups_ruled_out = 0;     // by statistics
  uint64_t rows = 0;                     // in batches
  uint64_t bytes_read = 0;               // of the file
};

struct SegmentBatch {
  std::shared_ptr<arrow::RecordBatch> batch;
  uint64_t first_row = 0;  // position in the segment; the others follow it without gaps
};

// One a thread; not thread-safe. Keeps the segment open. Memory: the wanted columns of one row group. Who takes few
// rows pays for few: the first page of a scan is read by itself.
class SegmentScan {
 public:
  static arrow::Result<std::unique_ptr<SegmentScan>> Make(std::shared_ptr<const Segment> segment,
                                                          std::shared_ptr<const RowSchema> row_schema,
                                                          SegmentScanOptions options);

  // Nothing at the end. Errors name the file; the scan is over then.
  arrow::Result<std::optional<SegmentBatch>> Next();

  const SegmentScanCounts& counts() const { return counts_; }
  const std::shared_ptr<arrow::Schema>& schema() const { return source_.schema(); }
  // Rows that Next will give at most, from the manifest: those of the row groups that are left.
  uint64_t rows_at_most() const;

 private:
  // Rows [begin, end) of the pages at hand.
  struct Interval {
    int64_t begin;
    int64_t end;
  };

  SegmentScan(std::shared_ptr<const Segment> segment, ColumnSource source, SegmentScanOptions options);
  arrow::Status SelectRowGroups();
  arrow::Result<bool> IsRuledOut(size_t row_group) const;
  void AddPages(size_t row_group);
  void CutOffFirstPage();
  KeyRange KeysOf(PageRange pages) const;
  bool IsWholeInRange(PageRange pages) const;
  arrow::Status OpenPages(PageRange pages);
  arrow::Status CutIntervals(PageRange pages, const std::vector<std::shared_ptr<arrow::Array>>& key_columns);
  void AddInterval(int64_t begin, int64_t end);
  SegmentBatch Slice(const Interval& interval) const;

  const std::shared_ptr<const Segment> segment_;
  const ColumnSource source_;
  const SegmentScanOptions options_;
  std::vector<PageRange> pages_;                        // left, the next ones last
  std::vector<Interval> intervals_;                     // left of the pages at hand, the next one last
  std::vector<std::shared_ptr<arrow::Array>> columns_;  // of the pages at hand
  uint64_t first_row_ = 0;                              // of the pages at hand
  std::optional<size_t> row_group_;                     // of the pages at hand
  SegmentScanCounts counts_;
};

}  // namespace yarrow::cold
