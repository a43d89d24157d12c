// DuckDB's table filters as Predicates.
#pragma once

#include <cstddef>
#include <optional>

#include "row/row_schema.h"
#include "sql/duckdb_api.h"
#include "yarrow/predicate.h"

namespace yarrow::sql {

// Testing each row against a longer list costs more than it saves a join above.
inline constexpr size_t kMostValuesToTest = 50;

// A predicate that is true for the same rows, or nothing when there is none. Optional filters, which only save work,
// become True when they have none, and when they list more than `most_values`. `column`: position in the row schema.
std::optional<Predicate> TranslateFilter(const duckdb::TableFilter& filter, int column, const ColumnType& type,
                                         size_t most_values = kMostValuesToTest);
// The longest list that is in an optional filter; 0: there is none.
size_t LongestOptionalList(const duckdb::TableFilter& filter);

// Nothing for types that are no comparison by order.
std::optional<Predicate::Op> ComparisonOf(duckdb::ExpressionType type);

}  // namespace yarrow::sql
