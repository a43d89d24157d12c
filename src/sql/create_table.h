// CREATE TABLE as a TableSpec.
#pragma once

#include <string>

#include "sql/duckdb_api.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

// Throws, naming table and column, for all that a Yarrow table would not keep: other constraints than PRIMARY KEY, NOT
// NULL and CHECK, compression, and see DeclaredType. WITH (kind = 'user') chooses the table's kind.
TableSpec MakeTableSpec(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                        duckdb::CreateTableInfo& info);

// Of text; empty: none.
std::string CollationOf(const duckdb::LogicalType& type);
// The type of a column declared or selected as `type`. Throws for those that cannot be stored. `where` names table and
// column.
ColumnType DeclaredType(const std::string& where, const duckdb::LogicalType& type);

// One column of it, nullable and not generated; `table` is for messages.
ColumnSpec MakeColumnSpec(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema, const std::string& table,
                          const duckdb::ColumnDefinition& column);
// A DEFAULT of a column of a table in `schema`, where its names are looked for first: a value, or what SQL is to
// compute for each row.
struct ColumnDefault {
  Value value;
  std::string expression;  // empty: it is the value
};
// Throws for a value that does not fit.
ColumnDefault MakeDefault(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                          const duckdb::ParsedExpression& expression, const ColumnType& type);
// Whether the default of a new column has another value for each row.
bool IsVolatileDefault(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                       const duckdb::ColumnDefinition& column);
// The value in this statement of a default that has the same for all rows.
Value DefaultNow(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                 const duckdb::ParsedExpression& expression, const ColumnType& type);

// Of DuckDB's value, which is NULL for none.
std::string CommentOf(const duckdb::Value& comment);

// The inverse, for DuckDB's catalog: columns, defaults and constraints of a definition.
void FillTableInfo(const TableDefinition& definition, duckdb::CreateTableInfo* info);
// DuckDB's numbers of columns that are stored.
duckdb::vector<duckdb::PhysicalIndex> PositionsOf(const TableDefinition& table, const std::vector<uint32_t>& columns);

}  // namespace yarrow::sql
