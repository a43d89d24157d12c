// Manifest: the segments of a table from one commit on, as that commit has left them.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "key/key_range.h"
#include "row/row_schema.h"
#include "tier/cold_segment.h"
#include "tier/segment_index.h"

namespace yarrow {

// What one commit changes of a manifest.
struct ManifestEdit {
  ColdSegments added;
  ColdSegments removed;
  // Rows were deleted without a word about their keys: those of the removed segments, or hot ones. Else all rows of the
  // removed segments are in the added ones.
  bool clears = false;
};

// Immutable. Versions share what they have in common.
struct Manifest {
  static constexpr uint64_t kUnknownVersion = UINT64_MAX;

  uint64_t number = 0;  // how many edits led to it since the table was opened
  uint64_t since = 0;   // sequence of its commit
  // Of ColdTable::places() from then on; not known of one whose commit is under way. A writer that names another
  // version than the present one has to look its keys up again.
  uint64_t places_version = kUnknownVersion;
  SegmentIndex index;

  // Those that may have a key in the range, by first keys; KeyRange{}: all.
  ColdSegments In(const KeyRange& range = {}) const;
  // Of a user table, those with segments, sorted.
  std::vector<std::string> Users() const;
};

// A row in a segment.
struct ColdPlace {
  std::shared_ptr<const ColdSegment> segment;
  uint64_t position = 0;
};
// The place of the row with this whole key that is not dropped. Several segments may have had the key one after the
// other; all but one of their rows are dropped. `find` looks the key up in a segment whose key filter lets it pass.
using FindPosition = arrow::Result<std::optional<uint64_t>>(const ColdSegment& segment);
using IsDropped = arrow::Result<bool>(const ColdPlace& place);
arrow::Result<std::optional<ColdPlace>> FindColdRow(const SegmentIndex& segments, std::string_view key,
                                                    const std::function<FindPosition>& find,
                                                    const std::function<IsDropped>& is_dropped);
arrow::Result<std::optional<ColdPlace>> FindColdRow(const SegmentIndex& segments,
                                                    const std::shared_ptr<const RowSchema>& schema,
                                                    const std::string& key_prefix, std::string_view key,
                                                    const std::function<IsDropped>& is_dropped);

}  // namespace yarrow
