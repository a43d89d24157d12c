// Making DuckDB instances.
#pragma once

#include <memory>

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// In memory, with nothing attached. In sanitizer builds it allocates by malloc, which the sanitizers see into.
std::unique_ptr<duckdb::DuckDB> OpenDuckDb();

}  // namespace yarrow::sql
