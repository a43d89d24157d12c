// The way of run-time filters from the operator that makes them, a join or a Top-N, down to a scan.
//
// DuckDB hands them past operators that other rows come out of when their input has fewer: below a LIMIT a join takes
// the first rows that it can use, not the first ones; a row that the bound of a Top-N leaves out makes its partner in a
// FULL JOIN one without; TRY_CAST turns values beyond the bound into NULL, which may come first. Scans do without,
// those of DuckDB's own tables too: an answer over both kinds is ours.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// Takes such filters away, and notes in the scans of ours that it did. To be called when the plan is finished.
void DropMisplacedFilters(duckdb::LogicalOperator& plan);

// For scans of ours in plans where that was not done (optimizer extensions can be switched off): what a plan's filters
// are without those that need not be applied, which the bounds of a Top-N are among.
duckdb::unique_ptr<duckdb::TableFilterSet> WithoutOptionalFilters(const duckdb::TableFilterSet& filters);

}  // namespace yarrow::sql
