// Streams whose values DuckDB takes as they are: its own casts would round them, or drop what they have no place for.
#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "yarrow/type.h"

namespace yarrow::adbc {

// The type that a field is to have; nothing: DuckDB reads the field as it is.
using WantedType = std::function<std::optional<ColumnType>(const arrow::Field& field)>;

// The rows of `rows` with columns of the wanted types. Reading fails, naming `where`, column and value, at a value that
// has no equal in its type.
std::shared_ptr<arrow::RecordBatchReader> ExactStream(std::shared_ptr<arrow::RecordBatchReader> rows, std::string where,
                                                      const WantedType& wanted);

// What DuckDB would not read exactly by itself: it drops the time in date64 and the nanoseconds of timestamps with a
// time zone.
std::optional<ColumnType> ReadableType(const arrow::Field& field);

}  // namespace yarrow::adbc
