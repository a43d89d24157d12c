// FlushTable: what Table::Flush and SQL's yarrow_flush run.
#pragma once

#include <arrow/result.h>

#include <memory>

#include "table/table_impl.h"
#include "yarrow/flush.h"

namespace yarrow {

// See Table::Flush. Has RocksDB compact what it has of those whose rows moved (the table, or users) if that takes more
// than `most_left_bytes` or is more than some rows: less is not worth the files that are written anew. While an older
// snapshot is held, that waits (MovedRows::DropDue). Thread-safe.
arrow::Result<FlushResult> FlushTable(const std::shared_ptr<TableImpl>& table, const FlushOptions& options,
                                      uint64_t most_left_bytes = 8 << 20);

}  // namespace yarrow
