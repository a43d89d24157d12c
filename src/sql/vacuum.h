// VACUUM and ANALYZE of what is ours. DuckDB plans them for tables of its own only, and VACUUM alone does nothing
// there.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// VACUUM t gives back the room of a table of ours (flush/vacuum.h); VACUUM alone, that of all tables of the database
// that statements use, when that is one of ours. ANALYZE does nothing.
void RegisterVacuum(duckdb::DBConfig& config);

}  // namespace yarrow::sql
