// Who has rows in a user table.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "tier/manifest.h"
#include "yarrow/store.h"

namespace yarrow {

// The users with at least that many hot rows at the snapshot (null: now), in the order of their keys. Looks at no more
// rows of a user than it takes to know.
arrow::Result<std::vector<std::string>> UsersWithRows(const TableEntry& entry, const Store& store, Snapshot snapshot,
                                                      int64_t min_rows);

// The users with at least that many hot rows (not set: whatever they have) or, unless it is null, with segments in the
// manifest.
arrow::Result<std::set<std::string>> UsersOf(const TableEntry& entry, const Store& store, const Snapshot& snapshot,
                                             std::optional<int64_t> hot_rows, const Manifest* manifest);

}  // namespace yarrow
