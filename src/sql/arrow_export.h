// Chunks of DuckDB as Arrow arrays of the one layout that Yarrow reads.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// 32-bit offsets, no views, decimals of 128 bits, UTC: whatever a connection's settings say that start with arrow_ or
// produce_arrow_, for those are about what other readers get.
duckdb::ClientProperties ArrowLayout(duckdb::optional_ptr<duckdb::ClientContext> context);

// As much text of one column as goes into one array, but for a value that is longer: an array cannot have more than
// 2 GB, and what is copied should be little.
constexpr uint64_t kMostTextOfArray = 64 << 20;

// The number of rows of the chunk, from `first` on, that should go into one array. Throws for a value of more than
// 2 GB, naming its column.
duckdb::idx_t RowsOfArray(duckdb::DataChunk& chunk, const duckdb::vector<duckdb::string>& names, duckdb::idx_t first,
                          uint64_t most_text = kMostTextOfArray);

// Those rows.
ArrowArray ToArrowArray(duckdb::DataChunk& chunk, duckdb::idx_t first, duckdb::idx_t rows,
                        const duckdb::ClientProperties& layout);

}  // namespace yarrow::sql
