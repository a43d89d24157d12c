// ExactCast: an Arrow array as one of a column's type, each value kept as it is or refused.
//
// Thread-safe: a pure function.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "batch/bound_column.h"

namespace yarrow::batch {

// Makes the functions of arrow::compute callable by their names, once a process. Thread-safe.
arrow::Status RegisterKernels();

// The Arrow type whose buffers a column of `type` has: that of the storage for UUIDs.
std::shared_ptr<arrow::DataType> StorageType(const ColumnType& type);

// `array` itself where it lies as `type` does; else a copy. Numbers of any type become one another when they are equal,
// dates, times and timestamps when only their unit differs (and integers count in the column's unit), text is read as
// values of any type (Value::Parse), bytes become text, and 16 bytes a UUID. Dictionaries, views and large types are
// unpacked.
//
// An error otherwise: with the first row that has such a value in `misfit`, or, for types that never go into one
// another and arrays that are damaged, with its row as it was: -1. Values of the right type are not looked at:
// RowEncoder does that.
arrow::Result<std::shared_ptr<arrow::Array>> ExactCast(const std::shared_ptr<arrow::Array>& array,
                                                       const ColumnType& type, Misfit* misfit);

}  // namespace yarrow::batch
