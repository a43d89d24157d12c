// Rows of Arrow batches in DuckDB's vectors.
#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <vector>

#include "sql/duckdb_api.h"
#include "yarrow/type.h"

namespace yarrow::sql {

// Copies rows [first, first + rows) of a batch whose columns are of these types into vectors of the types' own
// (ToLogicalType), at most a vector's rows. An error for a timestamp that DuckDB cannot have.
arrow::Status FillVectors(const arrow::RecordBatch& batch, const std::vector<ColumnType>& types, int64_t first,
                          int64_t rows, const std::vector<duckdb::Vector*>& vectors);

}  // namespace yarrow::sql
