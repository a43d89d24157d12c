// SqlSession: SQL text in, Arrow batches out, for a program that has one database and wants nothing of DuckDB.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <functional>
#include <memory>
#include <string>

#include "sql/arrow_types.h"
#include "yarrow/database.h"
#include "yarrow/sql.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

struct SqlResult {
  // Rows as they are computed, for one pass before the next statement. Columns of types that Arrow has not (intervals,
  // unions, ...) come as text.
  std::shared_ptr<arrow::RecordBatchReader> rows;
  bool is_query = false;  // false: the statement changed something; `rows` say how many, or are nothing of interest
};

// One connection with the database as its default one. Not thread-safe but for Interrupt.
class SqlSession {
 public:
  static arrow::Result<std::unique_ptr<SqlSession>> Open(std::shared_ptr<Database> database,
                                                         const Options& options = {});
  ~SqlSession();

  // Runs the statements of a script one after the other until one fails. Invalid, with DuckDB's message, for errors in
  // SQL and in data; Cancelled after Interrupt. `nested`: how lists, structs and maps come.
  using OnResult = std::function<arrow::Status(const SqlResult& result)>;
  arrow::Status Run(const std::string& script, const OnResult& on_result, NestedValues nested = NestedValues::kAsText);

  // INSERT of all rows, whose columns go by name; what the table has besides gets its defaults. `replace`: rows with
  // keys that are there take their places. Returns how many there were. Errors as of Run, or the reader's.
  arrow::Result<int64_t> Insert(const QualifiedName& table, arrow::RecordBatchReader* rows, bool replace);

  // Between BEGIN and COMMIT or ROLLBACK.
  bool InTransaction() const;

  // Ends the statement that is running, and those that begin before EndInterrupt. From any thread.
  void Interrupt();
  void EndInterrupt();

 private:
  struct Impl;
  explicit SqlSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yarrow::sql
