// txid_current() where a Yarrow database is the default one: DuckDB's own takes every transaction for one of DuckDB's,
// and its internal error would close the whole instance.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// Puts a function of that name in front of DuckDB's. There it gives a number that no other transaction of the instance
// has; in other databases it is DuckDB's.
void RegisterTransactionId(duckdb::DatabaseInstance& instance);

}  // namespace yarrow::sql
