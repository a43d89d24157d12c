// Random Arrow filters over a test table: every function that is pushed down, and some that are not. Test-only.
#pragma once

#include <arrow/compute/expression.h>

#include "predicate_table.h"

namespace yarrow::test {

// Mostly of the column's type; also other widths, scales, units and encodings, NULLs, and values that do not fit.
arrow::Result<std::shared_ptr<arrow::Scalar>> RandomLiteral(const ColumnType& type, Random& random);

// Boolean. Arrow may refuse to bind it, or fail to evaluate it.
arrow::Result<arrow::compute::Expression> RandomFilter(const RowSchema& row_schema, int depth, Random& random);

}  // namespace yarrow::test
