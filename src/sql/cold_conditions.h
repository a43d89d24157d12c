// Conditions on one column that parquet_scan tests as well: on fields of structs, on paths of JSON, LIKE and whatever
// else DuckDB computes from a value. The filter above the scan tests them again, for hot rows. The test in the scan
// spares it the other columns of rows that do not pass.
#pragma once

#include <vector>

#include "sql/column_expression.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

// Adds those of `conditions` that are worth testing twice, over reference 0, the column's value: they let few rows
// pass, as far as their form tells, cannot fail, and are the same for the same value. Table filters, which the scan has
// anyway, are left out.
void NoteColdConditions(const duckdb::LogicalGet& get, const TableDefinition& table,
                        const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& conditions,
                        std::vector<ColumnExpression>* noted);

}  // namespace yarrow::sql
