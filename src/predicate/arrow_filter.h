// The Arrow front end: arrow::compute::Expression -> Predicate, with what has to stay behind.
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/result.h>

#include "row/row_schema.h"
#include "yarrow/predicate.h"

namespace yarrow {

// `filter` == (pushed AND residual), for every row, by Arrow's own semantics (in which NaN compares false).
struct ArrowFilter {
  Predicate pushed;
  // Over the names of the table's columns, bound to row_schema.arrow_schema(); literal(true) when all was pushed.
  arrow::compute::Expression residual;
  bool has_residual = false;
  std::vector<int> residual_columns;  // positions of the columns it reads
};

// Understands equal, not_equal, less, less_equal, greater, greater_equal, and_kleene, or_kleene, and, or, invert,
// is_null, is_valid, is_in, is_nan, starts_with and match_like with a prefix pattern, true/false literals, over any
// column type; column on either side; literals of other types when they convert exactly. All else becomes residual, one
// conjunct at a time. Invalid, naming the table and column or function, for filters that Arrow itself cannot bind to
// the table's schema (unknown column, type mismatch, not boolean).
arrow::Result<ArrowFilter> TranslateArrowFilter(const arrow::compute::Expression& filter, const RowSchema& row_schema);

}  // namespace yarrow
