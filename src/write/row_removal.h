// How all rows of a table are removed: segments as a whole, hot rows by a range or by their keys.
#pragma once

#include <arrow/result.h>

#include <atomic>
#include <cstdint>

#include "store/write_set.h"
#include "table/table_impl.h"
#include "yarrow/store.h"

namespace yarrow {

// Each adds to the writes of a transaction and returns how many of the table's rows go: of a user's table those of the
// user. Rows that others change or add meanwhile are judged by the commit.

// The segments that the transaction sees, but for those that it has made itself.
arrow::Result<uint64_t> RemoveSegments(const TableImpl& table, const Snapshot& snapshot, WriteSet* writes);

// All rows, as the only change of a transaction that reads nothing afterwards. Rows that are soft-deleted stay.
// Cancelled when `cancelled` becomes true.
arrow::Result<uint64_t> RemoveAllRows(const TableImpl& table, const Snapshot& snapshot,
                                      const std::atomic<bool>& cancelled, WriteSet* writes);

}  // namespace yarrow
