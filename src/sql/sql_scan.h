// The scan of a table as a DuckDB table function.
#pragma once

#include <memory>
#include <optional>

#include "sql/duckdb_api.h"
#include "sql/sql_catalog.h"

namespace yarrow::sql {

// What a plan knows of a scan before it runs. Keeps the table's entry alive.
struct ScanBindData : public duckdb::TableFunctionData {
  explicit ScanBindData(std::shared_ptr<SqlTable> scanned) : table(std::move(scanned)) {}

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override;
  bool Equals(const duckdb::FunctionData& other) const override;

  const std::shared_ptr<SqlTable> table;
  std::optional<int64_t> limit;  // rows after which nobody asks for more
};

duckdb::TableFunction ScanFunction();

}  // namespace yarrow::sql
