#include "sql/stored_columns.h"

#include "catalog/table_schema.h"

namespace yarrow::sql {

std::optional<size_t> StoredColumn(const TableDefinition& table, duckdb::column_t id) {
  if (duckdb::IsVirtualColumn(id)) return std::nullopt;
  const auto column = ColumnAtSqlPosition(table, id);
  return column && *column < table.visible_columns() ? column : std::nullopt;
}

std::optional<size_t> StoredColumn(const TableDefinition& table, const duckdb::ColumnIndex& index) {
  return index.IsVirtualColumn() ? std::nullopt : StoredColumn(table, index.GetPrimaryIndex());
}

void ToStoredColumns(const TableDefinition& table, duckdb::TableFunctionInitInput* scan) {
  if (table.generated_columns.empty()) return;
  for (size_t i = 0; i < scan->column_ids.size(); ++i) {
    const auto column = StoredColumn(table, scan->column_ids[i]);
    if (!column) continue;
    scan->column_ids[i] = *column;
    scan->column_indexes[i] = duckdb::ColumnIndex(*column, scan->column_indexes[i].GetChildIndexes());
  }
}

}  // namespace yarrow::sql
