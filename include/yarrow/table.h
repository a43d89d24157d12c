// Table: reading and writing the rows of one table.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "yarrow/compact.h"
#include "yarrow/flush.h"
#include "yarrow/row.h"
#include "yarrow/scan_options.h"
#include "yarrow/snapshot.h"
#include "yarrow/table_definition.h"
#include "yarrow/write_options.h"

namespace yarrow {

class RowSchema;
class Transaction;
class TableImpl;

// Safe to use from several threads; every method is atomic and durable as the database's durability says. Errors name
// table, column, key and value.
//
// Values are given in column order, keys in primary key order, in any form that Value::CastTo takes to the column's
// type. A soft-deleted row is seen by nothing but Purge.
class Table {
 public:
  ~Table();
  // As of when the table was opened.
  const TableDefinition& definition() const;
  // Of the visible columns; the same object at each call.
  const std::shared_ptr<arrow::Schema>& schema() const;

  // --- reading ---
  arrow::Result<std::shared_ptr<TableScan>> Scan(const ScanOptions& options = {}) const;
  // The row with that primary key, or nothing.
  arrow::Result<std::optional<Row>> Get(ValueList key, const Snapshot& snapshot = {}) const;
  arrow::Result<std::optional<Row>> Get(std::initializer_list<Value> key, const Snapshot& snapshot = {}) const {
    return Get(ValueList(key.begin(), key.size()), snapshot);
  }
  // The way of the first release: collects every row as a map from column name to value, filters afterwards, then
  // builds one column at a time. It stays as the baseline that the benchmarks measure Scan against.
  [[deprecated("collects the whole table; use Scan")]] arrow::Result<std::shared_ptr<arrow::RecordBatch>> ScanAll()
      const;

  // --- writing, one row ---
  arrow::Status Put(ValueList row);     // inserts or replaces
  arrow::Status Insert(ValueList row);  // AlreadyExists when the key exists
  // false: no such row, nothing done (so for the next three).
  arrow::Result<bool> Update(ValueList key, Assignments assignments);  // of columns that are not in the key
  arrow::Result<bool> Delete(ValueList key);
  arrow::Result<bool> SoftDelete(ValueList key);  // marks the row deleted and keeps its bytes
  arrow::Result<bool> Purge(ValueList key);       // removes a soft-deleted row for good

  arrow::Status Put(std::initializer_list<Value> row) { return Put(ValueList(row.begin(), row.size())); }
  arrow::Status Insert(std::initializer_list<Value> row) { return Insert(ValueList(row.begin(), row.size())); }
  arrow::Result<bool> Update(std::initializer_list<Value> key,
                             std::initializer_list<std::pair<std::string, Value>> set) {
    return Update(ValueList(key.begin(), key.size()), Assignments(set.begin(), set.size()));
  }
  arrow::Result<bool> Delete(std::initializer_list<Value> key) { return Delete(ValueList(key.begin(), key.size())); }
  arrow::Result<bool> SoftDelete(std::initializer_list<Value> key) {
    return SoftDelete(ValueList(key.begin(), key.size()));
  }
  arrow::Result<bool> Purge(std::initializer_list<Value> key) { return Purge(ValueList(key.begin(), key.size())); }

  // --- writing, many rows ---
  // All rows of the batch or none. Columns are matched by name; a column that is missing gets its default.
  arrow::Status Write(const arrow::RecordBatch& batch, WriteMode mode = WriteMode::kUpsert);
  // All rows of the reader or none, at the speed of writing sorted files: rows are sorted in bounded memory, written as
  // RocksDB SST files and ingested in one atomic step. Recorded in system.jobs. Returns the number of rows. Any write
  // to the table meanwhile (in a user table, of any user) makes it fail with a status for which IsConflict() is true.
  arrow::Result<int64_t> BulkLoad(arrow::RecordBatchReader* reader, const BulkLoadOptions& options = {});

  // --- the tiers ---
  // Moves the rows that are there now from RocksDB to Parquet segments; answers stay the same at every moment. Writers
  // wait for one synced write, readers not at all. Of a user table the rows of all users move, whoever calls. One flush
  // or compaction of a table at a time: waits for the one that runs.
  arrow::Result<FlushResult> Flush(const FlushOptions& options = {});
  // Merges segments, so that there are few of them and overridden rows take no room; answers stay the same at every
  // moment, as with Flush. Of a user table the segments of all users, each user's by themselves. The old files go when
  // nobody reads them any more, and not before the setting deleted_file_retention says so. One flush or compaction of a
  // table at a time: waits for the one that runs.
  arrow::Result<CompactResult> Compact(const CompactOptions& options = {});
  // Deletes the rows whose time is over (TierPolicy::ttl), in commits of some thousand rows each; returns how many. Of
  // a user table those of all users. Invalid for a table whose rows do not expire.
  arrow::Result<int64_t> Expire();

 private:
  friend class Session;
  friend class Transaction;
  explicit Table(std::shared_ptr<TableImpl> impl);
  std::shared_ptr<TableImpl> impl_;
};

}  // namespace yarrow
