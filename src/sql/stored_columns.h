// Which of a table's columns a column id of DuckDB's is: DuckDB counts generated columns, which have no values here.
#pragma once

#include <cstddef>
#include <optional>

#include "sql/duckdb_api.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

// By position in the definition; nothing for virtual and generated columns.
std::optional<size_t> StoredColumn(const TableDefinition& table, duckdb::column_t id);
std::optional<size_t> StoredColumn(const TableDefinition& table, const duckdb::ColumnIndex& index);

// The column ids of a scan that begins, which is never asked for generated columns, become positions in the
// definition; those of virtual columns stay.
void ToStoredColumns(const TableDefinition& table, duckdb::TableFunctionInitInput* scan);

}  // namespace yarrow::sql
