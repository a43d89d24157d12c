// IndexChanges: what becomes of the entries of a table's indexes as rows are changed one by one. Changes of many rows
// go by write/entry_intake.h.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "row/index_keys.h"
#include "store/write_set.h"
#include "table/table_impl.h"
#include "yarrow/store.h"

namespace yarrow {

// The error of a row whose entry another row has. Also of many rows. `is_own`: the transaction wrote the other row.
arrow::Status EntryExists(const TableImpl& table, const TableIndex& index, std::string_view entry_key, bool is_own);

// Reads the snapshot with the writes made so far, which the entries are added to. Not thread-safe; what it is made of
// outlives it.
class IndexChanges {
 public:
  IndexChanges(Store& store, const Snapshot& snapshot, WriteSet* writes)
      : store_(store), snapshot_(snapshot), writes_(writes) {}

  // The row of a whole key, as it was and as it becomes; nothing: there is none. AlreadyExists, before anything is
  // written, when a unique index has an entry of the new values.
  using RowBytes = std::optional<std::string_view>;
  arrow::Status Change(const TableImpl& table, std::string_view key, RowBytes before, RowBytes after);
  // The same, but new entries wait for Finish, when the other rows of the statement have left theirs: so values can be
  // swapped.
  arrow::Status ChangeLater(const TableImpl& table, std::string_view key, RowBytes before, RowBytes after);
  arrow::Status Finish(const TableImpl& table);

  // Whether a row has the entry.
  arrow::Result<bool> HasEntry(const TableImpl& table, std::string_view entry_key);

 private:
  struct NewEntry {
    size_t index;  // of the table's
    IndexEntry entry;
  };
  struct EntryChange {
    std::vector<IndexEntry> left;
    std::vector<NewEntry> made;
  };
  static arrow::Result<EntryChange> ChangeOf(const TableImpl& table, std::string_view key, RowBytes before,
                                             RowBytes after);
  arrow::Status CheckFree(const TableImpl& table, const NewEntry& made);
  void Remove(const TableImpl& table, const EntryChange& change);
  void ForgetWaiting(const IndexEntry& entry);
  void Put(const TableImpl& table, const NewEntry& made);

  Store& store_;
  const Snapshot& snapshot_;
  WriteSet* writes_;
  std::multimap<std::string, NewEntry> waiting_;  // by their keys, which several rows may want
};

}  // namespace yarrow
