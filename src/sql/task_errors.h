// The errors of queries whose rows are on their way.
//
// A task that fails stops the other tasks of its query by the flag that also cancels the query. The thread that fetches
// the rows may see that flag before the error: DuckDB then reports "Interrupted!", and drops the error with the query.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// Call this once a query has given a stream of rows, in the thread that fetches them: when the query ends, the error of
// its first task that failed replaces the interruption. Does nothing when no query runs.
void KeepTaskErrors(duckdb::ClientContext& context);

}  // namespace yarrow::sql
