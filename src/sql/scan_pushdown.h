// LIMIT and ORDER BY go into the scan: DuckDB has no hook for them, so an optimizer extension looks for them in the
// plan.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

void RegisterScanPushdown(duckdb::DBConfig& config);

}  // namespace yarrow::sql
