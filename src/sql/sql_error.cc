#include "sql/sql_error.h"

#include "batch/row_encoder.h"
#include "sql/duckdb_api.h"
#include "yarrow/store.h"

namespace yarrow::sql {

void Check(const arrow::Status& status) {
  if (status.ok()) return;
  const std::string& message = status.message();
  if (IsConflict(status)) throw duckdb::TransactionException(message);
  if (IsNotNullViolation(status)) throw duckdb::ConstraintException(message);
  switch (status.code()) {
    case arrow::StatusCode::AlreadyExists:
      throw duckdb::ConstraintException(message);
    case arrow::StatusCode::KeyError:
      throw duckdb::CatalogException(message);
    case arrow::StatusCode::Cancelled:
      throw duckdb::InterruptException();
    case arrow::StatusCode::IOError:
      throw duckdb::IOException(message);
    case arrow::StatusCode::NotImplemented:
      throw duckdb::NotImplementedException(message);
    case arrow::StatusCode::OutOfMemory:
      throw duckdb::OutOfMemoryException(message);
    default:
      throw duckdb::InvalidInputException(message);
  }
}

}  // namespace yarrow::sql
