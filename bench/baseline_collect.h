// The two ways of making batches that BatchBuilder is measured against.
//
// (a) As the origin note found it: every row a map from column name to value, all rows collected, then one loop over
// them for
//     each column, through a vector of optional values, into an Arrow builder. In the store such a row is a JSON text.
// (b) The same loops without maps: one loop a column over encoded rows, each cell found by name.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "row/row_schema.h"
#include "yarrow/value.h"

namespace yarrow::bench {

using RowMap = std::unordered_map<std::string, Value>;
using EncodedRow = std::pair<std::string_view, std::string_view>;  // key, row

// A row as (a) stores it: numbers, bools, null and text as JSON; decimals and the like as their text.
std::string RowToJson(const RowSchema& schema, std::span<const Value> values);
arrow::Result<RowMap> RowFromJson(const RowSchema& schema, std::string_view json);
RowMap RowToMap(const RowSchema& schema, std::span<const Value> values);

// (a). Every column of `columns`, positions in schema.columns().
arrow::Result<std::shared_ptr<arrow::RecordBatch>> CollectMaps(const RowSchema& schema, const std::vector<int>& columns,
                                                               const std::vector<RowMap>& rows);
// (b).
arrow::Result<std::shared_ptr<arrow::RecordBatch>> CollectEncoded(const RowSchema& schema,
                                                                  const std::vector<int>& columns,
                                                                  const std::vector<EncodedRow>& rows);

}  // namespace yarrow::bench
