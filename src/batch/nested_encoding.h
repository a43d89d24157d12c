// The bytes (type/nested_bytes.h) of values of nested types in Arrow arrays. Pure, thread-safe.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "batch/bound_column.h"
#include "yarrow/type.h"

namespace yarrow::batch {

// An array of binaries from one of lists (of any of Arrow's kinds), maps or structs. Parts are cast as columns of their
// types are (ExactCast). Fields of structs are found by their names; those that the array lacks are NULL. TypeError for
// arrays that have other parts; of values that do not fit, the first is the misfit.
arrow::Result<std::shared_ptr<arrow::Array>> EncodeNested(const std::shared_ptr<arrow::Array>& array,
                                                          const ColumnType& type, Misfit* misfit);

}  // namespace yarrow::batch
