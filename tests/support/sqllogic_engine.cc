#include "sqllogic_engine.h"

#include <duckdb/main/database_manager.hpp>
#include <duckdb/parser/keyword_helper.hpp>
#include <stdexcept>
#include <utility>

#include "yarrow/sql.h"

namespace yarrow::test {
namespace {

// No script may load what is not there.
void SetUp(duckdb::DBConfig* config) {
  config->SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
  config->SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
  config->SetOptionByName("allow_unsigned_extensions", duckdb::Value::BOOLEAN(true));
}

void ThrowIfError(const arrow::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

std::unique_ptr<duckdb::Connection> ConnectTo(duckdb::DuckDB* duckdb, const std::string& settings) {
  auto connection = std::make_unique<duckdb::Connection>(*duckdb);
  if (const auto result = connection->Query(settings); result->HasError()) throw std::runtime_error(result->GetError());
  return connection;
}

}  // namespace

void NativeEngine::Open(const std::filesystem::path& path, bool read_only) {
  path_ = path;
  read_only_ = read_only;
  duckdb::DBConfig config;
  SetUp(&config);
  if (read_only) config.SetOptionByName("access_mode", duckdb::Value("READ_ONLY"));
  duckdb_ = std::make_unique<duckdb::DuckDB>(path.empty() ? ":memory:" : path.string(), &config);
}

void NativeEngine::Reopen() {
  Close();
  Open(path_, read_only_);
}

std::unique_ptr<duckdb::Connection> NativeEngine::Connect() {
  return ConnectTo(duckdb_.get(), "SET TimeZone = 'UTC'");
}

void YarrowEngine::Open(const std::filesystem::path& path, bool) {
  folder_ = path.empty() ? dir_.File("db" + std::to_string(++unnamed_)) : path;
  auto database = Database::Open(folder_, {.durability = Durability::kOs});
  ThrowIfError(database.status());
  database_ = *std::move(database);
  duckdb::DBConfig config;
  SetUp(&config);
  duckdb_ = std::make_unique<duckdb::DuckDB>(nullptr, &config);
  if (name_.has_value()) return ThrowIfError(sql::Attach(*duckdb_, database_, *name_));
  const std::string name = path.empty() ? "memory" : path.stem().string();
  const auto connection = ConnectTo(duckdb_.get(), "ATTACH ':memory:' AS own; USE own; DETACH memory");
  ThrowIfError(sql::Attach(*duckdb_, database_, name));
  connection->context->RunFunctionInTransaction(
      [&] { duckdb::DatabaseManager::Get(*connection->context).SetDefaultDatabase(*connection->context, name); });
  const auto result = connection->Query("USE " + duckdb::KeywordHelper::WriteQuoted(name, '"') + "; DETACH own");
  if (result->HasError()) throw std::runtime_error(result->GetError());
}

void YarrowEngine::Close() {
  duckdb_.reset();
  database_.reset();
}

void YarrowEngine::Reopen() {
  Close();
  Open(folder_, false);
}

std::unique_ptr<duckdb::Connection> YarrowEngine::Connect() {
  return ConnectTo(duckdb_.get(), (name_ ? "USE " + *name_ + "; " : "") + "SET TimeZone = 'UTC'");
}

void YarrowEngine::BeforeQuery() {
  if (tier_ == Tier::kHot) return;
  auto session = database_->OpenSession();
  ThrowIfError(session.status());
  for (const auto& definition : database_->Tables()) {
    if (definition->kind != TableKind::kShared) continue;
    auto table = (*session)->OpenTable(definition->QualifiedName());
    if (table.ok()) ThrowIfError((*table)->Flush().status());
  }
}

}  // namespace yarrow::test
