// The functions that comparisons run on rows, one for each type, place and operator: chosen once a scan. Pure
// functions, thread-safe.
#pragma once

#include "predicate/comparison.h"

namespace yarrow {

// `test` is a leaf in normal form without its NOT. None stands for BETWEEN, which is for types of fixed width.
Comparison::Function FieldFunction(const ColumnType& type, const Predicate* test);
// For fields of type `stored`, which widens to `type`; operands are of `type`.
Comparison::Function WidenedFieldFunction(const ColumnType& stored, const ColumnType& type, const Predicate* test);
// `is_fixed`: all parts before it have a fixed width, so it always lies in the same place.
Comparison::Function KeyPartFunction(const ColumnType& type, bool is_fixed, const Predicate* test);

}  // namespace yarrow
