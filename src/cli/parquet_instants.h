// Timestamps of Parquet that are finer than DuckDB reads them.
#pragma once

#include <arrow/status.h>

#include <string>
#include <vector>

namespace yarrow::cli {

// DuckDB reads INT96 and nanoseconds with time zone as microseconds and cuts what is finer. Invalid, naming row and
// column, for the first value of those columns that has more.
arrow::Status CheckInstants(const std::string& path, const std::vector<std::string>& columns);

}  // namespace yarrow::cli
