// The table functions yarrow_expire, yarrow_cancel_job and yarrow_set.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// CALL yarrow_expire('schema.table'): deletes the rows whose time is over; one row with their number.
// CALL yarrow_cancel_job(7): ends a job of system.jobs at its next step; one row with its number.
// CALL yarrow_set('deleted_file_retention', '3600'): changes a setting of system.settings; one row with both.
// The last two take database := 'name'; else it is the one in use. None is part of a transaction.
void RegisterJobFunctions(duckdb::DatabaseInstance& instance);

}  // namespace yarrow::sql
