// The tables that the benchmarks read: made once a program, in a temporary folder.
//
// Mixed rows: id BIGINT (the key), three more integers, a double, a bool, a timestamp, a decimal and two short texts;
// the wide variant has each of the other nine twice, and one more integer, 20 columns in all.
#pragma once

#include <arrow/api.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "yarrow/database.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
}  // namespace rocksdb

namespace yarrow::bench {

// Ends the program with the message of an error: a benchmark has nobody to return it to.
void Check(const arrow::Status& status);
template <class T>
T Check(arrow::Result<T> result) {
  Check(result.status());
  return std::move(result).ValueUnsafe();
}

enum class TableState {
  kFresh,  // bulk loaded
  kAged,   // then 10 % of the rows updated, 10 % deleted, the first 2 % deleted; memtables flushed, not compacted
};

struct TableShape {
  int64_t rows = 1'000'000;
  bool wide = false;
  TableState state = TableState::kFresh;
};

// A folder for this program's data; removed by CloseTables. YARROW_BENCH_DIR chooses the place.
const std::filesystem::path& DataFolder();

// An arrow reader of generated rows: [first, first + rows).
std::shared_ptr<arrow::RecordBatchReader> GenerateRows(int64_t first, int64_t rows, bool wide);
std::shared_ptr<arrow::Schema> RowSchemaOf(bool wide);

// One table with its store, and what a bare RocksDB loop over the same rows needs.
struct BenchTable {
  std::shared_ptr<Database> database;
  std::shared_ptr<Session> session;
  std::shared_ptr<Table> table;
  int64_t rows = 0;  // live ones
  rocksdb::DB* db = nullptr;
  rocksdb::ColumnFamilyHandle* family = nullptr;
  std::string prefix;
  std::string prefix_end;

  // The stored key of an id.
  std::string Key(int64_t id) const;
};

// The rows of one of its tables, for BareScan; holds the database open.
BenchTable StoredRows(const std::shared_ptr<Database>& database, const std::string& table);

// Rows stay in RocksDB until somebody flushes them.
void KeepRowsHot(Database* database);

// Made at the first call, the same object later.
const BenchTable& GetTable(const TableShape& shape);
// The bare loop that others are measured against: touches the first byte of each value, of at most `limit` rows.
int64_t BareScan(const BenchTable& bench, int64_t limit);
// RocksDB has no compaction running or to begin.
void WaitForCompactions(Store& store);
// Closes them and removes the folder.
void CloseTables();
// What holds databases open beside GetTable goes by this, which CloseTables calls first.
void BeforeClose(std::function<void()> close);
std::unique_ptr<BenchTable> MakeTable(const std::string& name, const TableShape& shape, const StoreOptions& options);

}  // namespace yarrow::bench
