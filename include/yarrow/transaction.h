// Transaction: several reads and writes that happen as one.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>
#include <optional>

#include "yarrow/scan_options.h"
#include "yarrow/table.h"

namespace yarrow {

class TransactionImpl;

// Snapshot isolation: reads see the database as it was at Begin, plus this transaction's own writes. The first
// committer of a key wins; the loser's Commit (or, when it is already certain, its write) fails with a status for which
// IsConflict() is true, and running the transaction again may succeed. Writes are kept in memory until Commit; a scan
// sees the writes made before it began and none made while it runs. For one thread at a time; scans may run beside in
// others.
//
// What was only read is not judged: two transactions that read each other's rows and write their own both commit (write
// skew). Write a row that both must write where that matters.
//
// The methods are Table's with the table in front. A failed call leaves the transaction as it was before that call.
// Destroying without Commit rolls back.
class Transaction {
 public:
  ~Transaction();

  arrow::Result<std::shared_ptr<TableScan>> Scan(const Table& table, const ScanOptions& options = {});
  arrow::Result<std::optional<Row>> Get(const Table& table, ValueList key);
  arrow::Status Put(const Table& table, ValueList row);
  arrow::Status Insert(const Table& table, ValueList row);
  arrow::Result<bool> Update(const Table& table, ValueList key, Assignments assignments);
  arrow::Result<bool> Delete(const Table& table, ValueList key);
  arrow::Result<bool> SoftDelete(const Table& table, ValueList key);
  arrow::Result<bool> Purge(const Table& table, ValueList key);
  arrow::Status Write(const Table& table, const arrow::RecordBatch& batch, WriteMode mode = WriteMode::kUpsert);

  // After it, whatever it returns, the transaction is over and every method but the destructor is an error.
  arrow::Status Commit();
  arrow::Status Rollback();
  bool is_active() const;

  const Snapshot& snapshot() const;  // null when over

 private:
  friend class Session;
  explicit Transaction(std::unique_ptr<TransactionImpl> impl);
  std::unique_ptr<TransactionImpl> impl_;
};

}  // namespace yarrow
