// CREATE INDEX beside writers.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <memory>

#include "catalog/catalog.h"
#include "job/job.h"
#include "table/database_impl.h"

namespace yarrow {

// Makes the index of the table, of which `table` is some version, as commits of its own. The first commit says that
// there is an index, which is being built: from then on all writers keep its entries, and no reader uses it. Then the
// entries of the rows that are there, read at one snapshot for millions of them, come in pieces; an entry that a writer
// has written since is left out, and its row looked at again. The last commit says that the index is whole.
//
// Writers that began before the first commit fail with a conflict, as with every other change of the table; no writer
// conflicts with the commits after it, unless the index is unique and the writer changes a row whose entry has come
// after the writer began. An index that is not whole when the work fails, or when the database is next opened, goes.
// (PostgreSQL's CREATE INDEX CONCURRENTLY works in the same phases; there such an index stays until somebody drops it.)
//
// Rows are read in as many threads as the setting scan_threads says, about `rows_at_once` of them at one snapshot.
//
// A job, which can be cancelled, as `on_progress` can by an error. AlreadyExists, naming the values, when two rows have
// the same ones in a unique index; writers meet the entries that are there meanwhile.
arrow::Status CreateIndexOnline(const std::shared_ptr<DatabaseImpl>& database,
                                const std::shared_ptr<const TableEntry>& table, const IndexSpec& spec,
                                const OnProgress& on_progress, uint64_t rows_at_once = 4'194'304);

}  // namespace yarrow
