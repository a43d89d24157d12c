// ManifestEntry: what the manifest of a table says of one segment: enough to skip it, to find keys in it and to know
// that its file is whole.
//
// The stored form is described byte by byte in docs/architecture.md. Frozen: on disk. Plain values; functions are pure
// and thread-safe.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cold/column_statistics.h"
#include "cold/segment_key.h"
#include "cold/sha256.h"

namespace yarrow::cold {

// Stored: never renumber.
enum class SegmentLayout : uint8_t {
  kScan = 1,    // large row groups, zstd
  kLookup = 2,  // small row groups, lz4: less to unpack for one row
};

struct RowGroupInfo {
  std::string first_key;
  uint64_t first_row = 0;  // position in the segment
  uint64_t rows = 0;
  friend bool operator==(const RowGroupInfo&, const RowGroupInfo&) = default;
};

// What SegmentWriter tells of the file it wrote. Keys are whole encoded keys of rows.
struct SegmentInfo {
  uint32_t schema_version = 0;  // of the table, when the segment was written
  SegmentLayout layout = SegmentLayout::kScan;
  uint64_t rows = 0;
  uint64_t bytes = 0;                    // of the file
  Sha256Digest sha256{};                 // of the file
  uint32_t footer_bytes = 0;             // from the end of the last column chunk to the end of the file
  uint64_t footer_hash = 0;              // Hash64 of them
  std::vector<RowGroupInfo> row_groups;  // at least one, in key order
  std::string last_key;
  std::vector<ColumnStatistics> columns;  // one a column of the file, in its order

  const std::string& first_key() const { return row_groups.front().first_key; }
  // The row group that has the key if the segment does; nothing when none can have it.
  std::optional<size_t> FindRowGroup(std::string_view key) const;
  // Null for a column that the file does not have.
  const ColumnStatistics* FindColumn(uint32_t column_id) const;
};

struct ManifestEntry {
  SegmentId segment_id = 0;
  uint32_t level = 0;  // of compaction; 0: as flushed
  SegmentInfo info;
};

std::string EncodeManifestEntry(const ManifestEntry& entry);
// Invalid, naming the segment, for bytes that are damaged or of a newer version.
arrow::Result<ManifestEntry> DecodeManifestEntry(SegmentId segment_id, std::string_view stored);

}  // namespace yarrow::cold
