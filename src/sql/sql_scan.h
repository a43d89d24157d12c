// The scan of a table as a DuckDB table function.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/column_expression.h"
#include "sql/duckdb_api.h"
#include "sql/sql_catalog.h"
#include "table/index_lookup.h"
#include "yarrow/predicate.h"

namespace yarrow::sql {

// What a plan knows of a scan before it runs. Keeps the table's entry alive.
struct ScanBindData : public duckdb::TableFunctionData {
  ScanBindData(std::shared_ptr<SqlTable> scanned, uint64_t new_rows_of_transaction)
      : table(std::move(scanned)), new_rows(new_rows_of_transaction) {}

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override;
  bool Equals(const duckdb::FunctionData& other) const override;

  const std::shared_ptr<SqlTable> table;
  const uint64_t new_rows;                // in segments that the transaction has made (NewSegments)
  std::optional<int64_t> limit;           // rows after which nobody asks for more
  bool reverse = false;                   // descending by key
  bool in_order = false;                  // rows must come in key order whatever DuckDB is set to
  std::optional<IndexOrder> index_order;  // the first rows are enough where an index has them; all are right, too
  // The rows of a DELETE of all, which removes segments as a whole. Those are left out, but for the ones that the
  // transaction has made. In a transaction of one statement hot rows are left out as well.
  bool leaves_segments = false;
  bool has_placed_filters = false;  // DropMisplacedFilters has seen it
  Predicate filter;                 // beside DuckDB's table filters
  Predicate known;                  // as of an IndexUse; conditions say the same above the scan, or filters in it
  // Expressions of indexes, by number, and what joins above find out of their values before the scan starts; the joins
  // test it again.
  struct Joined {
    int number = 0;
    duckdb::shared_ptr<duckdb::DynamicTableFilterSet> filters;
  };
  std::vector<Joined> joined;
  // Columns that rows can have only with the value that the expression has when the scan starts; it is tested again
  // above.
  std::vector<ColumnExpression> key_values;
  std::vector<ColumnExpression> cold_conditions;  // tested again above
  std::string key_ranges;                         // for EXPLAIN: of DescribeScan
  std::string row_filter;
  std::string index;
};

duckdb::TableFunction ScanFunction();

// Whether the scan applies that filter of DuckDB's on the column; else it is lifted above the scan
// (sql/scan_pushdown.h).
bool TakesFilter(const ScanBindData& bind, duckdb::column_t column, const duckdb::TableFilter& filter);

// Whether the table's rows may be in segments by now, for the transaction that plans. What is planned may run later all
// the same.
bool HasSegments(const ScanBindData& bind);

// Notes in the scan's bind data which key ranges it will read and what it tests in them, as far as the plan tells.
void DescribeScan(duckdb::ClientContext& context, const duckdb::LogicalGet& get);

}  // namespace yarrow::sql
