// DuckDB's driver, which ours passes on to what it does not do itself.
#pragma once

#include <duckdb/common/adbc/adbc.h>

#include <cstddef>
#include <string>

namespace yarrow::adbc {

// DuckDB's functions.
AdbcDriver& DuckDbDriver();

// Says why in `error`, which may be null, and returns the code.
AdbcStatusCode Fail(AdbcError* error, AdbcStatusCode code, const std::string& message);

// How options with a text are got: the text goes out when there is room for it, its length with the final zero always.
AdbcStatusCode GetText(const std::string& text, char* value, size_t* length);

}  // namespace yarrow::adbc
