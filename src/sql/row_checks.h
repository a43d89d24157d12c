// CHECK constraints and generated columns: what a statement writes is tested before it is written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// Those of one plan. Thread-safe.
class RowChecks {
 public:
  RowChecks() = default;
  // Takes the CHECK constraints of a table from among its bound ones, which are over its stored columns.
  RowChecks(duckdb::ClientContext& context, duckdb::TableCatalogEntry& table,
            duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>>& constraints);

  // `rows` have all stored columns of the table. Throws a ConstraintException that names the table, the constraint and
  // the values of the first row for which one is false, or the generated column that cannot be computed.
  void Test(duckdb::ClientContext& context, duckdb::DataChunk& rows) const;

 private:
  struct RowCheck {
    std::string text;
    std::shared_ptr<const duckdb::Expression> value;  // of a CHECK an INTEGER: 0 where it is false
    bool is_generated = false;                        // computing it is the test
  };

  void TestOne(duckdb::ClientContext& context, const RowCheck& check, duckdb::DataChunk& rows) const;

  std::string table_;
  std::vector<std::string> columns_;
  std::vector<RowCheck> checks_;
};

}  // namespace yarrow::sql
