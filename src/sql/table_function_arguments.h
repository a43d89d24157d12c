// What the table functions of Yarrow (yarrow_flush and so on) share: their arguments, and that a call acts once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "sql/duckdb_api.h"
#include "sql/sql_catalog.h"
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

// What a bind of such a function knows. `T` derives from it. Two calls are never the same one.
template <class T>
struct CallBindData : public duckdb::TableFunctionData {
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<T>(static_cast<const T&>(*this));
  }
  bool Equals(const duckdb::FunctionData& other) const override { return this == &other; }
};

// Registers a function whose call acts: plans with one are not copied, and two calls are not taken for one.
void RegisterCall(duckdb::DatabaseInstance& instance, duckdb::TableFunction function);

// The state of a call that acts when it is executed, not when it is bound, and gives one row.
struct CalledOnce : public duckdb::GlobalTableFunctionState {
  static duckdb::unique_ptr<duckdb::GlobalTableFunctionState> Init(duckdb::ClientContext&,
                                                                   duckdb::TableFunctionInitInput&) {
    return duckdb::make_uniq<CalledOnce>();
  }
  // False when it has acted and given its row.
  static bool Begin(duckdb::TableFunctionInput& data) {
    return !std::exchange(data.global_state->Cast<CalledOnce>().is_done, true);
  }

  bool is_done = false;
};

}  // namespace yarrow::sql
