// The class of an error of DuckDB and the SQLSTATE that goes with it, told from its message: that is all of an error
// that comes through every interface.
#pragma once

#include <string_view>

namespace yarrow::sql {

struct ErrorClass {
  std::string_view name;      // DuckDB's, as its messages begin: "Constraint"; empty: the text is of no error of DuckDB
  std::string_view sqlstate;  // five characters; those of PostgreSQL where it has the error
};

ErrorClass ClassOf(std::string_view message);

}  // namespace yarrow::sql
