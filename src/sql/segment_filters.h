// Which of DuckDB's table filters parquet_scan may be given over segments.
//
// parquet_scan passes over row groups by their statistics, and takes some filters for others there: a row group of
// NULLs alone is passed over under "IS DISTINCT FROM 1", and a bound of another type than the column's is read as one
// of the column's. It also turns constants into the type that the file has. So it gets the filters that are known to
// mean the same in all of these places. Optional ones that are not are left out: others apply them. One that has to be
// applied makes the segments be read row by row.
#pragma once

#include <optional>
#include <vector>

#include "row/row_schema.h"
#include "scan/cold_pieces.h"
#include "sql/column_expression.h"
#include "sql/duckdb_api.h"

namespace yarrow::sql {

using SegmentFilters = duckdb::unique_ptr<duckdb::TableFilterSet>;

// Nothing when one of the filters that must be applied cannot be given to parquet_scan.
std::optional<SegmentFilters> FiltersForParquetScan(const duckdb::TableFunctionInitInput& scan, const RowSchema& table,
                                                    const ColdPieces& pieces,
                                                    const std::vector<ColumnExpression>& conditions);

}  // namespace yarrow::sql
