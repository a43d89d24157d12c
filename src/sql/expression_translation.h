// DuckDB's bound expressions as Predicates.
#pragma once

#include <optional>

#include "catalog/table_schema.h"
#include "sql/duckdb_api.h"
#include "yarrow/predicate.h"

namespace yarrow::sql {

// A predicate that is true for the same rows of the scan `get`, or nothing when there is none: comparisons of columns
// with constants of their type, IN, BETWEEN, IS [NOT] NULL, prefixes, and AND, OR, NOT of those.
std::optional<Predicate> TranslateExpression(const duckdb::Expression& expression, const duckdb::LogicalGet& get,
                                             const TableDefinition& table);

}  // namespace yarrow::sql
