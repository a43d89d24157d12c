// The connections of the driver, where DuckDB's are not enough: those that do not commit by themselves.
//
// DuckDB takes an open transaction for the sign that a connection does not commit by itself. A COMMIT that fails ends
// the transaction, and everything after it would be committed statement by statement. Ours remembers what was asked for
// (ADBC_CONNECTION_OPTION_AUTOCOMMIT) and begins the next transaction, whatever ended the last.
#pragma once

#include <duckdb/common/adbc/adbc.h>

namespace duckdb {
class Connection;
struct DuckDBAdbcConnectionWrapper;
}  // namespace duckdb

namespace yarrow::adbc {

// What is behind a connection that was initialised.
duckdb::Connection& ConnectionOf(const duckdb::DuckDBAdbcConnectionWrapper& wrapper);
duckdb::DuckDBAdbcConnectionWrapper& WrapperOf(const AdbcConnection& connection);

// For the end of whatever may have ended a transaction, with its code: begins the next one if the connection does not
// commit by itself. Returns `code` unless that fails.
AdbcStatusCode KeepTransaction(duckdb::DuckDBAdbcConnectionWrapper& wrapper, AdbcStatusCode code, AdbcError* error);

// Puts our functions for connections into a table that has DuckDB's.
void OverrideConnection(AdbcDriver* driver);

}  // namespace yarrow::adbc
