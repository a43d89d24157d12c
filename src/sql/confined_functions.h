// The functions of DuckDB that a confined session may call, by name. Whatever is not listed is refused, also what a
// later DuckDB or an extension brings along: a test holds the lists against the functions that DuckDB has.
#pragma once

#include <string_view>

namespace yarrow::sql {

// Scalar functions and aggregates: they compute from their arguments, or tell what is of the session itself.
bool IsConfinedScalar(std::string_view name);
// They give rows made from their arguments, or tell of the definitions of tables and functions.
bool IsConfinedTableFunction(std::string_view name);
// They are another spelling of a SELECT from such table functions.
bool IsConfinedPragma(std::string_view name);

}  // namespace yarrow::sql
