// LIMIT goes into the scan: DuckDB has no hook for it, so an optimizer extension looks for it in the plan.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

void RegisterLimitPushdown(duckdb::DBConfig& config);

}  // namespace yarrow::sql
