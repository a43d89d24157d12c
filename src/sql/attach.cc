#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include "sql/compact_function.h"
#include "sql/flush_function.h"
#include "sql/job_functions.h"
#include "sql/point_plan.h"
#include "sql/scan_pushdown.h"
#include "sql/scan_serialization.h"
#include "sql/segment_file_system.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/transaction_id.h"
#include "yarrow/sql.h"

namespace yarrow::sql {
namespace {

constexpr const char* kType = "yarrow";

// Databases that Attach hands to the ATTACH statement it runs, by path.
struct OpenDatabases : public duckdb::StorageExtensionInfo {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Database>> by_path;

  std::shared_ptr<Database> Find(const std::string& path) {
    std::lock_guard lock(mutex);
    const auto at = by_path.find(path);
    return at == by_path.end() ? nullptr : at->second;
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

std::string TakeUser(duckdb::AttachOptions& options) {
  std::string user;
  for (const auto& [name, value] : options.options) {
    if (!duckdb::StringUtil::CIEquals(name, "user")) {
      throw duckdb::BinderException("Unknown option " + name + " of ATTACH (TYPE yarrow); there is USER");
    }
    user = value.ToString();
  }
  return user;
}

duckdb::unique_ptr<duckdb::Catalog> AttachCatalog(duckdb::optional_ptr<duckdb::StorageExtensionInfo> storage_info,
                                                  duckdb::ClientContext&, duckdb::AttachedDatabase& attached,
                                                  const duckdb::string&, duckdb::AttachInfo& info,
                                                  duckdb::AttachOptions& options) {
  RefuseStorageOptions(options);
  const std::string user = TakeUser(options);
  auto database = static_cast<OpenDatabases&>(*storage_info).Find(info.path);
  if (database == nullptr) {
    StoreOptions store;
    store.create_if_missing = options.access_mode != duckdb::AccessMode::READ_ONLY;
    database = Check(Database::Open(info.path, store));
  }
  // Records the user, as every session does.
  Check(database->OpenSession({.user = user}).status());
  return duckdb::make_uniq<SqlCatalog>(attached, std::move(database), user);
}

duckdb::unique_ptr<duckdb::TransactionManager> MakeTransactionManager(
    duckdb::optional_ptr<duckdb::StorageExtensionInfo>, duckdb::AttachedDatabase& attached, duckdb::Catalog& catalog) {
  return duckdb::make_uniq<SqlTransactionManager>(attached, catalog.Cast<SqlCatalog>());
}

OpenDatabases& RegisterType(duckdb::DuckDB& duckdb) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  auto& config = duckdb::DBConfig::GetConfig(*duckdb.instance);
  if (const auto known = duckdb::StorageExtension::Find(config, kType)) {
    return static_cast<OpenDatabases&>(*known->storage_info);
  }
  auto extension = duckdb::make_shared_ptr<duckdb::StorageExtension>();
  extension->attach = AttachCatalog;
  extension->create_transaction_manager = MakeTransactionManager;
  auto databases = duckdb::make_shared_ptr<OpenDatabases>();
  OpenDatabases& found = *databases;
  extension->storage_info = std::move(databases);
  duckdb::StorageExtension::Register(config, kType, std::move(extension));
  RegisterScanPushdown(config);
  RegisterPointPlans(config);
  RegisterScanFunction(*duckdb.instance);
  RegisterSegmentFileSystem(*duckdb.instance);
  RegisterFlushFunction(*duckdb.instance);
  RegisterCompactFunction(*duckdb.instance);
  RegisterJobFunctions(*duckdb.instance);
  RegisterTransactionId(*duckdb.instance);
  return found;
}

}  // namespace

arrow::Status Register(duckdb::DuckDB& duckdb) {
  RegisterType(duckdb);
  return arrow::Status::OK();
}

arrow::Status Attach(duckdb::DuckDB& duckdb, std::shared_ptr<Database> database, const std::string& name,
                     const SessionOptions& options) {
  OpenDatabases& databases = RegisterType(duckdb);
  const std::string path = database->store()->path().string();
  {
    std::lock_guard lock(databases.mutex);
    databases.by_path[path] = std::move(database);
  }
  std::string statement = "ATTACH " + duckdb::KeywordHelper::WriteQuoted(path, '\'') + " AS " +
                          duckdb::KeywordHelper::WriteQuoted(name, '"') + " (TYPE yarrow";
  if (!options.user.empty()) statement += ", USER " + duckdb::KeywordHelper::WriteQuoted(options.user, '\'');
  const auto result = duckdb::Connection(duckdb).Query(statement + ")");
  {
    std::lock_guard lock(databases.mutex);
    databases.by_path.erase(path);
  }
  return result->HasError() ? arrow::Status::Invalid(result->GetError()) : arrow::Status::OK();
}

}  // namespace yarrow::sql
