// Who the driver says it is.
#pragma once

#include <duckdb/common/adbc/adbc.h>

#include <cstddef>
#include <cstdint>

namespace yarrow::adbc {

// AdbcConnectionGetInfo: names and versions of Yarrow and of the driver, as the stream of the specification
// (info_name: uint32, info_value: dense union). Codes that the driver does not know are left out; null codes ask for
// all.
AdbcStatusCode ConnectionGetInfo(AdbcConnection* connection, const uint32_t* codes, size_t count, ArrowArrayStream* out,
                                 AdbcError* error);

}  // namespace yarrow::adbc
