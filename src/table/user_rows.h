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

class TableImpl;

// The users with at least that many hot rows at the snapshot (null: now), in the order of their keys. Looks at no more
// rows of a user than it takes to know.
arrow::Result<std::vector<std::string>> UsersWithRows(const TableEntry& entry, const Store& store, Snapshot snapshot,
                                                      int64_t min_rows);

// The users with at least that many hot rows (not set: whatever they have) or, unless it is null, with segments in the
// manifest.
arrow::Result<std::set<std::string>> UsersOf(const TableEntry& entry, const Store& store, const Snapshot& snapshot,
                                             std::optional<int64_t> hot_rows, const Manifest* manifest);

// The users whose rows make up all rows that the session of `table` sees at the snapshot: of a user table all of them
// and its own, which may have written the first just now; of others one, whoever it is.
arrow::Result<std::set<std::string>> PartsOf(const TableImpl& table, const Snapshot& snapshot);

}  // namespace yarrow
