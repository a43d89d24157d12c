// Statuses of the layers below as exceptions of DuckDB, which is how its hooks report errors.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <string_view>
#include <utility>

namespace yarrow::sql {

// Of an error of DuckDB with its class in front: whether another transaction of the same database was first, and
// running the transaction again may succeed. All such errors are TransactionExceptions whose text begins with "write
// conflict: " (at a commit after "Failed to commit: ") and ends with "run the transaction again".
bool IsConflictMessage(std::string_view message);

// Throws the exception that DuckDB itself would for that kind of error, unless the status is OK. Never an internal or
// fatal one: those close the whole DuckDB instance.
void Check(const arrow::Status& status);

template <class T>
T Check(arrow::Result<T> result) {
  Check(result.status());
  return std::move(result).ValueUnsafe();
}

}  // namespace yarrow::sql
