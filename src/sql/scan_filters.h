// What DuckDB's filters of a scan mean to ours.
#pragma once

#include <vector>

#include "scan/scan_plan.h"
#include "sql/duckdb_api.h"
#include "sql/run_time_filter.h"
#include "sql/sql_catalog.h"
#include "yarrow/predicate.h"

namespace yarrow::sql {

// Those that the plan has, without those that joins have added since.
const duckdb::TableFilterSet& PlannedFilters(const duckdb::TableFunctionInitInput& input);

// Adds a filter of the plan, which nobody tests again. `id`: of the column.
void AddPlannedFilter(const duckdb::TableFilter& filter, duckdb::column_t id, const SqlTable& entry,
                      std::vector<Predicate>* conjuncts, ScanRequest* request);

// Adds all filters of a scan of yarrow_scan that begins: those that get tighter later are in `run_time_filter` as well.
void TakeFilters(duckdb::ClientContext& context, const duckdb::TableFunctionInitInput& input,
                 RunTimeFilter* run_time_filter, ScanRequest* request);

}  // namespace yarrow::sql
