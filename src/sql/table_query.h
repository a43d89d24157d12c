// TableQuery: the rows of one table for which an SQL condition is true, in the order of its key, for a program that
// wants nothing of DuckDB.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "yarrow/database.h"
#include "yarrow/sql.h"

namespace yarrow::sql {

struct TableSelection {
  std::vector<std::string> columns = {};  // none: all
  std::string condition = {};             // any expression of type BOOLEAN over the table's columns; empty: all rows
  std::optional<int64_t> limit = {};
  bool reverse = false;
  int threads = 0;       // 0: one a core
  bool count = false;    // for metrics()
  bool as_json = false;  // nested values that come as text otherwise come as JSON
};

// DuckDB binds the condition and pushes it into the scan as that of a SELECT; the statement is made of parsed parts, no
// text of a caller is ever pasted into another. Timestamps without a zone are in UTC. Not thread-safe but for Cancel.
class TableQuery {
 public:
  // Invalid, with DuckDB's message, for a condition that is not one expression of type BOOLEAN or does not fit the
  // table, and for columns that the table has not.
  static arrow::Result<std::unique_ptr<TableQuery>> Open(std::shared_ptr<Database> database, const Options& options,
                                                         const TableDefinition& table, TableSelection selection);
  ~TableQuery();

  // Rows as they are computed, nested values as Arrow has them. Reads the moment of the call.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Run();
  // Ends what is running. From any thread.
  void Cancel();
  // Of all scans of the query, once all rows were read. REQUIRES: selection.count.
  ScanMetrics metrics() const;
  // DuckDB's plan, which says for each scan which keys it reads.
  arrow::Result<std::string> Explain();

 private:
  struct Impl;
  explicit TableQuery(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yarrow::sql
