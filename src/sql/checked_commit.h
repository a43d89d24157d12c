// COMMIT of a transaction in which a statement failed: an error. DuckDB rolls such a transaction back and reports
// success.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

void RegisterCheckedCommit(duckdb::DBConfig& config);

}  // namespace yarrow::sql
