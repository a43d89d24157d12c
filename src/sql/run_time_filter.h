// RunTimeFilter: the filters of a scan that get tighter while it runs, like the bound of a Top-N.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "predicate/row_predicate.h"
#include "sql/duckdb_api.h"
#include "sql/sql_catalog.h"

namespace yarrow::sql {

// Collects them from DuckDB's filters of a scan. Rows that they reject would be dropped above anyway, so they are read
// anew now and then: before each piece for its key ranges, before each chunk for its rows. One a scan; thread-safe.
class RunTimeFilter {
 public:
  // Takes the filter when some part of it is to be found out at run time.
  void Add(const duckdb::TableFilter& filter, int column, const ColumnType& type);
  bool empty() const { return parts_.empty(); }

  // What they say now; empty when that is what `known`, the caller's last look, was.
  struct Look {
    std::vector<duckdb::Value> values;
  };
  std::optional<Predicate> Read(Look* known) const;

 private:
  struct Part {
    duckdb::unique_ptr<duckdb::TableFilter> filter;
    std::vector<duckdb::shared_ptr<duckdb::DynamicFilterData>> data;
    int column;
    ColumnType type;
  };
  std::vector<Part> parts_;
};

}  // namespace yarrow::sql
