// SQL expressions that a table's definition has as text: defaults, CHECK constraints and generated columns.
#pragma once

#include <set>
#include <string>

#include "sql/duckdb_api.h"
#include "yarrow/table_alteration.h"

namespace yarrow::sql {

// Throws for what is no single expression.
duckdb::unique_ptr<duckdb::ParsedExpression> ParseExpression(const std::string& text);

// The names of columns in an expression, folded.
std::set<std::string> ColumnsNamedIn(const std::string& text);

// The text of a CHECK constraint or an index, whose columns are named without the table: its name may change.
std::string CheckText(const std::string& table, const duckdb::ColumnList& columns,
                      const duckdb::ParsedExpression& check);

// CHECK constraints and generated columns as they are when a column has got another name, the generated column of that
// name among them.
TableExpressions AfterRename(const TableDefinition& table, const std::string& column, const std::string& new_name);

// As they are without a column. A CHECK constraint that names no other column goes with it; with `cascade` so do the
// generated columns that are made from it. Throws DuckDB's CatalogException for those that it keeps from going.
TableExpressions AfterDrop(const TableDefinition& table, const std::string& column, bool cascade);

// As they are. Throws DuckDB's BinderException when one of them names the column, whose type is to change.
TableExpressions AfterTypeChange(const TableDefinition& table, const std::string& column);

}  // namespace yarrow::sql
