#include "sql/sql_error.h"

#include <string>
#include <string_view>
#include <utility>

#include "row/constraint_violation.h"
#include "sql/duckdb_api.h"
#include "yarrow/store.h"

namespace yarrow::sql {
namespace {

// What the layers below advise whoever calls them, and what to do in SQL.
constexpr std::pair<std::string_view, std::string_view> kAdvice[] = {
    {"UPDATE it, or write in upsert mode", "UPDATE it, or INSERT with ON CONFLICT or OR REPLACE"},
    {"use upsert mode to keep the last one", "INSERT OR IGNORE keeps one of them"},
};

std::string InSql(std::string message) {
  for (const auto& [below, here] : kAdvice) {
    if (message.ends_with(below)) message.replace(message.size() - below.size(), below.size(), here);
  }
  return message;
}

constexpr std::string_view kConflict = "write conflict: ";
constexpr std::string_view kRunAgain = "; run the transaction again";
// What the layers below say of a table that was opened by an old definition; statements open theirs anew.
constexpr std::string_view kOpenAgain = "; open it again and repeat what was done with it";

std::string ConflictInSql(std::string message) {
  if (!message.starts_with(kConflict)) message.insert(0, kConflict);
  if (message.ends_with(kOpenAgain)) message.resize(message.size() - kOpenAgain.size());
  if (!message.ends_with(kRunAgain)) message += kRunAgain;
  return message;
}

}  // namespace

bool IsConflictMessage(std::string_view message) {
  return message.starts_with("TransactionContext Error: ") && message.find(kConflict) != std::string_view::npos &&
         message.find(kRunAgain) != std::string_view::npos;
}

void Check(const arrow::Status& status) {
  if (status.ok()) return;
  const std::string& message = status.message();
  if (IsConflict(status)) throw duckdb::TransactionException(ConflictInSql(message));
  if (const ConstraintViolation* violation = FindConstraintViolation(status)) {
    const std::string& text = violation->sql_text();
    throw duckdb::ConstraintException(text + (text.ends_with('.') ? " " : "; ") + InSql(message));
  }
  switch (status.code()) {
    case arrow::StatusCode::AlreadyExists:
      throw duckdb::ConstraintException(InSql(message));
    case arrow::StatusCode::KeyError:
      throw duckdb::CatalogException(message);
    case arrow::StatusCode::Cancelled:
      throw duckdb::InterruptException();
    case arrow::StatusCode::IOError:
      throw duckdb::IOException(message);
    case arrow::StatusCode::NotImplemented:
      throw duckdb::NotImplementedException(message);
    case arrow::StatusCode::TypeError:
      throw duckdb::InvalidTypeException(message);
    case arrow::StatusCode::OutOfMemory:
      throw duckdb::OutOfMemoryException(message);
    default:
      throw duckdb::InvalidInputException(message);
  }
}

}  // namespace yarrow::sql
