// CREATE TABLE as a TableSpec.
#pragma once

#include "sql/duckdb_api.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

// Throws, naming table and column, for what a Yarrow table cannot have: other constraints than PRIMARY KEY and NOT
// NULL, generated columns, defaults that are no constants. WITH (kind = 'user') chooses the table's kind.
TableSpec MakeTableSpec(duckdb::ClientContext& context, duckdb::CreateTableInfo& info);

// The inverse, for DuckDB's catalog: columns, defaults and constraints of a definition.
void FillTableInfo(const TableDefinition& definition, duckdb::CreateTableInfo* info);

}  // namespace yarrow::sql
