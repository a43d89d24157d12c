// Whether arrays hold what their types say: Arrow's full validation, but for the end of a day. Arrow takes 24:00:00 for
// no time of day; DuckDB, PostgreSQL and Yarrow do.
#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

namespace yarrow::batch {

// Invalid, saying what is wrong. Reads all of the array. Times of day are not looked at.
arrow::Status ValidateInFull(const arrow::Array& array);
// Of all columns.
arrow::Status ValidateInFull(const arrow::RecordBatch& batch);

}  // namespace yarrow::batch
