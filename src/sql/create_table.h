// CREATE TABLE as a TableSpec.
#pragma once

#include "sql/duckdb_api.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

// Throws, naming table and column, for all that a Yarrow table would not keep: other constraints than PRIMARY KEY and
// NOT NULL, generated columns, compression, comments, defaults that are no constants, and see DeclaredType. WITH (kind
// = 'user') chooses the table's kind.
TableSpec MakeTableSpec(duckdb::ClientContext& context, duckdb::CreateTableInfo& info);

// The type of a column declared or selected as `type`. Throws for those that cannot be stored, and for a collation.
// `where` names table and column.
ColumnType DeclaredType(const std::string& where, const duckdb::LogicalType& type);

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
