// DuckDB's table filters on rowid, the encoded key, as key ranges. Joins make them of the keys they look for.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "key/key_range.h"
#include "sql/duckdb_api.h"

namespace yarrow::sql {

// The keys that pass, normalized; `key_prefix` stands before a rowid in a whole key. Nothing when there is no
// translation. Optional filters without one pass all keys.
std::optional<std::vector<KeyRange>> RowIdRanges(const duckdb::TableFilter& filter, std::string_view key_prefix);

}  // namespace yarrow::sql
