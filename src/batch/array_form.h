// The forms in which arrays of a column lie: in the batches of scans and writes (BatchType), as programs get them, and
// in the Parquet files of segments. Pure functions, thread-safe.
//
// In Parquet, types that it lacks lie as text, which every reader shows and casts: HUGEINT, UHUGEINT, INTERVAL, TIMETZ,
// BIT, BIGNUM and ENUM. Lists, structs and maps lie as Parquet has them, an ARRAY as a list, a UNION as a struct of its
// tag and its members.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <vector>

#include "yarrow/type.h"

namespace yarrow::batch {

enum class ArrayForm { kUser, kParquet };

std::shared_ptr<arrow::DataType> TypeOfForm(const ColumnType& type, ArrayForm form);

// An array of BatchType(type) in the form; the same array where they are one. Invalid for a value that the form does
// not hold (an interval of more nanoseconds than 64 bits have, a moment that milliseconds do not), and for damaged
// bytes.
arrow::Result<std::shared_ptr<arrow::Array>> ToForm(const std::shared_ptr<arrow::Array>& array, const ColumnType& type,
                                                    ArrayForm form);

// TypeError for an array from a program that would be taken for one of batches: 16 bytes are no HUGEINT to others.
arrow::Status CheckUserArray(const arrow::DataType& array, const ColumnType& type);

// A batch of scans, whose columns are of these types, as programs get it. `schema`: with the types of ToArrow.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> ToUserBatch(const arrow::RecordBatch& batch,
                                                               const std::shared_ptr<arrow::Schema>& schema,
                                                               const std::vector<ColumnType>& types);

}  // namespace yarrow::batch
