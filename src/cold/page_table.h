// PageTable: the pages of a segment's file. All columns of a row group are cut into pages at the same rows, so that a
// few rows cost a page a column to read and not the row group.
//
// The footer has three texts:
//   yarrow.page_rows    rows of each page but the last of a row group, decimal
//   yarrow.page_hashes  for each row group, for each column, separated by spaces: of each page in the order of the file
//                       (the dictionary page first, where there is one) the bytes of header and body together as 8 and
//                       the Hash64 of these bytes as 16 lower-case hex digits. A nested column has the pages of its
//                       first leaf (a column of Parquet's), then those of the next, and no dictionary pages
//   yarrow.page_keys    separated by spaces: the encoded first key, in hex digits, of each page that does not begin a
//   row
//                       group; the manifest has the others
// A file without them is older: a row group is one page. Frozen: on disk. Plain values.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cold/chunk_hashes.h"
#include "cold/manifest_entry.h"

namespace yarrow::cold {

// The rows of a page, which has a part in each column.
struct SegmentPage {
  size_t row_group = 0;
  uint64_t first_row = 0;  // position in the segment
  uint64_t rows = 0;
  std::string first_key;
};

// Consecutive pages of one row group: their numbers in the segment.
struct PageRange {
  size_t begin = 0;
  size_t end = 0;
  friend bool operator==(const PageRange&, const PageRange&) = default;
};

class PageTable {
 public:
  static constexpr const char* kRowsKey = "yarrow.page_rows";
  static constexpr const char* kHashesKey = "yarrow.page_hashes";
  static constexpr const char* kKeysKey = "yarrow.page_keys";

  PageTable() = default;
  // `metadata`: of the footer; `leaves`: how many leaves each column has, 0 where it is not nested. Invalid when the
  // three texts do not fit `info` or one another.
  static arrow::Result<PageTable> Decode(const arrow::KeyValueMetadata& metadata, const SegmentInfo& info,
                                         const std::vector<int>& leaves);

  const std::vector<SegmentPage>& pages() const { return pages_; }
  size_t memory_bytes() const;
  PageRange PagesOf(size_t row_group) const { return {first_pages_[row_group], first_pages_[row_group + 1]}; }
  // The page that has the key if the segment does; nothing when none can have it.
  std::optional<size_t> Find(std::string_view key, const SegmentInfo& info) const;
  // The page that has the row. REQUIRES: position < rows of the segment.
  size_t PageAt(uint64_t position) const;

  // Whether the file is none of the older ones.
  bool has_hashes() const { return !chunks_.empty(); }
  // What to read of a column for some pages: the dictionary page if there is one, and the pages; of a nested column for
  // one of its leaves. Offsets count from the begin of the column chunk. REQUIRES: has_hashes().
  std::vector<HashedBytes> BytesOf(PageRange pages, size_t file_column, int leaf = 0) const;

 private:
  void CutIntoPages(const SegmentInfo& info, uint64_t page_rows);
  arrow::Status TakeKeys(std::string_view text);
  arrow::Status TakeHashes(std::string text);

  std::vector<SegmentPage> pages_;
  std::vector<size_t> first_pages_;  // of the row groups, and one more
  std::vector<int> leaves_;          // of each column, 0 where it is not nested
  std::string hashes_;
  // Of each column chunk: its part of hashes_. Empty: an older file.
  std::vector<std::pair<size_t, size_t>> chunks_;
};

// The texts of a file that is being written.
class PageTableWriter {
 public:
  explicit PageTableWriter(uint64_t page_rows) : page_rows_(page_rows) {}

  uint64_t page_rows() const { return page_rows_; }
  // Of a page that does not begin a row group.
  void AddKey(std::string_view key);
  // The pages of the next column chunk, which has so many rows and, when it is nested, leaves; else 0. When their
  // number is not what it must be, the file is described as an older one.
  void AddChunk(const std::vector<HashedBytes>& pages, uint64_t rows, int leaves);
  // Null: the pages are not where they should be.
  std::shared_ptr<const arrow::KeyValueMetadata> Encode() const;

 private:
  const uint64_t page_rows_;
  bool fits_ = true;
  std::string keys_;
  std::string hashes_;
};

}  // namespace yarrow::cold
