// Joins over an expression that an index has: what the join knows of its values narrows the scan below.
#pragma once

#include "predicate/row_predicate.h"
#include "sql/duckdb_api.h"
#include "sql/sql_scan.h"

namespace yarrow::sql {

// DuckDB lets a join of columns tell the scan that is read last, before that scan starts, which values the other side
// has. This asks for the same of joins by `=` of an expression that an index of the scan's table has (ScanBindData).
void AskJoinsForExpressions(duckdb::OptimizerExtensionInput& input, duckdb::LogicalOperator& plan);

// What the joins have told of a scan that starts, by the numbers of the expressions; they test it again.
Predicate ToldByJoins(const ScanBindData& bind, const duckdb::TableFunctionInitInput& input);

}  // namespace yarrow::sql
