// SegmentLookup: single rows of a segment, by key and by position, through a cache of decoded pages.
//
// A first visit unpacks the page of each wanted column that has the row; later ones find the pages in the cache and
// take microseconds.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cold/column_source.h"
#include "cold/page_cache.h"
#include "cold/row_keys.h"
#include "cold/segment.h"

namespace yarrow::cold {

// Immutable but for the cache, thread-safe. Keeps the segment open; the cache must outlive it. Errors name the file.
class SegmentLookup {
 public:
  // `columns`: positions in the table's columns that rows are read with, in output order. `key_prefix`: what the keys
  // of the segment's rows start with.
  static arrow::Result<std::shared_ptr<const SegmentLookup>> Make(std::shared_ptr<const Segment> segment,
                                                                  std::shared_ptr<const RowSchema> row_schema,
                                                                  std::string key_prefix, std::vector<int> columns,
                                                                  PageCache* cache);

  // The position of the row with this whole key; nothing when the segment has none. Asks first keys, then reads the key
  // columns of one page.
  arrow::Result<std::optional<uint64_t>> Find(std::string_view key) const;

  // The keys of the rows of one page (a number of Segment::pages), and the rows.
  arrow::Result<RowKeys> ReadKeys(size_t page) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadPage(size_t page) const;

  // The rows at `positions`, in their order, repetitions included. Cheapest when those of one page are neighbours.
  // IndexError for a position that no row has.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(std::span<const uint64_t> positions) const;
  // One row, as values in the order of the columns.
  arrow::Result<std::vector<Value>> ReadRow(uint64_t position) const;
  // The whole key of the row at `position`.
  arrow::Result<std::string> ReadKey(uint64_t position) const;

  const std::shared_ptr<arrow::Schema>& schema() const { return source_.schema(); }
  const std::shared_ptr<const Segment>& segment() const { return segment_; }
  const std::shared_ptr<const RowSchema>& row_schema() const { return source_.row_schema(); }
  const std::string& key_prefix() const { return key_prefix_; }

 private:
  SegmentLookup(std::shared_ptr<const Segment> segment, ColumnSource source, std::string key_prefix, PageCache* cache);
  // With these columns of the file, and maybe others.
  arrow::Result<std::shared_ptr<const DecodedPage>> Page(size_t number, const std::vector<int>& file_columns) const;
  arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> Columns(size_t number,
                                                                    const std::vector<int>& file_columns) const;
  arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> TakeRows(size_t page,
                                                                     std::span<const uint64_t> positions) const;
  arrow::Status CheckPosition(uint64_t position) const;

  const std::shared_ptr<const Segment> segment_;
  const ColumnSource source_;
  const std::string key_prefix_;
  PageCache* const cache_;
};

}  // namespace yarrow::cold
