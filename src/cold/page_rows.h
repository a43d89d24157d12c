// PageRows: the rows of one page for whoever comes to many of them: what is the same for all is done once.
//
// Keys that ascend are found near the one before, rows are encoded from the decoded columns.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "batch/row_encoder.h"
#include "cold/row_keys.h"
#include "cold/segment_lookup.h"

namespace yarrow::cold {

// Keeps the segment open and the columns that it came to in memory. Not thread-safe. Errors name the file.
class PageRows {
 public:
  // `lookup`: with all columns of the schema. Reads the key columns.
  static arrow::Result<std::unique_ptr<PageRows>> Make(std::shared_ptr<const SegmentLookup> lookup, size_t page);

  const std::shared_ptr<const SegmentLookup>& lookup() const { return lookup_; }

  // The position in the segment of the row with this whole key; nothing when the page has none.
  arrow::Result<std::optional<uint64_t>> Find(std::string_view key);
  // The row at a position that Find gave, as the table's current version has it; reads all columns at the first call.
  arrow::Status Read(uint64_t position, std::string* key, std::string* row);

 private:
  PageRows(std::shared_ptr<const SegmentLookup> lookup, size_t page, RowKeys keys);

  const std::shared_ptr<const SegmentLookup> lookup_;
  const size_t page_;
  const uint64_t first_row_;
  const RowKeys keys_;
  int64_t next_ = 0;      // the rows before are not above last_key_
  std::string last_key_;  // that was asked for
  std::string found_key_;
  std::shared_ptr<arrow::RecordBatch> rows_;  // null: not read yet
  std::optional<RowEncoder> encoder_;         // bound to rows_
};

}  // namespace yarrow::cold
