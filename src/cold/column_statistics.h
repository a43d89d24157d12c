// What is known of a column's values in a segment or a row group: bounds in SQL order, NULLs and NaNs.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>

#include "yarrow/value.h"

namespace yarrow::cold {

// A bound that is not there is not known. Values are in the exact form of the type.
struct ColumnStatistics {
  uint32_t column_id = 0;
  ColumnType type;            // as of the segment
  uint64_t null_count = 0;    // NULLs
  bool has_nan = false;       // some value is NaN; min and max are those of the others
  std::optional<Value> min;   // no value is below
  std::optional<Value> max;   // no value but NaN is above
  bool min_is_exact = false;  // is a value that is there; a long text is cut
  bool max_is_exact = false;
};

// Texts above it are cut to it, so that statistics stay small.
inline constexpr size_t kMaxBoundSize = 64;

// Shorten a text bound to kMaxBoundSize, and set `is_exact` to false if that changed it. Upper bounds become the least
// short text above, which for text stays valid UTF-8; nothing when there is none.
Value ShortenLowerBound(Value bound, bool* is_exact);
std::optional<Value> ShortenUpperBound(Value bound, const ColumnType& type, bool* is_exact);

}  // namespace yarrow::cold
