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

// Microseconds in a unit of the type, where DuckDB has only those.
int64_t MicrosOf(const ColumnType& type);

// The type of a column declared in SQL. The names of types that CREATE TYPE has made are lost, as in DuckDB.
// NotImplemented, naming the type, for those of which no table can have columns.
arrow::Result<ColumnType> FromLogicalType(const duckdb::LogicalType& type);

// A value of ToLogicalType(type) in the exact form of `type`. Invalid when the column's unit is too coarse for it.
arrow::Result<Value> FromDuckDb(const duckdb::Value& value, const ColumnType& type);
// The inverse, for any type.
duckdb::Value ToDuckDb(const Value& value, const ColumnType& type);

// DuckDB's UUID is a signed integer whose order is that of the bytes.
duckdb::hugeint_t ToHugeint(const Uuid& uuid);
Uuid FromHugeint(const duckdb::hugeint_t& number);
Int128 ToInt128(const duckdb::hugeint_t& number);
// DuckDB's bits of a time with time zone from the number that sorts.
duckdb::dtime_tz_t TimeTzFromSorted(uint64_t number);

}  // namespace yarrow::sql
