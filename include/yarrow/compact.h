// Compaction: merging the segments of a table.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "yarrow/flush.h"
#include "yarrow/tier_policy.h"

namespace yarrow {

struct CompactOptions {
  // All segments become one sequence of full ones without overridden rows, whatever the policy says. Otherwise only
  // those are merged that the policy names: four or more that are small or have the same keys among theirs, and those
  // of which a quarter of the rows was overridden.
  bool full = false;
  // What the new segments are laid out for. Unset: as most of their rows are laid out now.
  std::optional<FlushOptions::OptimizeFor> optimize_for = {};
  // A segment ends after that many rows; the next one goes on.
  int64_t max_segment_rows = kRowsPerSegment;
  // Called now and then with the rows written so far; an error (arrow::Status::Cancelled, say) ends the compaction.
  // Merges that were finished before stay.
  std::function<arrow::Status(int64_t rows)> on_progress = {};
};

struct CompactResult {
  int64_t rows = 0;          // that were written anew; more than the table has, if some were merged twice
  int64_t bytes = 0;         // of the files that were written
  int64_t files_before = 0;  // of the table
  int64_t files_after = 0;
};

}  // namespace yarrow
