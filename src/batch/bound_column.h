// BoundColumn: one column of an input batch, in the type of its table column, ready to be read cell by cell.
//
// Internal to the batch layer. Reading is thread-safe; the arrays are shared, not copied, where no cast is needed.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "row/row_schema.h"

namespace yarrow::batch {

struct BoundColumn {
  const uint8_t* validity = nullptr;  // null: no NULLs
  int64_t bit_offset = 0;             // of validity and, for bools, values
  const uint8_t* values = nullptr;    // of row 0; for bools the bitmap
  const int32_t* ends = nullptr;      // text: ends[i] is where row i starts in values
  std::shared_ptr<arrow::Array> array;

  bool IsNull(int64_t i) const {
    const int64_t bit = i + bit_offset;
    return validity != nullptr && ((validity[bit >> 3] >> (bit & 7)) & 1) == 0;
  }
  bool Bit(int64_t i) const {
    const int64_t bit = i + bit_offset;
    return ((values[bit >> 3] >> (bit & 7)) & 1) != 0;
  }
  std::string_view Text(int64_t i) const {
    return {reinterpret_cast<const char*>(values) + ends[i], static_cast<size_t>(ends[i + 1] - ends[i])};
  }
  Value GetValue(const ColumnType& type, int64_t i) const;
};

// A cell of an array of the Arrow type of `type`, without counting references to what threads share. Invalid for a
// value that the type does not have.
arrow::Result<Value> ReadCell(const arrow::Array& array, const ColumnType& type, int64_t i);

// A value that Arrow could not cast.
struct Misfit {
  int64_t row;
  std::string message;  // names value and types
};

// `array` as `type`: itself when it is of that type already, else by Arrow's safe cast (text is parsed; dictionaries,
// views and large types are unpacked). A cell that does not fit is the misfit: the first row that has one.
arrow::Result<BoundColumn> BindColumn(const std::shared_ptr<arrow::Array>& array, const ColumnType& type,
                                      Misfit* misfit);

}  // namespace yarrow::batch
