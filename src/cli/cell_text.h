// Cells of Arrow columns as text, in the forms that Value::ToString writes and Value::Parse reads.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>

#include "yarrow/type.h"
#include "yarrow/value.h"

namespace yarrow::cli {

// REQUIRES: `cells` is of type.ToArrow() and the cell is not NULL.
Value CellValue(const arrow::Array& cells, int64_t row, const ColumnType& type);

// Appends the text of a cell that is not NULL.
using AppendCell = void (*)(const arrow::Array& cells, int64_t row, const ColumnType& type, std::string* out);

// Chosen once a column.
AppendCell CellAppender(const ColumnType& type);

// "336,776"
std::string GroupDigits(uint64_t number);

}  // namespace yarrow::cli
