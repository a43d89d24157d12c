#include "sql/connection_state.h"

#include <duckdb/main/valid_checker.hpp>
#include <duckdb/transaction/meta_transaction.hpp>

namespace yarrow::sql {

duckdb::shared_ptr<ConnectionState> ConnectionState::Of(duckdb::ClientContext& context) {
  return context.registered_state->GetOrCreate<ConnectionState>("yarrow_connection");
}

void ConnectionState::QueryBegin(duckdb::ClientContext& context) {
  task_error = duckdb::ErrorData();
  if (cancels_next) context.interrupted = true;
}

void ConnectionState::QueryEnd(duckdb::ClientContext& context, duckdb::optional_ptr<duckdb::ErrorData> error) {
  if (error && error->Type() == duckdb::ExceptionType::INTERRUPT && task_error.HasError()) *error = task_error;
  if (!error || !error->HasError() || !failure.empty() || !context.transaction.HasActiveTransaction()) return;
  if (duckdb::ValidChecker::IsInvalidated(context.ActiveTransaction())) failure = error->RawMessage();
}

void ConnectionState::TransactionBegin(duckdb::MetaTransaction&, duckdb::ClientContext&) {
  failure.clear();
}

}  // namespace yarrow::sql
