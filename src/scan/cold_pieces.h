// ColdPieces: what a scan reads of a table's segments, found once a scan.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "cold/deletion_vector.h"
#include "scan/scan_plan.h"
#include "tier/cold_table.h"

namespace yarrow {

struct ColdPiece {
  std::shared_ptr<const ColdSegment> segment;
  cold::DeletionVector dropped;  // positions of rows that are there no more; empty when single keys are read
};

// What a lookup in segments is worth: it reads a page or two of each column.
inline constexpr uint64_t kColdRowsALookup = 16'384;

// Immutable once found.
struct ColdPieces {
  std::vector<ColdPiece> pieces;  // segments that may have rows of the plan, by segment id
  uint64_t segments = 0;          // of the part's rows, at that snapshot
  uint64_t row_groups = 0;        // of all of those
  // The rows are looked up by their keys, one by one: nobody asks which others were dropped.
  bool are_looked_up = false;

  uint64_t rows() const;  // that are there, without any predicate
  // Those that may have keys in [lower, upper); an empty upper is open.
  std::vector<ColdPiece> In(std::string_view lower, std::string_view upper) const;
};

// Every range is one key.
bool AreSingleKeys(const std::vector<KeyRange>& ranges);

// Leaves out the segments whose keys are outside of the plan's ranges, whose statistics say that no row passes its
// predicate, and those of which all rows were dropped. REQUIRES: a snapshot, and a plan over a table with segments.
arrow::Result<ColdPieces> FindColdPieces(const ScanPlan& plan, const Snapshot& snapshot);

}  // namespace yarrow
