// CompactTable: what Table::Compact, SQL's yarrow_compact and a flush that compacts run.
#pragma once

#include <arrow/result.h>

#include <memory>

#include "table/table_impl.h"
#include "yarrow/compact.h"

namespace yarrow {

// See Table::Compact. Thread-safe.
arrow::Result<CompactResult> CompactTable(const std::shared_ptr<TableImpl>& table, const CompactOptions& options);
// The same for whoever holds the table's move_mutex().
arrow::Result<CompactResult> CompactHeldTable(const std::shared_ptr<TableImpl>& table, const CompactOptions& options);

// Whether the policy has anything to merge, with the options as they are by default. A compaction looks again.
arrow::Result<bool> IsCompactionDue(const std::shared_ptr<TableImpl>& table);

}  // namespace yarrow
