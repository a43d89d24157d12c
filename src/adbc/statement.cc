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
#include "adbc/ingest.h"

namespace yarrow::adbc {
namespace {

using RowStream = std::shared_ptr<arrow::RecordBatchReader>;

// What a statement knows beside DuckDB's.
struct StatementState {
  duckdb::DuckDBAdbcConnectionWrapper* connection = nullptr;
  std::string query;        // the last one
  bool is_prepared = true;  // false: DuckDB could not prepare the query
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

// Runs the statements of the query but the last, which it prepares.
AdbcStatusCode Prepare(AdbcStatement* statement, StatementState* state, AdbcError* error) {
  state->is_prepared = false;
  const AdbcStatusCode code = DuckDbDriver().StatementSetSqlQuery(statement, state->query.c_str(), error);
  state->is_prepared = code == ADBC_STATUS_OK;
  return KeepTransaction(*state->connection, code, error);
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
      const AdbcStatusCode code = ExecuteRow(statement, *batch->Slice(i, 1), out, &changed, error);
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
  code = bound == nullptr ? DuckDbDriver().StatementExecuteQuery(statement, out, affected, error)
                          : ExecuteRows(statement, *bound, out, affected, error);
  return KeepTransaction(*States().Of(*statement).connection, code, error);
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
}

}  // namespace yarrow::adbc
