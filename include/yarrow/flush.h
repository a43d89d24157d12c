// Flush: moving the rows of a table from RocksDB to Parquet segments. When many have moved, RocksDB compacts what it
// has of the table, so that their room on disk is free when the call returns, or, while older snapshots are held, soon
// after the last of them is gone.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "yarrow/tier_policy.h"

namespace yarrow {

struct FlushOptions {
  using OptimizeFor = yarrow::OptimizeFor;
  // Unset: as the table's policy says.
  std::optional<OptimizeFor> optimize_for = {};
  // A segment ends after that many rows; the next one goes on.
  int64_t max_segment_rows = kRowsPerSegment;
  // Users of a user table with fewer rows keep them in RocksDB: one file a user only pays for many rows. Unset: as the
  // table's policy says (10,000 where nothing was said).
  std::optional<int64_t> min_user_rows = {};
  // Merges segments afterwards, if the policy says so (see CompactOptions): after many flushes a lookup then still asks
  // few segments. It takes longer, then; if merging fails, that is the error, and the rows have moved all the same.
  bool compact = false;
  // Called now and then with the rows written so far; an error (arrow::Status::Cancelled, say) ends the flush. Segments
  // that were finished before stay.
  std::function<arrow::Status(int64_t rows)> on_progress = {};
};

struct FlushResult {
  int64_t rows = 0;   // that moved
  int64_t bytes = 0;  // of the files
  int64_t files = 0;
};

}  // namespace yarrow
