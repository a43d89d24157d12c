// Comparisons of a --where expression as Arrow expressions with the meaning that SQL gives them.
//
// NULL compared with anything is NULL. NaN equals itself and is above all numbers, where Arrow's own comparisons with
// NaN are false. Text compares by bytes.
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/result.h>

#include <vector>

#include "cli/where_literal.h"

namespace yarrow::cli {

enum class WhereOp { kEq, kNe, kLt, kLe, kGt, kGe };

// a op b == b Mirrored(op) a
WhereOp Mirrored(WhereOp op);

arrow::Result<arrow::compute::Expression> CompareWithLiteral(const WhereColumn& column, WhereOp op,
                                                             const WhereLiteral& literal);
// `position` is that of the operator. Both columns have to be of one family of types (numbers, text, dates, ...).
arrow::Result<arrow::compute::Expression> CompareColumns(const WhereColumn& left, WhereOp op, const WhereColumn& right,
                                                         size_t position);
arrow::Result<arrow::compute::Expression> InList(const WhereColumn& column, const std::vector<WhereLiteral>& literals);
// % and _ as in SQL, \ escapes them.
arrow::Result<arrow::compute::Expression> Like(const WhereColumn& column, const WhereLiteral& pattern);

// A truth value that is never known.
arrow::compute::Expression UnknownTruth();

// Of any number of operands, as a tree of logarithmic depth.
arrow::compute::Expression AllOf(std::vector<arrow::compute::Expression> operands);
arrow::compute::Expression AnyOf(std::vector<arrow::compute::Expression> operands);

}  // namespace yarrow::cli
