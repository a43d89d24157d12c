// Values of DuckDB's vectors to and from the bytes that rows and batches have for them.
//
// Pure functions; what DuckDB throws goes through.
#pragma once

#include <string>
#include <string_view>

#include "sql/duckdb_api.h"
#include "type/nested_bytes.h"
#include "yarrow/type.h"

namespace yarrow::sql {

// The type whose vectors DuckDB exports to Arrow as arrays of the column's batches, or near enough for the row encoder
// to cast them without loss.
duckdb::LogicalType StoredLogicalType(const ColumnType& type);

// A vector of ToLogicalType(type) as one of StoredLogicalType(type).
duckdb::Vector ToStoredVector(duckdb::Vector& values, duckdb::idx_t rows, const ColumnType& type);

// Appends value `at` of a flat vector of the nested type (its parts flat as well, as in a copy), which is not NULL.
void AppendNestedValue(const duckdb::Vector& vector, duckdb::idx_t at, const ColumnType& type, std::string* out);

// Puts the nested value into place `at` of a flat vector. False when the bytes are none of a value of the type.
bool PutNestedValue(std::string_view bytes, const ColumnType& type, duckdb::Vector* vector, duckdb::idx_t at);

}  // namespace yarrow::sql
