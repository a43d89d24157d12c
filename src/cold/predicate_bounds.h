// Whether a predicate can be true for any row whose columns lie within known bounds: what skips segments and row
// groups.
//
// Pure functions, thread-safe. Never says no where a row could pass: NULLs, NaNs, unknown and shortened bounds are
// allowed for.
#pragma once

#include <functional>
#include <optional>

#include "cold/column_statistics.h"
#include "cold/manifest_entry.h"
#include "row/row_schema.h"
#include "yarrow/predicate.h"

namespace yarrow::cold {

// What a column's cells can be, in SQL order, where NaN is the greatest value. A bound that is not there is open.
struct ColumnBounds {
  std::optional<Value> min;
  std::optional<Value> max;
  bool may_be_null = true;
  bool may_be_value = true;

  static ColumnBounds Of(const Value& only);  // each cell is this value, or NULL
  // Of `rows` rows. `type`: of the column now, which may be wider than when the statistics were made.
  static ColumnBounds Of(const ColumnStatistics& statistics, uint64_t rows, const ColumnType& type);
};

// `bounds_of(column)`: by position in the table's columns.
bool MayBeTrue(const Predicate& predicate, const std::function<ColumnBounds(int column)>& bounds_of);

// The same by the manifest alone: whether a segment must be opened.
bool MayMatch(const SegmentInfo& info, const RowSchema& row_schema, const Predicate& predicate);

}  // namespace yarrow::cold
