// BulkChange: the rows of one UPDATE or DELETE of many rows on their way into a transaction: encoded, sorted, and
// written in files when they are many.
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

namespace yarrow {

// Rows come as a scan of the transaction's state has found them: that they are there is not checked again. Of a row
// that comes several times, as from a join, the first time counts. Not thread-safe. The table must outlive it.
class BulkChange {
 public:
  // Rows beyond `sort_buffer_bytes` wait in files of the database's tmp folder.
  BulkChange(const TableImpl& table, uint64_t sort_buffer_bytes);

  // The encoded key of row `i`.
  using KeyOf = std::function<std::string_view(int64_t i)>;
  // Replaces rows; the batch has all visible columns. A row whose key the new values change moves there.
  arrow::Status Update(const arrow::RecordBatch& batch, const KeyOf& key_of);
  arrow::Status Delete(std::string_view key) { return sorter_.Add(key, {}); }
  // As of RowSorter.
  void Sort() { sorter_.Sort(); }
  // Takes the rows of another one of the same table, which is of no use afterwards.
  void Absorb(BulkChange* other) { sorter_.Absorb(&other->sorter_); }

  // Adds all to `writes`, once; returns how many rows there were. AlreadyExists, naming the key, when a row moves to
  // one that is taken: by a row of the snapshot, seen through the writes, that has not moved itself, or by another row
  // that moves.
  arrow::Result<uint64_t> Apply(const Snapshot& snapshot, WriteSet* writes);

 private:
  const TableImpl& table_;
  const uint64_t sort_buffer_bytes_;
  RowSorter sorter_;  // by the key of the old row: what becomes of it
  std::string change_;
};

}  // namespace yarrow
