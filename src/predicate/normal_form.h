// The form of a predicate that compilation and key splitting work on. Pure functions, thread-safe.
//
// In normal form a predicate is kTrue, kFalse, a leaf, or kAnd / kOr (never one inside its like) over such; NOT stands
// only directly before kIn and kStartsWith. A leaf in normal form is two-valued: unknown counts as false, which is
// right since nothing above it negates. A leaf of a kField is one over the field (that of a NULL struct may hold: IS
// NULL).
#pragma once

#include <arrow/status.h>

#include "row/row_schema.h"
#include "yarrow/predicate.h"

namespace yarrow {

// Invalid, naming table and column, when `predicate` does not fit the schema: a column that does not exist, a value
// that is not in the exact form of its column's type, a prefix test on a column that is neither text nor binary.
arrow::Status CheckPredicate(const Predicate& predicate, const RowSchema& row_schema);

// The normal form that passes the same rows. Constants are folded, comparisons with NULL are false, IN lists are
// sorted and without duplicates or NULLs, the comparisons of one column under an AND are merged into at most one
// interval, one IN or one NOT IN (or kFalse when they contradict), the equalities of one column under an OR into one
// IN. REQUIRES: CheckPredicate was OK.
Predicate NormalForm(const Predicate& predicate);

// The leaf below the NOT, if there is one, and whether there is.
struct Leaf {
  const Predicate& test;
  bool negated;
};
// REQUIRES: a leaf in normal form.
Leaf AsLeaf(const Predicate& predicate);

// Whether a leaf in normal form, of another kind than kField, is true for a value of its column.
bool LeafHolds(const Predicate& leaf, const Value& value);

}  // namespace yarrow
