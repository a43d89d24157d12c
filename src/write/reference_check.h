// CheckReferences: FOREIGN KEYs, after a statement has written what it had to.
#pragma once

#include <arrow/status.h>

#include <span>

#include "store/write_set.h"
#include "table/table_impl.h"
#include "yarrow/store.h"

namespace yarrow {

// Checks what was written since the last call: each row that refers to a key meets a row that has it, and no row refers
// to a key that is gone, as the snapshot under all writes has them. So a statement may write both in any order. A
// ForeignKeyViolation otherwise.
//
// Adds marks (store/write_set.h) to the writes: the commit is a conflict when another has meanwhile removed a key that
// these rows refer to, or brought rows that refer to a key that these writes remove. Commits whose rows refer to the
// same key, or that change other columns of its row, are none. A transaction of many keys marks the whole constraint,
// and so meets all others of the other kind: the granularity of locks (Gray and others, 1976) for marks.
//
// `tables`: all that were written to. Part of each commit (write/row_commit.h); SQL calls it after each statement.
arrow::Status CheckReferences(std::span<const TableImpl* const> tables, const Snapshot& snapshot, WriteSet* writes);

// For who checks a database: the violation of the first row that refers, by this index of its table, to a key that is
// not there at the snapshot. OK: there is none.
arrow::Status FindOrphan(const TableImpl& table, const TableIndex& index, const Snapshot& snapshot);

}  // namespace yarrow
