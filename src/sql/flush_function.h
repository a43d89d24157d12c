// The table function yarrow_flush.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// CALL yarrow_flush('schema.table'): moves the table's rows to Parquet segments; one row with rows, bytes and files.
// Not part of any transaction. Options: optimize_for ('scan' or 'lookup'), max_segment_rows, min_user_rows,
// compact (true: merges segments afterwards, if that is due).
void RegisterFlushFunction(duckdb::DatabaseInstance& instance);

}  // namespace yarrow::sql
