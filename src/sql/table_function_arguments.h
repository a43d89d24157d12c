// What the table functions of Yarrow (yarrow_flush and so on) are called with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sql/duckdb_api.h"
#include "sql/sql_catalog.h"
#include "yarrow/flush.h"

namespace yarrow::sql {

// Turns arguments into what they mean; throws BinderException, naming function and argument. For the time of one bind.
class TableFunctionArguments {
 public:
  TableFunctionArguments(std::string function, duckdb::ClientContext& context)
      : function_(std::move(function)), context_(context) {}

  // 'table', 'schema.table' or 'database.schema.table'.
  std::shared_ptr<SqlTable> Table(const duckdb::Value& name) const;
  // The Yarrow database of that name; NULL: the one that statements use by default.
  SqlCatalog& Database(const duckdb::Value& name) const;
  int64_t RowCount(const std::string& option, const duckdb::Value& value) const;
  bool Flag(const std::string& option, const duckdb::Value& value) const;
  // Of the option optimize_for.
  FlushOptions::OptimizeFor Layout(const duckdb::Value& value) const;

 private:
  const std::string function_;
  duckdb::ClientContext& context_;
};

}  // namespace yarrow::sql
