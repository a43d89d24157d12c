// The streams of rows that the driver hands out: of the process that they were made in. In a forked child, reading one
// is an error, and releasing it touches nothing: DuckDB would wait for threads that are not there.
#pragma once

#include <duckdb/common/adbc/adbc.h>

namespace yarrow::adbc {

// Puts the guard around a stream.
void GuardStream(ArrowArrayStream* stream);

// AdbcErrorFromArrayStream for such a stream.
const AdbcError* ErrorFromGuardedStream(ArrowArrayStream* stream, AdbcStatusCode* status);

}  // namespace yarrow::adbc
