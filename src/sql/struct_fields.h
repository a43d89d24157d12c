// ALTER TABLE ... ADD, DROP and RENAME of fields in a column's structs: the type that the column gets, and its values.
#pragma once

#include <optional>
#include <string>

#include "sql/duckdb_api.h"

namespace yarrow::sql {

struct RemadeColumn {
  std::string name;
  duckdb::LogicalType type;
  duckdb::unique_ptr<duckdb::ParsedExpression> value;  // made from the column as it is
};

// Of ADD_FIELD, REMOVE_FIELD or RENAME_FIELD in a column of `type`. Structs may lie in lists and maps, whose parts are
// "element", "key" and "value". Nothing for IF [NOT] EXISTS where there is nothing to do. Throws DuckDB's exceptions.
std::optional<RemadeColumn> ChangeField(const duckdb::LogicalType& type, const duckdb::AlterTableInfo& info);

// The column that such a change is of; nothing for others.
std::optional<std::string> ColumnOfFieldChange(const duckdb::AlterTableInfo& info);

}  // namespace yarrow::sql
