// DuckDB's table filters as Predicates.
#pragma once

#include <optional>

#include "row/row_schema.h"
#include "sql/duckdb_api.h"
#include "yarrow/predicate.h"

namespace yarrow::sql {

// A predicate that is true for the same rows, or nothing when there is none. Optional filters, which only save work,
// become True when they have none. `column`: position in the row schema.
std::optional<Predicate> TranslateFilter(const duckdb::TableFilter& filter, int column, const ColumnType& type);

// Nothing for types that are no comparison by order.
std::optional<Predicate::Op> ComparisonOf(duckdb::ExpressionType type);

}  // namespace yarrow::sql
