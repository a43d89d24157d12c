// The ADBC driver of Yarrow: DuckDB's own, with a Yarrow database attached and made the default one.
//
// A database handle holds DuckDB's handle of an instance in memory, and the options that are ours: `path` (or `uri`),
// the directory, `user`, the acting user, and `confined`. Everything else is DuckDB's driver, called through the same
// table of functions that it gives to every driver manager. Source: the ADBC 1.1.0 specification
// (duckdb/common/adbc/adbc.h).
#include <duckdb/common/adbc/adbc.hpp>
#include <duckdb/common/adbc/wrappers.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>
#include <duckdb/main/materialized_query_result.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "adbc/connection.h"
#include "adbc/driver_info.h"
#include "adbc/duckdb_driver.h"
#include "adbc/entry_guard.h"
#include "adbc/guarded_stream.h"
#include "adbc/statement.h"
#include "sql/use_database.h"
#include "yarrow/database.h"
#include "yarrow/sql.h"

extern "C" AdbcStatusCode duckdb_adbc_init(int version, void* driver, AdbcError* error);

namespace yarrow::adbc {
namespace {

// The name of the attached database, as in the program.
constexpr const char* kCatalog = "db";

struct DatabaseHandle {
  AdbcDatabase duckdb = {};
  std::string path;
  std::string user;
  bool confined = false;
};

AdbcStatusCode FailWith(AdbcError* error, const arrow::Status& status) {
  const auto code = [&]() -> AdbcStatusCode {
    switch (status.code()) {
      case arrow::StatusCode::Invalid:
        return ADBC_STATUS_INVALID_ARGUMENT;
      case arrow::StatusCode::KeyError:
        return ADBC_STATUS_NOT_FOUND;
      case arrow::StatusCode::IOError:
        return ADBC_STATUS_IO;
      case arrow::StatusCode::NotImplemented:
        return ADBC_STATUS_NOT_IMPLEMENTED;
      default:
        return ADBC_STATUS_INTERNAL;
    }
  }();
  return Fail(error, code, status.message());
}

// What a caller that passes no handle, or one that is released, gets.
DatabaseHandle* HandleOf(AdbcDatabase* database, AdbcError* error) {
  if (database != nullptr && database->private_data != nullptr) {
    return static_cast<DatabaseHandle*>(database->private_data);
  }
  ::SetError(error, "The database handle is null or was released");
  return nullptr;
}

AdbcStatusCode DatabaseNew(AdbcDatabase* database, AdbcError* error) {
  if (database == nullptr) return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, "The database handle is null");
  auto handle = std::make_unique<DatabaseHandle>();
  const AdbcStatusCode code = DuckDbDriver().DatabaseNew(&handle->duckdb, error);
  if (code == ADBC_STATUS_OK) database->private_data = handle.release();
  return code;
}

AdbcStatusCode DatabaseSetOption(AdbcDatabase* database, const char* key, const char* value, AdbcError* error) {
  DatabaseHandle* handle = HandleOf(database, error);
  if (handle == nullptr) return ADBC_STATUS_INVALID_STATE;
  if (key == nullptr || value == nullptr) {
    return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, "The name or the value of an option is null");
  }
  const std::string_view name = key;
  if (name == "path" || name == "uri") {
    const std::string_view text = value;
    handle->path = text.starts_with("file://") ? text.substr(7) : text.starts_with("file:") ? text.substr(5) : text;
    return ADBC_STATUS_OK;
  }
  if (name == "user") {
    handle->user = value;
    return ADBC_STATUS_OK;
  }
  if (name == "confined") {
    const std::string_view text = value;
    if (text != ADBC_OPTION_VALUE_ENABLED && text != ADBC_OPTION_VALUE_DISABLED) {
      return Fail(error, ADBC_STATUS_INVALID_ARGUMENT,
                  "Option 'confined' is true or false, not '" + std::string(text) + "'");
    }
    handle->confined = text == ADBC_OPTION_VALUE_ENABLED;
    return ADBC_STATUS_OK;
  }
  return DuckDbDriver().DatabaseSetOption(&handle->duckdb, key, value, error);
}

AdbcStatusCode DatabaseSetOptionInt(AdbcDatabase* database, const char* key, int64_t value, AdbcError* error) {
  return DatabaseSetOption(database, key, std::to_string(value).c_str(), error);
}

AdbcStatusCode DatabaseSetOptionDouble(AdbcDatabase* database, const char* key, double value, AdbcError* error) {
  return DatabaseSetOption(database, key, std::to_string(value).c_str(), error);
}

AdbcStatusCode DatabaseSetOptionBytes(AdbcDatabase* database, const char* key, const uint8_t*, size_t,
                                      AdbcError* error) {
  if (HandleOf(database, error) == nullptr) return ADBC_STATUS_INVALID_STATE;
  return Fail(error, ADBC_STATUS_NOT_IMPLEMENTED, std::string("Option ") + key + " takes no bytes");
}

AdbcStatusCode DatabaseGetOption(AdbcDatabase* database, const char* key, char* value, size_t* length,
                                 AdbcError* error) {
  DatabaseHandle* handle = HandleOf(database, error);
  if (handle == nullptr) return ADBC_STATUS_INVALID_STATE;
  const std::string_view name = key;
  if (name == "confined") {
    return GetText(handle->confined ? ADBC_OPTION_VALUE_ENABLED : ADBC_OPTION_VALUE_DISABLED, value, length);
  }
  if (name != "path" && name != "uri" && name != "user") {
    return DuckDbDriver().DatabaseGetOption(&handle->duckdb, key, value, length, error);
  }
  return GetText(name == "user" ? handle->user : handle->path, value, length);
}

AdbcStatusCode DatabaseGetOptionBytes(AdbcDatabase* database, const char* key, uint8_t* value, size_t* length,
                                      AdbcError* error) {
  DatabaseHandle* handle = HandleOf(database, error);
  if (handle == nullptr) return ADBC_STATUS_INVALID_STATE;
  return DuckDbDriver().DatabaseGetOptionBytes(&handle->duckdb, key, value, length, error);
}

AdbcStatusCode DatabaseGetOptionInt(AdbcDatabase* database, const char* key, int64_t* value, AdbcError* error) {
  DatabaseHandle* handle = HandleOf(database, error);
  if (handle == nullptr) return ADBC_STATUS_INVALID_STATE;
  return DuckDbDriver().DatabaseGetOptionInt(&handle->duckdb, key, value, error);
}

AdbcStatusCode DatabaseGetOptionDouble(AdbcDatabase* database, const char* key, double* value, AdbcError* error) {
  DatabaseHandle* handle = HandleOf(database, error);
  if (handle == nullptr) return ADBC_STATUS_INVALID_STATE;
  return DuckDbDriver().DatabaseGetOptionDouble(&handle->duckdb, key, value, error);
}

arrow::Status AttachTo(duckdb::Connection& connection, const DatabaseHandle& handle) {
  ARROW_ASSIGN_OR_RAISE(auto database, Database::Open(handle.path));
  duckdb::DuckDB instance(*connection.context->db);
  return sql::Attach(instance, std::move(database), kCatalog, {.user = handle.user, .confined = handle.confined});
}

AdbcStatusCode DatabaseInit(AdbcDatabase* database, AdbcError* error) {
  DatabaseHandle* handle = HandleOf(database, error);
  if (handle == nullptr) return ADBC_STATUS_INVALID_STATE;
  if (handle->path.empty()) {
    return Fail(error, ADBC_STATUS_INVALID_ARGUMENT,
                "Option 'path' is missing: give the directory of the database; one that does not exist is created");
  }
  if (handle->confined && handle->user.empty()) {
    return Fail(error, ADBC_STATUS_INVALID_ARGUMENT, "Option 'confined' needs the acting user: give option 'user'");
  }
  AdbcDriver& duckdb = DuckDbDriver();
  AdbcStatusCode code = duckdb.DatabaseInit(&handle->duckdb, error);
  if (code != ADBC_STATUS_OK) return code;
  // DuckDB's handle tells its instance to connections only.
  AdbcConnection connection = {};
  code = duckdb.ConnectionNew(&connection, error);
  if (code != ADBC_STATUS_OK) return code;
  code = duckdb.ConnectionInit(&connection, &handle->duckdb, error);
  if (code == ADBC_STATUS_OK) {
    const arrow::Status attached = AttachTo(ConnectionOf(WrapperOf(connection)), *handle);
    if (!attached.ok()) code = FailWith(error, attached);
  }
  duckdb.ConnectionRelease(&connection, nullptr);
  return code;
}

AdbcStatusCode DatabaseRelease(AdbcDatabase* database, AdbcError* error) {
  DatabaseHandle* handle = HandleOf(database, error);
  if (handle == nullptr) return ADBC_STATUS_INVALID_STATE;
  const AdbcStatusCode code = DuckDbDriver().DatabaseRelease(&handle->duckdb, error);
  delete handle;
  database->private_data = nullptr;
  return code;
}

AdbcStatusCode ConnectionInit(AdbcConnection* connection, AdbcDatabase* database, AdbcError* error) {
  DatabaseHandle* handle = HandleOf(database, error);
  if (handle == nullptr) return ADBC_STATUS_INVALID_STATE;
  const AdbcStatusCode code = DuckDbDriver().ConnectionInit(connection, &handle->duckdb, error);
  if (code != ADBC_STATUS_OK) return code;
  sql::UseDatabase(*ConnectionOf(WrapperOf(*connection)).context, kCatalog);
  return ADBC_STATUS_OK;
}

void OverrideDatabase(AdbcDriver* driver) {
  driver->DatabaseNew = DatabaseNew;
  driver->DatabaseSetOption = DatabaseSetOption;
  driver->DatabaseInit = DatabaseInit;
  driver->DatabaseRelease = DatabaseRelease;
  driver->ConnectionInit = ConnectionInit;
  driver->ConnectionGetInfo = ConnectionGetInfo;
  driver->DatabaseGetOption = DatabaseGetOption;
  driver->DatabaseGetOptionBytes = DatabaseGetOptionBytes;
  driver->DatabaseGetOptionInt = DatabaseGetOptionInt;
  driver->DatabaseGetOptionDouble = DatabaseGetOptionDouble;
  driver->DatabaseSetOptionBytes = DatabaseSetOptionBytes;
  driver->DatabaseSetOptionInt = DatabaseSetOptionInt;
  driver->DatabaseSetOptionDouble = DatabaseSetOptionDouble;
}

// Members that tables of every version have.
void SetEntriesOf100(AdbcDriver* driver) {
  using D = AdbcDriver;
  SetGuarded<&D::DatabaseInit, &D::DatabaseNew, &D::DatabaseSetOption, &D::DatabaseRelease>(driver);
  SetGuarded<&D::ConnectionCommit, &D::ConnectionGetInfo, &D::ConnectionGetObjects, &D::ConnectionGetTableSchema,
             &D::ConnectionGetTableTypes, &D::ConnectionInit, &D::ConnectionNew, &D::ConnectionSetOption,
             &D::ConnectionReadPartition, &D::ConnectionRelease, &D::ConnectionRollback>(driver);
  SetGuarded<&D::StatementBind, &D::StatementBindStream, &D::StatementExecuteQuery, &D::StatementExecutePartitions,
             &D::StatementGetParameterSchema, &D::StatementNew, &D::StatementPrepare, &D::StatementRelease,
             &D::StatementSetOption, &D::StatementSetSqlQuery, &D::StatementSetSubstraitPlan>(driver);
}

void SetEntriesOf110(AdbcDriver* driver) {
  using D = AdbcDriver;
  SetGuarded<&D::DatabaseGetOption, &D::DatabaseGetOptionBytes, &D::DatabaseGetOptionDouble, &D::DatabaseGetOptionInt,
             &D::DatabaseSetOptionBytes, &D::DatabaseSetOptionDouble, &D::DatabaseSetOptionInt>(driver);
  SetGuarded<&D::ConnectionCancel, &D::ConnectionGetOption, &D::ConnectionGetOptionBytes, &D::ConnectionGetOptionDouble,
             &D::ConnectionGetOptionInt, &D::ConnectionGetStatistics, &D::ConnectionGetStatisticNames,
             &D::ConnectionSetOptionBytes, &D::ConnectionSetOptionDouble, &D::ConnectionSetOptionInt>(driver);
  SetGuarded<&D::StatementCancel, &D::StatementExecuteSchema, &D::StatementGetOption, &D::StatementGetOptionBytes,
             &D::StatementGetOptionDouble, &D::StatementGetOptionInt, &D::StatementSetOptionBytes,
             &D::StatementSetOptionDouble, &D::StatementSetOptionInt>(driver);
  driver->ErrorFromArrayStream = ErrorFromGuardedStream;
}

}  // namespace

const AdbcDriver& OwnDriver() {
  static const AdbcDriver driver = [] {
    AdbcDriver made = DuckDbDriver();
    OverrideDatabase(&made);
    OverrideConnection(&made);
    OverrideStatement(&made);
    return made;
  }();
  return driver;
}

}  // namespace yarrow::adbc

// The entry that driver managers look for. `version`: ADBC_VERSION_1_0_0 or ADBC_VERSION_1_1_0.
extern "C" __attribute__((visibility("default"))) AdbcStatusCode AdbcDriverInit(int version, void* driver,
                                                                                AdbcError* error) {
  const AdbcStatusCode code = duckdb_adbc_init(version, driver, error);
  if (code != ADBC_STATUS_OK) return code;
  yarrow::adbc::SetEntriesOf100(static_cast<AdbcDriver*>(driver));
  if (version >= ADBC_VERSION_1_1_0) yarrow::adbc::SetEntriesOf110(static_cast<AdbcDriver*>(driver));
  return code;
}

// The name that driver managers make of the library's, libyarrow_adbc. They look for it first, and put into every later
// error that it was missing.
extern "C" __attribute__((visibility("default"))) AdbcStatusCode AdbcYarrowAdbcInit(int version, void* driver,
                                                                                    AdbcError* error) {
  return AdbcDriverInit(version, driver, error);
}
