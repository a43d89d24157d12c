// The statements of the driver, where DuckDB's are not enough: ingest and parameters of many rows.
//
// DuckDB's own ingest reports success for rows that the table refused (its appender drops the error of its last flush),
// and its statements take one row of parameters. Ours read the bound stream: an ingest is one INSERT or CREATE TABLE AS
// of the whole stream, parameters are bound a row at a time. A text that DuckDB could not prepare leaves it with a
// statement that must not be run; ours prepares the text again, as callers expect who run it a second time.
#pragma once

#include <duckdb/common/adbc/adbc.h>

namespace yarrow::adbc {

// Puts our functions for statements into a table that has DuckDB's.
void OverrideStatement(AdbcDriver* driver);

}  // namespace yarrow::adbc
