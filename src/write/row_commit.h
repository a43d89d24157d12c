// CommitRows: how the writes of a transaction become one commit, wherever the rows lie by then.
#pragma once

#include <arrow/status.h>

#include <functional>
#include <memory>
#include <span>

#include "store/store_commits.h"
#include "table/table_impl.h"
#include "yarrow/store.h"

namespace yarrow {

// Commits `writes`, which were planned at the token's snapshot, by calling `commit` with options that name the token
// and the guards of `tables`, which are all that were written to. When rows of a table were moved to segments
// meanwhile, its written keys are looked up there, and what is found is overridden in the same commit; so a move never
// makes a transaction fail. Segments among the writes (NewSegments) become part of their tables with it. Errors are
// those of `commit`.
using CommitWrites = arrow::Result<CommitResult>(const CommitOptions& options);
arrow::Status CommitRows(WriteSet* writes, std::span<const TableImpl* const> tables, WriteTransactionToken* token,
                         const std::function<CommitWrites>& commit);

// A blind write of one row.
arrow::Status CommitRow(const TableImpl& table, std::string_view key, std::string_view row);

}  // namespace yarrow
