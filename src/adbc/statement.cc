#include "adbc/statement.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>

#include <duckdb/common/adbc/adbc.hpp>
#include <duckdb/common/adbc/wrappers.hpp>
#include <duckdb/main/connection.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "adbc/connection.h"
#include "adbc/duckdb_driver.h"
#include "adbc/exact_stream.h"
#include "adbc/ingest.h"
#include "sql/statement_retry.h"
#include "sql/task_errors.h"

namespace yarrow::adbc {
namespace {

using RowStream = std::shared_ptr<arrow::RecordBatchReader>;

// What a statement knows beside DuckDB's.
struct StatementState {
  duckdb::DuckDBAdbcConnectionWrapper* connection = nullptr;
  std::string query;        // the last one
  bool is_prepared = true;  // false: DuckDB could not prepare the query
  bool reads_once = true;   // the plan
  IngestOptions ingest;
  RowStream bound;
};

// By DuckDB's handle. A statement is used by one thread at a time, but statements are made and released in several.
class StatementTable {
 public:
  StatementState& Of(const AdbcStatement& statement) {
    const std::lock_guard lock(mutex_);
    return states_[statement.private_data];
  }
  void Remove(const AdbcStatement& statement) {
    const std::lock_guard lock(mutex_);
    states_.erase(statement.private_data);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<const void*, StatementState> states_;
};

StatementTable& States() {
  static StatementTable table;
  return table;
}

bool IsGone(const AdbcStatement* statement, AdbcError* error) {
  if (statement != nullptr && statement->private_data != nullptr) return false;
  ::SetError(error, "The statement is null or was released");
  return true;
}

AdbcStatusCode StatementNew(AdbcConnection* connection, AdbcStatement* statement, AdbcError* error) {
  const AdbcStatusCode code = DuckDbDriver().StatementNew(connection, statement, error);
  if (code != ADBC_STATUS_OK) return code;
  States().Of(*statement).connection = &WrapperOf(*connection);
  return code;
}

AdbcStatusCode StatementRelease(AdbcStatement* statement, AdbcError* error) {
  if (statement != nullptr && statement->private_data != nullptr) States().Remove(*statement);
  return DuckDbDriver().StatementRelease(statement, error);
}

duckdb::ClientContext& ContextOf(const StatementState& state) {
  return *ConnectionOf(*state.connection).context;
}

// Calls what runs a statement, and calls it again when the statement lost a race. `error` must not be null.
template <class Function>
AdbcStatusCode RunWithRetry(const StatementState& state, AdbcError* error, Function run) {
  sql::StatementRetry retry(ContextOf(state));
  for (;;) {
    const AdbcStatusCode code = run();
    if (code == ADBC_STATUS_OK || error->message == nullptr || !retry.ShouldRunAgain(error->message)) {
      return code;
    }
    if (error->release != nullptr) error->release(error);
    error->message = nullptr;
    error->release = nullptr;
  }
}

// Runs one of several statements of a query.
AdbcStatusCode RunEarlier(const StatementState& state, duckdb::SQLStatement& statement, AdbcError* error) {
  return RunWithRetry(state, error, [&]() -> AdbcStatusCode {
    const auto result = ConnectionOf(*state.connection).Query(statement.Copy());
    if (!result->HasError()) return ADBC_STATUS_OK;
    return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, result->GetError());
  });
}

bool IsOneStatement(const duckdb::DuckDBAdbcConnectionWrapper& connection, const std::string& text) {
  try {
    return ConnectionOf(connection).ExtractStatements(text).size() == 1;
  } catch (const std::exception&) {
    return false;
  }
}

// Runs the statements of the query but the last, whose text is put into `last`.
AdbcStatusCode RunAllButLast(const StatementState& state, std::string* last, AdbcError* error) {
  *last = state.query;
  if (state.query.find(';') == std::string::npos) return ADBC_STATUS_OK;
  state.connection->MaterializeStreams();
  duckdb::vector<duckdb::unique_ptr<duckdb::SQLStatement>> statements;
  try {
    statements = ConnectionOf(*state.connection).ExtractStatements(state.query);
  } catch (const std::exception&) {
    return ADBC_STATUS_OK;  // DuckDB's driver parses the query anew and reports the error
  }
  if (statements.size() < 2) return ADBC_STATUS_OK;
  const duckdb::SQLStatement& end = *statements.back();
  std::string text = end.query.substr(end.stmt_location, end.stmt_length);
  // What is written as one statement and runs as several (PIVOT) has no text of its own, but one that DuckDB made, and
  // the place of another in it: DuckDB's driver runs all of them.
  if (state.query.find(text) == std::string::npos) return ADBC_STATUS_OK;
  if (!IsOneStatement(*state.connection, text)) return ADBC_STATUS_OK;
  statements.pop_back();
  for (const auto& statement : statements) {
    const AdbcStatusCode code = KeepTransaction(*state.connection, RunEarlier(state, *statement, error), error);
    if (code != ADBC_STATUS_OK) return code;
  }
  *last = std::move(text);
  return ADBC_STATUS_OK;
}

// Runs the statements of the query but the last, which it prepares.
AdbcStatusCode Prepare(AdbcStatement* statement, StatementState* state, AdbcError* error) {
  AdbcError unheard = {};
  if (error == nullptr) error = &unheard;
  state->is_prepared = false;
  std::string last;
  AdbcStatusCode code = RunAllButLast(*state, &last, error);
  if (code == ADBC_STATUS_OK) code = DuckDbDriver().StatementSetSqlQuery(statement, last.c_str(), error);
  state->is_prepared = code == ADBC_STATUS_OK;
  state->reads_once = sql::ReadsOnce(ContextOf(*state));
  code = KeepTransaction(*state->connection, code, error);
  if (unheard.release != nullptr) unheard.release(&unheard);
  return code;
}

AdbcStatusCode EnsurePrepared(AdbcStatement* statement, AdbcError* error) {
  if (IsGone(statement, error)) return ADBC_STATUS_INVALID_STATE;
  StatementState& state = States().Of(*statement);
  return state.is_prepared ? ADBC_STATUS_OK : Prepare(statement, &state, error);
}

AdbcStatusCode StatementSetSqlQuery(AdbcStatement* statement, const char* query, AdbcError* error) {
  if (IsGone(statement, error)) return ADBC_STATUS_INVALID_STATE;
  if (query == nullptr) return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, "The query is null");
  StatementState& state = States().Of(*statement);
  state.ingest = {};
  state.query = query;
  return Prepare(statement, &state, error);
}

AdbcStatusCode StatementPrepare(AdbcStatement* statement, AdbcError* error) {
  const AdbcStatusCode code = EnsurePrepared(statement, error);
  return code == ADBC_STATUS_OK ? DuckDbDriver().StatementPrepare(statement, error) : code;
}

AdbcStatusCode StatementExecuteSchema(AdbcStatement* statement, ArrowSchema* schema, AdbcError* error) {
  const AdbcStatusCode code = EnsurePrepared(statement, error);
  return code == ADBC_STATUS_OK ? DuckDbDriver().StatementExecuteSchema(statement, schema, error) : code;
}

AdbcStatusCode StatementGetParameterSchema(AdbcStatement* statement, ArrowSchema* schema, AdbcError* error) {
  const AdbcStatusCode code = EnsurePrepared(statement, error);
  return code == ADBC_STATUS_OK ? DuckDbDriver().StatementGetParameterSchema(statement, schema, error) : code;
}

AdbcStatusCode StatementSetOption(AdbcStatement* statement, const char* key, const char* value, AdbcError* error) {
  if (IsGone(statement, error)) return ADBC_STATUS_INVALID_STATE;
  if (key == nullptr) return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, "The name of an option is null");
  const std::string text = value == nullptr ? "" : value;
  switch (States().Of(*statement).ingest.Set(key, text)) {
    case IngestOptions::Outcome::kTaken:
      return ADBC_STATUS_OK;
    case IngestOptions::Outcome::kBadValue:
      return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, "Option " + std::string(key) + " cannot be '" + text + "'");
    case IngestOptions::Outcome::kUnknown:
      break;
  }
  return DuckDbDriver().StatementSetOption(statement, key, value, error);
}

AdbcStatusCode Bind(AdbcStatement* statement, arrow::Result<RowStream> stream, AdbcError* error) {
  if (!stream.ok()) return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, stream.status().message());
  States().Of(*statement).bound = *std::move(stream);
  return ADBC_STATUS_OK;
}

AdbcStatusCode StatementBind(AdbcStatement* statement, ArrowArray* values, ArrowSchema* schema, AdbcError* error) {
  if (IsGone(statement, error)) return ADBC_STATUS_INVALID_STATE;
  return Bind(
      statement,
      [&]() -> arrow::Result<RowStream> {
        ARROW_ASSIGN_OR_RAISE(auto batch, arrow::ImportRecordBatch(values, schema));
        const auto columns = batch->schema();
        return arrow::RecordBatchReader::Make({std::move(batch)}, columns);
      }(),
      error);
}

AdbcStatusCode StatementBindStream(AdbcStatement* statement, ArrowArrayStream* stream, AdbcError* error) {
  if (IsGone(statement, error)) return ADBC_STATUS_INVALID_STATE;
  return Bind(statement, arrow::ImportRecordBatchReader(stream), error);
}

// Runs the statement with one row of parameters.
AdbcStatusCode ExecuteRow(AdbcStatement* statement, const arrow::RecordBatch& row, ArrowArrayStream* out,
                          int64_t* affected, AdbcError* error) {
  ArrowArray values = {};
  ArrowSchema schema = {};
  const arrow::Status exported = arrow::ExportRecordBatch(row, &values, &schema);
  if (!exported.ok()) return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, exported.message());
  const AdbcStatusCode code = DuckDbDriver().StatementBind(statement, &values, &schema, error);
  if (code != ADBC_STATUS_OK) return code;
  return DuckDbDriver().StatementExecuteQuery(statement, out, affected, error);
}

// Runs the prepared statement once: with a row of parameters, or (null) without.
AdbcStatusCode ExecuteOnce(AdbcStatement* statement, const arrow::RecordBatch* row, ArrowArrayStream* out,
                           int64_t* affected, AdbcError* error) {
  const StatementState& state = States().Of(*statement);
  return RunWithRetry(state, error, [&] {
    sql::SetReadsOnce(ContextOf(state), state.reads_once);
    const AdbcStatusCode code = row == nullptr ? DuckDbDriver().StatementExecuteQuery(statement, out, affected, error)
                                               : ExecuteRow(statement, *row, out, affected, error);
    if (code == ADBC_STATUS_OK) sql::KeepTaskErrors(ContextOf(state));
    return code;
  });
}

AdbcStatusCode ExecuteRows(AdbcStatement* statement, arrow::RecordBatchReader& rows, ArrowArrayStream* out,
                           int64_t* affected, AdbcError* error) {
  int64_t sum = 0;
  bool has_result = false;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    const arrow::Status read = rows.ReadNext(&batch);
    if (!read.ok()) return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, read.message());
    if (batch == nullptr) break;
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      if (std::exchange(has_result, out != nullptr)) {
        out->release(out);
        return Fail(error, ADBC_STATUS_NOT_IMPLEMENTED,
                    "A statement with a result takes one row of parameters; run it once for each row");
      }
      int64_t changed = 0;
      const AdbcStatusCode code = ExecuteOnce(statement, batch->Slice(i, 1).get(), out, &changed, error);
      if (code != ADBC_STATUS_OK) return code;
      sum += changed;
    }
  }
  if (affected != nullptr) *affected = sum;
  return ADBC_STATUS_OK;
}

AdbcStatusCode ExecuteSql(AdbcStatement* statement, const RowStream& bound, ArrowArrayStream* out, int64_t* affected,
                          AdbcError* error) {
  AdbcStatusCode code = EnsurePrepared(statement, error);
  if (code != ADBC_STATUS_OK) return code;
  AdbcError unheard = {};
  if (error == nullptr) error = &unheard;
  code = bound == nullptr
             ? ExecuteOnce(statement, nullptr, out, affected, error)
             : ExecuteRows(statement, *ExactStream(bound, "parameters", ReadableType), out, affected, error);
  code = KeepTransaction(*States().Of(*statement).connection, code, error);
  if (unheard.release != nullptr) unheard.release(&unheard);
  return code;
}

AdbcStatusCode ExecuteIngest(const StatementState& state, const IngestTarget& target, const RowStream& bound,
                             int64_t* affected, AdbcError* error) {
  if (bound == nullptr) {
    return Fail(error, ADBC_STATUS_INVALID_STATE, "Ingest into " + target.table + ": no rows are bound");
  }
  state.connection->MaterializeStreams();
  const IngestResult result = Ingest(ConnectionOf(*state.connection), target, bound);
  if (result.code != ADBC_STATUS_OK) return Fail(error, result.code, result.message);
  if (affected != nullptr) *affected = result.rows;
  return ADBC_STATUS_OK;
}

AdbcStatusCode StatementCancel(AdbcStatement* statement, AdbcError* error) {
  if (statement != nullptr && statement->private_data != nullptr) {
    sql::TellOfCancel(ContextOf(States().Of(*statement)));
  }
  return DuckDbDriver().StatementCancel(statement, error);
}

// A stream without columns, for what has no result.
AdbcStatusCode ExportNothing(ArrowArrayStream* out, AdbcError* error) {
  const auto none = arrow::RecordBatchReader::Make({}, arrow::schema({}));
  const arrow::Status exported = none.ok() ? arrow::ExportRecordBatchReader(*none, out) : none.status();
  return exported.ok() ? ADBC_STATUS_OK : Fail(error, ADBC_STATUS_INTERNAL, exported.message());
}

AdbcStatusCode StatementExecuteQuery(AdbcStatement* statement, ArrowArrayStream* out, int64_t* affected,
                                     AdbcError* error) {
  if (IsGone(statement, error)) return ADBC_STATUS_INVALID_STATE;
  StatementState& state = States().Of(*statement);
  const RowStream bound = std::move(state.bound);
  const std::optional<IngestTarget> target = state.ingest.TakeTarget();
  if (out != nullptr) out->release = nullptr;
  const AdbcStatusCode code = target ? ExecuteIngest(state, *target, bound, affected, error)
                                     : ExecuteSql(statement, bound, out, affected, error);
  if (code != ADBC_STATUS_OK || out == nullptr || out->release != nullptr) return code;
  return ExportNothing(out, error);
}

}  // namespace

void OverrideStatement(AdbcDriver* driver) {
  driver->StatementNew = StatementNew;
  driver->StatementRelease = StatementRelease;
  driver->StatementSetSqlQuery = StatementSetSqlQuery;
  driver->StatementPrepare = StatementPrepare;
  driver->StatementExecuteSchema = StatementExecuteSchema;
  driver->StatementGetParameterSchema = StatementGetParameterSchema;
  driver->StatementSetOption = StatementSetOption;
  driver->StatementBind = StatementBind;
  driver->StatementBindStream = StatementBindStream;
  driver->StatementExecuteQuery = StatementExecuteQuery;
  driver->StatementCancel = StatementCancel;
}

}  // namespace yarrow::adbc
