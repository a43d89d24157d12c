// How segments use Parquet: encodings, compression, statistics. Pure functions, thread-safe.
#pragma once

#include <arrow/type_fwd.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cold/manifest_entry.h"
#include "row/row_schema.h"

namespace yarrow::cold {

// Rows of a row group but the last, unless their bytes reach kMaxRowGroupBytes before. A row group is the unit of
// pruning.
inline constexpr int64_t kScanRowGroupRows = 122'880;
inline constexpr int64_t kLookupRowGroupRows = 30'720;
// Of values and texts; a row group ends with the row that reaches it.
inline constexpr uint64_t kMaxRowGroupBytes = 32 << 20;

// Rows of a page but the last of a row group. A page is the unit of unpacking: small ones cost scans time.
inline constexpr int64_t kScanPageRows = 20'480;
inline constexpr int64_t kLookupPageRows = 4096;

inline int64_t RowsOfPage(SegmentLayout layout) {
  return layout == SegmentLayout::kLookup ? kLookupPageRows : kScanPageRows;
}

inline int64_t MostRowGroupRows(SegmentLayout layout) {
  return layout == SegmentLayout::kLookup ? kLookupRowGroupRows : kScanRowGroupRows;
}

// Whether a column with these values (those of the first row group) has few enough distinct ones for a dictionary to be
// smaller than the encoding it would have else.
bool SuitsDictionary(const arrow::Array& values, const ColumnType& type);

// Everything that decides bytes, but the rows. `with_dictionary`: one a column.
std::shared_ptr<parquet::WriterProperties> SegmentWriterProperties(const RowSchema& row_schema, SegmentLayout layout,
                                                                   const std::vector<bool>& with_dictionary);
std::shared_ptr<parquet::ArrowWriterProperties> SegmentArrowWriterProperties();

// What the footer says of one column chunk; nothing when it does not even count NULLs. `type` is the column's when the
// segment was written. NaNs are not told there: has_nan stays false. May throw what Parquet throws.
std::optional<ColumnStatistics> ChunkStatistics(const parquet::ColumnChunkMetaData& chunk, uint32_t column_id,
                                                const ColumnType& type);

}  // namespace yarrow::cold
