// The table functions that start, end and set up jobs.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// CALL yarrow_flush('schema.table'): moves the table's rows to Parquet segments; one row with rows, bytes and files.
//   Options: optimize_for ('scan' or 'lookup'), max_segment_rows, min_user_rows, compact (true: merges segments
//   afterwards, if that is due).
// CALL yarrow_compact('schema.table'): merges the table's segments, those that are due or with full := true all; one
//   row with rows, bytes, files_before and files_after. Options: full, optimize_for, max_segment_rows.
// CALL yarrow_expire('schema.table'): deletes the rows whose time is over; one row with their number.
// CALL yarrow_cancel_job(7): ends a job of system.jobs at its next step; one row with its number.
// CALL yarrow_set('deleted_file_retention', '3600'): changes a setting of system.settings; one row with both.
//   The last two take database := 'name'; else it is the one in use.
// None is part of a transaction.
void RegisterJobFunctions(duckdb::DatabaseInstance& instance);

}  // namespace yarrow::sql
