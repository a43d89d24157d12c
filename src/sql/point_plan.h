// Which plans of prepared statements are kept: those that name rows by their whole key are, joins never.
//
// DuckDB plans a statement with parameters anew at each execution when it has a scan
// (PreparedStatement::CanCachePlan): with the values known, they can be pushed into it. For one row by its key that
// takes longer than everything else. A planner extension hides such a scan from that test: what it reads is found by
// evaluating the key when the scan starts, and the rest of the plan is the same for any value.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

void RegisterPointPlans(duckdb::DBConfig& config);

}  // namespace yarrow::sql
