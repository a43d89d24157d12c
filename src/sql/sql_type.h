// Column types and values here and in DuckDB.
#pragma once

#include <arrow/result.h>

#include <optional>

#include "sql/duckdb_api.h"
#include "yarrow/value.h"

namespace yarrow::sql {

// Every column type has one. Times of day and timestamps keep their unit where DuckDB has it: timestamps with time zone
// in seconds and milliseconds become microseconds, those in nanoseconds TIMESTAMP_NS in UTC.
duckdb::LogicalType ToLogicalType(const ColumnType& type);

// Whether the DuckDB values of the type are the column's own, without a change of unit.
bool IsSameUnit(const ColumnType& type);

// The type of a column declared in SQL. HUGEINT becomes DECIMAL(38,0). NotImplemented, naming type and
// remedy, for those without counterpart.
arrow::Result<ColumnType> FromLogicalType(const duckdb::LogicalType& type);

// A value of ToLogicalType(type) in the exact form of `type`. Invalid when the column's unit is too coarse for it.
arrow::Result<Value> FromDuckDb(const duckdb::Value& value, const ColumnType& type);
// The inverse, for any type.
duckdb::Value ToDuckDb(const Value& value, const ColumnType& type);

}  // namespace yarrow::sql
