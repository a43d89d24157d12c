// rowid: how SQL names a row of a table.
//
// A table without a primary key numbers its rows: there the rowid is that number, a BIGINT from 0 on, as in DuckDB. In
// another table the rowid is the encoded primary key, a BLOB. Both are in the order of the rows. Other than in DuckDB a
// row keeps its rowid for as long as it lives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "sql/duckdb_api.h"

namespace yarrow::sql {

duckdb::LogicalType RowIdType(const TableDefinition& table);

// Of numbered rows: the number by the key, without the prefix of its table, and back. No row has the key of a number
// that none can have.
int64_t NumberOfKey(std::string_view own_key);
std::string KeyOfNumber(int64_t number);

// The keys, without the prefix of their table, of rows by their rowids, which are none of them NULL. Flattens the
// vector. Valid as long as both.
const duckdb::string_t* KeysOfRowIds(duckdb::Vector& row_ids, duckdb::idx_t count,
                                     std::optional<duckdb::Vector>* buffer);

}  // namespace yarrow::sql
