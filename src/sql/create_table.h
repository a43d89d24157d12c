// CREATE TABLE as a TableSpec.
#pragma once

#include "sql/duckdb_api.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

// Throws, naming table and column, for what a Yarrow table cannot have: other constraints than PRIMARY KEY and NOT
// NULL, generated columns, defaults that are no constants. WITH (kind = 'user') chooses the table's kind.
TableSpec MakeTableSpec(duckdb::ClientContext& context, duckdb::CreateTableInfo& info);

// One column of it, nullable; `table` is for messages.
ColumnSpec MakeColumnSpec(duckdb::ClientContext& context, const std::string& table,
                          const duckdb::ColumnDefinition& column);
// The value of a DEFAULT for a column of the type. Throws for what is no constant or does not fit; `where` names table
// and column.
Value ConstantDefault(duckdb::ClientContext& context, const std::string& where,
                      const duckdb::ParsedExpression& expression, const ColumnType& type);

// The inverse, for DuckDB's catalog: columns, defaults and constraints of a definition.
void FillTableInfo(const TableDefinition& definition, duckdb::CreateTableInfo* info);

}  // namespace yarrow::sql
