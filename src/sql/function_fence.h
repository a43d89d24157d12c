// Replaces the functions that a confined session may not call.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// For all connections of the instance, and for good.
void FenceFunctions(duckdb::DatabaseInstance& instance);

// A table function as DuckDB has it, also when statements may not call it. Throws when there is none.
duckdb::TableFunction OriginalFunction(duckdb::DatabaseInstance& instance, const std::string& name);

}  // namespace yarrow::sql
