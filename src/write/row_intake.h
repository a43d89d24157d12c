// RowIntake: the rows of one INSERT or bulk load on their way into a table: encoded, sorted, checked against the keys
// that exist, and written in files or segments when they are many.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "store/write_set.h"
#include "table/table_impl.h"
#include "write/row_sorter.h"
#include "yarrow/store.h"
#include "yarrow/write_options.h"

namespace yarrow {

// Not thread-safe. The table must outlive it.
class RowIntake {
 public:
  // Rows beyond `sort_buffer_bytes` wait in files of the database's tmp folder.
  RowIntake(const TableImpl& table, uint64_t sort_buffer_bytes);

  // Columns by name, as for Table::Write. Rows of a table without a primary key get their row ids here.
  arrow::Status Add(const arrow::RecordBatch& batch);
  // A row as it is stored.
  arrow::Status AddEncoded(std::string_view key, std::string_view row);
  // As of RowSorter.
  void Sort() { sorter_.Sort(); }
  // Takes the rows of another intake of the same table, which is of no use afterwards.
  void Absorb(RowIntake* other);

  uint64_t rows() const { return rows_; }
  uint64_t bytes() const { return sorter_.bytes(); }  // of keys and rows as encoded

  // Gives out all rows, keys ascending; rows of one key in the order in which they were added. Rows leave once, by this
  // or by WriteTo.
  arrow::Status Drain(const RowSorter::Take& take) { return sorter_.Drain(take); }

  // Adds one row a key to `writes`, in memory, in files or, where TableImpl::WritesSegments says so of their number, in
  // segments of their own (NewSegments). Returns their bytes as encoded, or in segments. kInsert: AlreadyExists, naming
  // the key, when two rows or a live row of the snapshot, seen through the writes, have the same; kUpsert: the last row
  // of a key stays. Entries of indexes go with the rows: AlreadyExists as of EntryIntake. `on_progress` gets the number
  // of rows now and then. More than `most_bytes` are not kept in memory.
  using OnProgress = std::function<arrow::Status(int64_t rows)>;
  arrow::Result<uint64_t> WriteTo(WriteMode mode, const Snapshot& snapshot, WriteSet* writes, uint64_t most_bytes,
                                  const OnProgress& on_progress = {});

 private:
  const TableImpl& table_;
  const uint64_t sort_buffer_bytes_;
  RowSorter sorter_;
  uint64_t rows_ = 0;
};

// Rows of a statement that take more go to files.
uint64_t MostBytesInMemory(const Store& store);

}  // namespace yarrow
