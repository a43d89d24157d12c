#include "sql/task_errors.h"

#include <duckdb/execution/executor.hpp>
#include <duckdb/parallel/event.hpp>

#include "sql/connection_state.h"

namespace yarrow::sql {
namespace {

// An event that never comes: an executor drops its events when it has stopped the tasks of a query, just before it goes
// itself with the errors of the tasks.
class EndOfTasks : public duckdb::Event {
 public:
  EndOfTasks(duckdb::Executor& of, duckdb::shared_ptr<ConnectionState> state) : Event(of), state_(std::move(state)) {}
  ~EndOfTasks() override {
    try {
      if (!executor.HasError()) return;
      duckdb::ErrorData error = executor.GetError();
      executor.context.ProcessError(error, executor.context.GetCurrentQuery());
      state_->task_error = std::move(error);
    } catch (const std::exception&) {  // no memory for the copy: the query ends with what DuckDB says
    }
  }

  void Schedule() override {}

 private:
  const duckdb::shared_ptr<ConnectionState> state_;
};

bool RunsQuery(duckdb::ClientContext& context) {
  return context.transaction.HasActiveTransaction() && context.transaction.GetActiveQuery() != duckdb::MAXIMUM_QUERY_ID;
}

}  // namespace

void KeepTaskErrors(duckdb::ClientContext& context) {
  if (!RunsQuery(context)) return;
  duckdb::Executor& executor = context.GetExecutor();
  executor.AddEvent(duckdb::make_shared_ptr<EndOfTasks>(executor, ConnectionState::Of(context)));
}

}  // namespace yarrow::sql
