// SQL over a database, by DuckDB: attached to a DuckDB instance, its tables are tables of that instance.
//
//   duckdb::DuckDB duckdb(nullptr);
//   ARROW_RETURN_NOT_OK(yarrow::sql::Attach(duckdb, database, "y"));
//   duckdb::Connection(duckdb).Query("SELECT count(*) FROM y.flights");
//
// Or, once Register was called, in SQL: ATTACH './db' AS y (TYPE yarrow, USER 'ada').
#pragma once

#include <arrow/status.h>

#include <memory>
#include <string>
#include <string_view>

#include "yarrow/database.h"

namespace duckdb {
class DuckDB;
}

namespace yarrow::sql {

struct Options {
  std::string user;  // the acting user of user tables; empty: none
  // The acting user is to reach nothing but the own rows (docs/confined.md): confines all of the DuckDB instance, for
  // good.
  bool confined = false;
};

// Makes ATTACH ... (TYPE yarrow) known to the instance; repeating it changes nothing. Options of such an ATTACH: USER,
// the acting user of user tables (default: none), and CONFINED, as Options::confined. Like other files the directory
// cannot be had where DuckDB's setting enable_external_access is off, nor anything attached where lock_configuration is
// on.
arrow::Status Register(duckdb::DuckDB& duckdb);

// Attaches an open database under that name. DuckDB keeps it open until DETACH or its own end. Invalid, with DuckDB's
// message, when the name is taken, or the instance is confined already. Thread-safe.
arrow::Status Attach(duckdb::DuckDB& duckdb, std::shared_ptr<Database> database, const std::string& name,
                     const Options& options = {});

// Lets every database of the process keep indexes on SQL expressions, also where rows are written or removed without
// SQL, as by Table::Put or when they expire. Register and Attach do the same. Until then such writes are
// NotImplemented. Thread-safe.
void RegisterIndexExpressions();

// The SQLSTATE of an error by its message with DuckDB's class in front, as duckdb::ErrorData::Message() gives it: 23505
// for a key that is taken, 40001 for a transaction that lost a race and should run again, 42601 for a syntax error and
// so on. docs/transactions.md lists them. Empty for other texts. Thread-safe.
std::string SqlState(std::string_view message);

}  // namespace yarrow::sql
