// How a SQL scan reads the rows of segments.
#pragma once

#include "sql/duckdb_api.h"
#include "table/cold_pieces.h"

namespace yarrow::sql {

enum class ColdWay {
  kAsRows,   // by RowWalker with the hot ones: in key order, with their keys, or one by one
  kByScan,   // by parquet_scan, behind the hot ones
  kCounted,  // not at all: only their number is asked
};

// The fastest that answers the scan. `scan`: of yarrow_scan; `plan` and `cold` are what it became.
ColdWay ChooseColdWay(duckdb::ClientContext& context, const duckdb::TableFunctionInitInput& scan, const ScanPlan& plan,
                      const ColdPieces& cold);

// Calls take(filter, column id) for each of DuckDB's filters.
template <class Take>
void ForEachFilter(const duckdb::optional_ptr<duckdb::TableFilterSet>& filters,
                   const duckdb::vector<duckdb::column_t>& column_ids, const Take& take) {
  if (!filters) return;
  for (const auto& [index, filter] : filters->filters) take(*filter, column_ids[index]);
}

}  // namespace yarrow::sql
