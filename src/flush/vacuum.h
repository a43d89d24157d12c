// VACUUM: gives back the room of rows that nobody sees any more, in both tiers.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "table/table_impl.h"

namespace yarrow {

// Merges the segments of the table that are due (CompactTable), removes the files of segments that nobody needs (as
// Database::RemoveDeletedFiles), and has RocksDB write what it has of the table anew without what was deleted. Of a
// user table: of all users. What a snapshot from before `sequence` keeps RocksDB from dropping waits for that snapshot
// (MovedRows). `on_progress`, if there is one, is asked now and then: its error ends the vacuum. Thread-safe.
arrow::Status VacuumTable(const std::shared_ptr<TableImpl>& table, uint64_t sequence,
                          const OnProgress& on_progress = {});

// The same of all of these tables, and of what dropped tables have left in RocksDB.
arrow::Status VacuumTables(DatabaseImpl* database, const std::vector<std::shared_ptr<TableImpl>>& tables,
                           uint64_t sequence, const OnProgress& on_progress = {});

}  // namespace yarrow
