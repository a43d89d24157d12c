#include "adbc/connection.h"

#include <duckdb/common/adbc/options.h>

#include <duckdb/common/adbc/wrappers.hpp>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/materialized_query_result.hpp>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "adbc/duckdb_driver.h"
#include "sql/statement_retry.h"

namespace yarrow::adbc {
namespace {

using Wrapper = duckdb::DuckDBAdbcConnectionWrapper;

// The connections that do not commit by themselves. Each is used by one thread at a time, but there are several.
class ManualConnections {
 public:
  void Set(const Wrapper& connection, bool is_manual) {
    const std::lock_guard lock(mutex_);
    if (is_manual) {
      connections_.insert(&connection);
    } else {
      connections_.erase(&connection);
    }
  }
  bool Holds(const Wrapper& connection) {
    const std::lock_guard lock(mutex_);
    return connections_.contains(&connection);
  }

 private:
  std::mutex mutex_;
  std::unordered_set<const Wrapper*> connections_;
};

ManualConnections& Manual() {
  static ManualConnections connections;
  return connections;
}

bool IsGone(const AdbcConnection* connection, AdbcError* error) {
  if (connection != nullptr && connection->private_data != nullptr) return false;
  Fail(error, ADBC_STATUS_INVALID_STATE, "The connection is null or was released");
  return true;
}

AdbcStatusCode ConnectionSetOption(AdbcConnection* connection, const char* key, const char* value, AdbcError* error) {
  if (IsGone(connection, error)) return ADBC_STATUS_INVALID_STATE;
  if (key == nullptr) return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, "The name of an option is null");
  Wrapper& wrapper = WrapperOf(*connection);
  const AdbcStatusCode code = DuckDbDriver().ConnectionSetOption(connection, key, value, error);
  if (code == ADBC_STATUS_OK && std::string_view(key) == ADBC_CONNECTION_OPTION_AUTOCOMMIT) {
    Manual().Set(wrapper, std::string_view(value) == ADBC_OPTION_VALUE_DISABLED);
  }
  return KeepTransaction(wrapper, code, error);
}

AdbcStatusCode ConnectionSetOptionInt(AdbcConnection* connection, const char* key, int64_t value, AdbcError* error) {
  if (key == nullptr || std::string_view(key) != ADBC_CONNECTION_OPTION_AUTOCOMMIT) {
    return ConnectionSetOption(connection, key, std::to_string(value).c_str(), error);
  }
  const char* const word = value == 0 ? ADBC_OPTION_VALUE_DISABLED : ADBC_OPTION_VALUE_ENABLED;
  return ConnectionSetOption(connection, key, word, error);
}

// DuckDB's reads the two names out of Arrow buffers that it takes for those of its default settings.
AdbcStatusCode ConnectionGetOption(AdbcConnection* connection, const char* key, char* value, size_t* length,
                                   AdbcError* error) {
  if (IsGone(connection, error)) return ADBC_STATUS_INVALID_STATE;
  const std::string_view name = key == nullptr ? "" : key;
  const char* sql = nullptr;
  if (name == ADBC_CONNECTION_OPTION_CURRENT_CATALOG) sql = "SELECT current_catalog()";
  if (name == ADBC_CONNECTION_OPTION_CURRENT_DB_SCHEMA) sql = "SELECT current_schema()";
  Wrapper& wrapper = WrapperOf(*connection);
  if (sql == nullptr || wrapper.connection == nullptr) {
    return DuckDbDriver().ConnectionGetOption(connection, key, value, length, error);
  }
  wrapper.MaterializeStreams();
  const auto result = ConnectionOf(wrapper).Query(sql);
  if (result->HasError()) return Fail(error, ADBC_STATUS_INTERNAL, result->GetError());
  return GetText(result->GetValue(0, 0).ToString(), value, length);
}

AdbcStatusCode ConnectionCommit(AdbcConnection* connection, AdbcError* error) {
  if (IsGone(connection, error)) return ADBC_STATUS_INVALID_STATE;
  AdbcError unheard = {};
  if (error == nullptr) error = &unheard;
  AdbcStatusCode code = DuckDbDriver().ConnectionCommit(connection, error);
  code = KeepTransaction(WrapperOf(*connection), code, error);
  if (unheard.release != nullptr) unheard.release(&unheard);
  return code;
}

AdbcStatusCode ConnectionRollback(AdbcConnection* connection, AdbcError* error) {
  if (IsGone(connection, error)) return ADBC_STATUS_INVALID_STATE;
  return KeepTransaction(WrapperOf(*connection), DuckDbDriver().ConnectionRollback(connection, error), error);
}

AdbcStatusCode ConnectionCancel(AdbcConnection* connection, AdbcError* error) {
  if (IsGone(connection, error)) return ADBC_STATUS_INVALID_STATE;
  if (WrapperOf(*connection).connection != nullptr) {
    sql::TellOfCancel(*ConnectionOf(WrapperOf(*connection)).context);
  }
  return DuckDbDriver().ConnectionCancel(connection, error);
}

AdbcStatusCode ConnectionRelease(AdbcConnection* connection, AdbcError* error) {
  if (connection != nullptr && connection->private_data != nullptr) Manual().Set(WrapperOf(*connection), false);
  return DuckDbDriver().ConnectionRelease(connection, error);
}

}  // namespace

duckdb::DuckDBAdbcConnectionWrapper& WrapperOf(const AdbcConnection& connection) {
  return *static_cast<Wrapper*>(connection.private_data);
}

duckdb::Connection& ConnectionOf(const duckdb::DuckDBAdbcConnectionWrapper& wrapper) {
  return *reinterpret_cast<duckdb::Connection*>(wrapper.connection);
}

AdbcStatusCode KeepTransaction(duckdb::DuckDBAdbcConnectionWrapper& wrapper, AdbcStatusCode code, AdbcError* error) {
  if (wrapper.connection == nullptr || !Manual().Holds(wrapper)) return code;
  duckdb::Connection& connection = ConnectionOf(wrapper);
  if (connection.HasActiveTransaction()) return code;
  const auto begun = connection.Query("BEGIN TRANSACTION");
  if (!begun->HasError() || code != ADBC_STATUS_OK) return code;
  return Fail(error, ADBC_STATUS_INTERNAL, begun->GetError());
}

void OverrideConnection(AdbcDriver* driver) {
  driver->ConnectionSetOption = ConnectionSetOption;
  driver->ConnectionSetOptionInt = ConnectionSetOptionInt;
  driver->ConnectionGetOption = ConnectionGetOption;
  driver->ConnectionCommit = ConnectionCommit;
  driver->ConnectionRollback = ConnectionRollback;
  driver->ConnectionRelease = ConnectionRelease;
  driver->ConnectionCancel = ConnectionCancel;
}

}  // namespace yarrow::adbc
