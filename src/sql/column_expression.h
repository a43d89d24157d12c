// An expression of DuckDB's that belongs to a column of a table.
#pragma once

#include <memory>

#include "sql/duckdb_api.h"

namespace yarrow::sql {

struct ColumnExpression {
  int column;  // its position in the table
  std::shared_ptr<const duckdb::Expression> expression;
};

}  // namespace yarrow::sql
