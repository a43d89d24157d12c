// What programs test errors by: ADBC's status, from which Python makes its exceptions, and the SQLSTATE.
#pragma once

#include <duckdb/common/adbc/adbc.h>

#include <string_view>

namespace yarrow::adbc {

// The status of an error of DuckDB, told from its message; `code` for other texts.
AdbcStatusCode StatusOf(std::string_view message, AdbcStatusCode code);

// The same for an error that goes out, which gets its SQLSTATE as well. `error` may be null.
AdbcStatusCode Classify(AdbcStatusCode code, AdbcError* error);

}  // namespace yarrow::adbc
