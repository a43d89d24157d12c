// The statements of the driver, where DuckDB's are not enough: ingest and parameters of many rows.
//
// DuckDB's own ingest reports success for rows that the table refused (its appender drops the error of its last flush),
// and its statements take one row of parameters. Ours read the bound stream: an ingest is one INSERT or CREATE TABLE AS
// of the whole stream, parameters are bound a row at a time.
#pragma once

#include <duckdb/common/adbc/adbc.h>

namespace yarrow::adbc {

// DuckDB's functions, for what is passed on.
AdbcDriver& DuckDbDriver();

// Puts our functions for statements into the driver's table, which has DuckDB's.
void OverrideStatement(AdbcDriver* driver);

}  // namespace yarrow::adbc
