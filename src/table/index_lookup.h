// Which rows a scan looks up through an index, in the place of reading its key ranges.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "scan/scan_plan.h"
#include "table/table_impl.h"
#include "yarrow/predicate.h"
#include "yarrow/snapshot.h"

namespace yarrow {

// Reading so many cold rows takes about as long as the entry of an index that says all of its row.
inline constexpr uint64_t kColdRowsAnEntry = 64;

// The first rows that a scan is asked for: by these columns in turn, all ascending or all descending.
struct IndexOrder {
  std::vector<int> columns;  // positions, and numbers of expressions (row/index_keys.h)
  bool descending = false;
  bool nulls_first = false;
  bool both_ends = false;  // the last ones, too, NULLs aside
  int64_t rows = 0;        // of each end; whoever takes them needs no more
};

// What whoever scans knows beside the plan's predicate.
struct IndexUse {
  const IndexOrder* order = nullptr;
  // True for all rows that are wanted, and tested by nobody here. It may name expressions of indexes by number
  // (row/index_keys.h).
  Predicate known = Predicate::True();
};

// The plan, or one like it that reads the rows alone which an index names for the plan's predicate and `use` at the
// snapshot, which must not be null: where to look them up costs less than to read the ranges. Entries are read to find
// out, in number about what the lookups may be.
arrow::Result<std::shared_ptr<const ScanPlan>> UseIndex(const TableImpl& table, std::shared_ptr<const ScanPlan> plan,
                                                        const Snapshot& snapshot, const IndexUse& use = {});

}  // namespace yarrow
