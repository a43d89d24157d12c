// DuckDB's table filters on rowid (sql/row_ids.h) as key ranges. Joins make them of the keys they look for.
#pragma once

#include <optional>
#include <vector>

#include "key/key_range.h"
#include "sql/duckdb_api.h"
#include "table/table_impl.h"

namespace yarrow::sql {

// The whole keys that pass, normalized. Nothing when there is no
// translation. Optional filters without one pass all keys.
std::optional<std::vector<KeyRange>> RowIdRanges(const duckdb::TableFilter& filter, const TableImpl& table);

}  // namespace yarrow::sql
