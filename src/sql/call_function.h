// The functions of Yarrow that act (CALL yarrow_flush('t') and so on), as DuckDB's table functions: their arguments,
// and that a call acts once, when it is executed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "job/job.h"
#include "sql/duckdb_api.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"
#include "yarrow/flush.h"

namespace yarrow::sql {

// Turns arguments into what they mean; throws BinderException, naming function and argument. For the time of one bind.
//
// These functions change what they are called on, so tables and databases that are attached in read-only mode, and all
// of them in a read-only transaction, are refused here, where every one of them gets its table or database.
class TableFunctionArguments {
 public:
  TableFunctionArguments(std::string function, duckdb::ClientContext& context, duckdb::TableFunctionBindInput& input)
      : function_(std::move(function)), context_(context), binder_(input.binder.get()) {}

  // 'table', 'schema.table' or 'database.schema.table'.
  std::shared_ptr<SqlTable> Table(const duckdb::Value& name) const;
  // The Yarrow database of that name; NULL: the one that statements use by default.
  SqlCatalog& Database(const duckdb::Value& name) const;
  int64_t RowCount(const std::string& option, const duckdb::Value& value) const;
  bool Flag(const std::string& option, const duckdb::Value& value) const;
  // Of the option optimize_for.
  FlushOptions::OptimizeFor Layout(const duckdb::Value& value) const;

 private:
  // Throws for a database that is attached READ_ONLY: all these functions write.
  void CheckWritable(duckdb::Catalog& catalog) const;
  // A prepared statement binds the call anew when the database has changed or is gone.
  void TellOf(duckdb::Catalog& catalog) const;

  const std::string function_;
  duckdb::ClientContext& context_;
  duckdb::Binder* const binder_;  // may be null
};

// What a call does; fills the one row of its result.
using CallAction = std::function<void(duckdb::ClientContext& context, duckdb::DataChunk& row)>;

// A function whose call acts. Plans with a call are not copied, and two calls are never taken for one.
struct CallFunction {
  std::string name;
  duckdb::vector<duckdb::LogicalType> arguments;
  duckdb::named_parameter_type_map_t options = {};
  std::vector<std::pair<std::string, duckdb::LogicalType>> result;  // its columns
  // Reads the arguments, when the statement is bound.
  CallAction (*bind)(const TableFunctionArguments& arguments, const duckdb::TableFunctionBindInput& input) = nullptr;
};
void RegisterCall(duckdb::DatabaseInstance& instance, CallFunction function);

// Cancelled when the statement is interrupted.
OnProgress UntilInterrupted(duckdb::ClientContext& context);

// The result of work that went on until then; throws its error.
template <class T>
T Finished(duckdb::ClientContext& context, arrow::Result<T> result) {
  if (context.interrupted) throw duckdb::InterruptException();
  return Check(std::move(result));
}

}  // namespace yarrow::sql
