#include "sql_place.h"

#include "bench_table.h"
#include "sql/duckdb_instance.h"
#include "yarrow/sql.h"

namespace yarrow::bench {

SqlPlace::SqlPlace(const std::string& name, const StoreOptions& options, Tiers tiers)
    : folder_(DataFolder() / name), options_(options) {
  Open();
  if (tiers == Tiers::kHot) KeepRowsHot(database_.get());
}

SqlPlace::~SqlPlace() {
  Close();
  std::filesystem::remove_all(folder_);
}

void SqlPlace::Open() {
  database_ = Check(Database::Open(folder_, options_));
  duckdb_ = sql::OpenDuckDb();
  Check(sql::Attach(*duckdb_, database_, "y"));
  connection_ = Connect();
}

void SqlPlace::Close() {
  connection_.reset();
  duckdb_.reset();
  database_.reset();
}

std::string SqlPlace::Parquet(const std::string& table) {
  const int64_t id = Check(database_->FindTable(table))->id;
  return "read_parquet('" + (folder_ / "cold" / std::to_string(id)).string() + "/*.parquet')";
}

std::unique_ptr<duckdb::Connection> SqlPlace::Connect() {
  auto connection = std::make_unique<duckdb::Connection>(*duckdb_);
  const auto result = connection->Query("USE y");
  if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
  return connection;
}

void SqlPlace::Run(const std::string& sql) {
  const auto result = connection_->Query(sql);
  if (result->HasError()) Check(arrow::Status::Invalid(sql, ": ", result->GetError()));
}

}  // namespace yarrow::bench
