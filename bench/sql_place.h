// SqlPlace: a database of a benchmark's own, with SQL over it.
#pragma once

#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "yarrow/database.h"

namespace yarrow::bench {

// kHot: rows stay in RocksDB until somebody flushes them.
enum class Tiers { kHot, kByDefault };

// Its folder goes with it. An error of a statement ends the program.
class SqlPlace {
 public:
  SqlPlace(const std::string& name, const StoreOptions& options, Tiers tiers = Tiers::kHot);
  ~SqlPlace();
  SqlPlace(const SqlPlace&) = delete;
  SqlPlace& operator=(const SqlPlace&) = delete;

  void Open();
  void Close();
  void Run(const std::string& sql);
  // read_parquet over the segments of a table.
  std::string Parquet(const std::string& table);
  // Another one to the same database.
  std::unique_ptr<duckdb::Connection> Connect();

  const std::shared_ptr<Database>& database() const { return database_; }
  duckdb::DuckDB& duckdb() { return *duckdb_; }
  duckdb::Connection& connection() { return *connection_; }

 private:
  const std::filesystem::path folder_;
  const StoreOptions options_;
  std::shared_ptr<Database> database_;
  std::unique_ptr<duckdb::DuckDB> duckdb_;
  std::unique_ptr<duckdb::Connection> connection_;
};

}  // namespace yarrow::bench
