// Statuses of the layers below as exceptions of DuckDB, which is how its hooks report errors.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <utility>

namespace yarrow::sql {

// Throws the exception that DuckDB itself would for that kind of error, unless the status is OK. Never an internal or
// fatal one: those close the whole DuckDB instance.
void Check(const arrow::Status& status);

template <class T>
T Check(arrow::Result<T> result) {
  Check(result.status());
  return std::move(result).ValueUnsafe();
}

}  // namespace yarrow::sql
