#include <duckdb/main/database_manager.hpp>
#include <duckdb/main/settings.hpp>

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "sql/checked_commit.h"
#include "sql/confinement.h"
#include "sql/copy_database.h"
#include "sql/ingest_function.h"
#include "sql/job_functions.h"
#include "sql/point_plan.h"
#include "sql/rewrite_table.h"
#include "sql/scan_pushdown.h"
#include "sql/scan_serialization.h"
#include "sql/segment_file_system.h"
#include "sql/sequence.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/statement_retry.h"
#include "sql/transaction_id.h"
#include "sql/vacuum.h"
#include "yarrow/sql.h"

namespace yarrow::sql {
namespace {

constexpr const char* kType = "yarrow";

// What Attach was called with: names of users may be any text, also such as no statement can hold.
struct Handed {
  std::shared_ptr<Database> database;
  Options options;
};

// What ATTACH shares with Attach, and Attach hands to the statement that it runs: nobody else's statement gets it.
struct AttachedDatabases : public duckdb::StorageExtensionInfo {
  std::mutex mutex;
  std::map<const duckdb::ClientContext*, Handed> handed;
  std::shared_ptr<Confinement> confinement;

  std::optional<Handed> Find(const duckdb::ClientContext& context) {
    std::lock_guard lock(mutex);
    const auto at = handed.find(&context);
    return at == handed.end() ? std::nullopt : std::optional(at->second);
  }
};

// DuckDB takes these for its own files.
void RefuseStorageOptions(const duckdb::AttachOptions& options) {
  const auto refuse = [](const char* option, const char* instead) {
    throw duckdb::BinderException(std::string("Option ") + option +
                                  " is not for ATTACH (TYPE yarrow), where it would change nothing: " + instead);
  };
  if (options.recovery_mode != duckdb::RecoveryMode::DEFAULT) {
    refuse("recovery_mode", "commits are always logged");
  }
  if (options.vacuum_rebuild_indexes_threshold.IsValid()) {
    refuse("vacuum_rebuild_indexes", "there are no indexes to rebuild");
  }
}

Options TakeOptions(duckdb::AttachOptions& options) {
  Options taken;
  for (const auto& [name, value] : options.options) {
    if (duckdb::StringUtil::CIEquals(name, "user")) {
      taken.user = value.ToString();
    } else if (duckdb::StringUtil::CIEquals(name, "confined")) {
      taken.confined = duckdb::BooleanValue::Get(value.DefaultCastAs(duckdb::LogicalType::BOOLEAN));
    } else {
      throw duckdb::BinderException("Unknown option " + name + " of ATTACH (TYPE yarrow); there are USER and CONFINED");
    }
  }
  return taken;
}

// A directory named in SQL is a file like others, and the acting user is a setting.
void CheckMayOpen(duckdb::ClientContext& context, const std::string& path) {
  auto& config = duckdb::DBConfig::GetConfig(context);
  if (!config.CanAccessFile(path, duckdb::FileType::FILE_TYPE_DIR)) {
    throw duckdb::PermissionException(
        "ATTACH '" + path +
        "' (TYPE yarrow): the setting enable_external_access is off, and the directory is "
        "not in allowed_directories");
  }
  if (duckdb::Settings::Get<duckdb::LockConfigurationSetting>(context)) {
    throw duckdb::PermissionException("ATTACH '" + path +
                                      "' (TYPE yarrow): the setting lock_configuration is on, and the acting user is "
                                      "part of what it locks");
  }
}

duckdb::unique_ptr<duckdb::Catalog> AttachCatalog(duckdb::optional_ptr<duckdb::StorageExtensionInfo> storage_info,
                                                  duckdb::ClientContext& context, duckdb::AttachedDatabase& attached,
                                                  const duckdb::string&, duckdb::AttachInfo& info,
                                                  duckdb::AttachOptions& options) {
  RefuseStorageOptions(options);
  const bool is_read_only = options.access_mode == duckdb::AccessMode::READ_ONLY;
  auto& databases = static_cast<AttachedDatabases&>(*storage_info);
  if (databases.confinement->is_on()) {
    throw duckdb::PermissionException("this DuckDB instance is confined: no other database can be attached");
  }
  std::optional<Handed> handed = databases.Find(context);
  const Options taken = handed ? handed->options : TakeOptions(options);
  if (taken.confined && taken.user.empty()) {
    throw duckdb::BinderException("a confined session needs the acting user: name it with USER");
  }
  auto database = handed ? std::move(handed->database) : nullptr;
  if (database == nullptr) {
    CheckMayOpen(context, info.path);
    StoreOptions store;
    store.create_if_missing = !is_read_only;
    database = Check(Database::Open(info.path, store));
  }
  // Records the user, as every session does that may write.
  if (!is_read_only) Check(database->OpenSession({.user = taken.user}).status());
  if (taken.confined) databases.confinement->Begin(*context.db, attached.GetName());
  return duckdb::make_uniq<SqlCatalog>(attached, std::move(database), taken.user, taken.confined);
}

duckdb::unique_ptr<duckdb::TransactionManager> MakeTransactionManager(
    duckdb::optional_ptr<duckdb::StorageExtensionInfo>, duckdb::AttachedDatabase& attached, duckdb::Catalog& catalog) {
  return duckdb::make_uniq<SqlTransactionManager>(attached, catalog.Cast<SqlCatalog>());
}

AttachedDatabases& RegisterType(duckdb::DuckDB& duckdb) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  auto& config = duckdb::DBConfig::GetConfig(*duckdb.instance);
  if (const auto known = duckdb::StorageExtension::Find(config, kType)) {
    return static_cast<AttachedDatabases&>(*known->storage_info);
  }
  auto extension = duckdb::make_shared_ptr<duckdb::StorageExtension>();
  // Before those that change plans.
  auto confinement = Confinement::Register(config);
  extension->attach = AttachCatalog;
  extension->create_transaction_manager = MakeTransactionManager;
  auto databases = duckdb::make_shared_ptr<AttachedDatabases>();
  databases->confinement = std::move(confinement);
  AttachedDatabases& found = *databases;
  extension->storage_info = std::move(databases);
  duckdb::StorageExtension::Register(config, kType, std::move(extension));
  RegisterScanPushdown(config);
  RegisterStatementRetry(config);
  RegisterCheckedCommit(config);
  RegisterPointPlans(config);
  RegisterVacuum(config);
  RegisterTableRewrites(config);
  RegisterDatabaseCopies(config);
  RegisterScanFunction(*duckdb.instance);
  RegisterSegmentFileSystem(*duckdb.instance);
  RegisterJobFunctions(*duckdb.instance);
  RegisterIngestFunction(*duckdb.instance);
  RegisterTransactionId(*duckdb.instance);
  RegisterSequenceFunctions(*duckdb.instance);
  RegisterIndexExpressions();
  return found;
}

}  // namespace

arrow::Status Register(duckdb::DuckDB& duckdb) {
  RegisterType(duckdb);
  return arrow::Status::OK();
}

arrow::Status Attach(duckdb::DuckDB& duckdb, std::shared_ptr<Database> database, const std::string& name,
                     const Options& options) {
  AttachedDatabases& databases = RegisterType(duckdb);
  const std::string path = database->store()->path().string();
  const std::string statement = "ATTACH " + duckdb::KeywordHelper::WriteQuoted(path, '\'') + " AS " +
                                duckdb::KeywordHelper::WriteQuoted(name, '"') + " (TYPE yarrow)";
  duckdb::Connection connection(duckdb);
  {
    std::lock_guard lock(databases.mutex);
    databases.handed[connection.context.get()] = {std::move(database), options};
  }
  const auto result = connection.Query(statement);
  {
    std::lock_guard lock(databases.mutex);
    databases.handed.erase(connection.context.get());
  }
  if (result->HasError()) return arrow::Status::Invalid(result->GetError());
  if (!options.confined) return arrow::Status::OK();
  // Nobody can USE it any more, so it is what connections begin with.
  try {
    connection.context->RunFunctionInTransaction(
        [&] { duckdb::DatabaseManager::Get(*connection.context).SetDefaultDatabase(*connection.context, name); });
  } catch (const std::exception& exception) {
    return arrow::Status::Invalid(duckdb::ErrorData(exception).Message());
  }
  return arrow::Status::OK();
}

}  // namespace yarrow::sql
