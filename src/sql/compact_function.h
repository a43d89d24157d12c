// The table function yarrow_compact.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// CALL yarrow_compact('schema.table'): merges the table's segments; one row with the rows and bytes written and the
// table's files before and after. Not part of any transaction. Options: "full" (true: all segments, not only those that
// are due), optimize_for ('scan' or 'lookup'), max_segment_rows.
void RegisterCompactFunction(duckdb::DatabaseInstance& instance);

}  // namespace yarrow::sql
