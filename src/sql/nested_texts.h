// Texts of nested values, as DuckDB reads them.
#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>

#include "sql/duckdb_api.h"
#include "yarrow/type.h"

namespace yarrow::sql {

// DuckDB finds the parts of each value, in JSON or in its own notation; the parts that have none stay text (JSON stays
// JSON), for a cast of DuckDB's would round what does not fit. REQUIRES: JSON, or a nested type without
// HasSqlText(type). `context` runs no query. A text of another shape sets *bad_row and is an Invalid that shows it.
arrow::Result<std::shared_ptr<arrow::Array>> ParseNestedTexts(duckdb::ClientContext& context,
                                                              const arrow::StringArray& texts, const ColumnType& type,
                                                              bool is_json, int64_t* bad_row);

}  // namespace yarrow::sql
