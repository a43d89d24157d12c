// What runs the SQL of a test script: DuckDB by itself, or DuckDB over a Yarrow database.
#pragma once

#include <duckdb.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "temp_dir.h"
#include "yarrow/database.h"

namespace yarrow::test {

class SqlEngine {
 public:
  virtual ~SqlEngine() = default;
  // Opens the database at `path`; an empty one: a new database. Nothing is open. Throws what it fails with.
  virtual void Open(const std::filesystem::path& path, bool read_only) = 0;
  virtual void Close() = 0;
  // Closes the database and opens it again. DuckDB has lost all of one without a path.
  virtual void Reopen() = 0;
  // To the database as the default one, in UTC.
  virtual std::unique_ptr<duckdb::Connection> Connect() = 0;
  virtual void BeforeQuery() {}
};

class NativeEngine : public SqlEngine {
 public:
  void Open(const std::filesystem::path& path, bool read_only) override;
  void Close() override { duckdb_.reset(); }
  void Reopen() override;
  std::unique_ptr<duckdb::Connection> Connect() override;

 private:
  std::filesystem::path path_;
  bool read_only_ = false;
  std::unique_ptr<duckdb::DuckDB> duckdb_;
};

// Where the rows are that a query reads: in the hot tier, or each table is flushed before it.
enum class Tier { kHot, kCold };

class YarrowEngine : public SqlEngine {
 public:
  // Attached under `name` beside DuckDB's own database; without one in its place, under the name that DuckDB gives.
  explicit YarrowEngine(Tier tier, std::optional<std::string> name = "y") : tier_(tier), name_(std::move(name)) {}
  void Open(const std::filesystem::path& path, bool read_only) override;
  void Close() override;
  void Reopen() override;
  std::unique_ptr<duckdb::Connection> Connect() override;
  void BeforeQuery() override;

 private:
  const Tier tier_;
  const std::optional<std::string> name_;
  TempDir dir_;  // of databases without a path
  int unnamed_ = 0;
  std::filesystem::path folder_;
  std::shared_ptr<Database> database_;
  std::unique_ptr<duckdb::DuckDB> duckdb_;
};

}  // namespace yarrow::test
