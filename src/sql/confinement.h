// Confinement of a DuckDB instance: for SQL of somebody who is to reach no rows but the own ones (docs/confined.md).
//
// Three fences, each for itself enough against most attacks:
//  - the functions of the instance that are not listed (confined_functions.h) are replaced by ones that refuse,
//  - the plan of each statement is walked: operators, and what is done with tables of which database, must be known,
//  - DuckDB's own settings: no external access, no extensions, and no more settings.
// SqlCatalog, which knows that it is confined, refuses changes of definitions and tables of the system that tell of
// others.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// Of one DuckDB instance. Thread-safe.
class Confinement {
 public:
  // Makes `config` ask it about each statement. Off until Begin.
  static std::shared_ptr<Confinement> Register(duckdb::DBConfig& config);

  bool is_on() const { return is_on_.load(std::memory_order_acquire); }

  // From now on and for good, statements in all connections of the instance are confined to the database of that name.
  // Throws when that cannot be; DuckDB's settings may be closed then.
  void Begin(duckdb::DatabaseInstance& instance, const std::string& database);

  // Throws unless the statement is one that a confined session may run. Does nothing before Begin.
  void CheckPlan(const duckdb::LogicalOperator& plan) const;

 private:
  std::mutex mutex_;  // of Begin
  std::atomic<bool> is_on_{false};
  std::string database_;  // set before is_on_
};

}  // namespace yarrow::sql
