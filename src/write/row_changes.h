// What the single-row and batch operations do, on any state: that of a transaction, or one made for a single call.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/write_set.h"
#include "table/table_impl.h"
#include "write/cold_rows.h"
#include "write/index_changes.h"
#include "yarrow/store.h"
#include "yarrow/write_options.h"

namespace yarrow {

class RowIntake;

// A state to read and a set of writes to add to: each operation reads the snapshot with the writes made so far, and
// adds its own only when it succeeds as a whole.
class RowChanges {
 public:
  RowChanges(Store& store, const Snapshot& snapshot, WriteSet* writes)
      : store_(store), snapshot_(snapshot), writes_(writes), index_changes_(store, snapshot, writes) {}

  arrow::Status Put(const TableImpl& table, ValueList row);
  arrow::Status Insert(const TableImpl& table, ValueList row);
  arrow::Result<bool> Update(const TableImpl& table, ValueList key, Assignments assignments);
  arrow::Result<bool> Delete(const TableImpl& table, ValueList key);
  arrow::Result<bool> SoftDelete(const TableImpl& table, ValueList key);
  arrow::Result<bool> Purge(const TableImpl& table, ValueList key);
  arrow::Status Write(const TableImpl& table, const arrow::RecordBatch& batch, WriteMode mode);
  // All rows of one statement, of which none is added when there is an error. Many of them go to files.
  arrow::Status Insert(const TableImpl& table, RowIntake* rows);

  // For whoever has scanned the rows and names them by their encoded keys, which must be the table's. false: no such
  // row (any more). `deleted` and `updated`, if given, get all columns of the row as it was or has become.
  arrow::Result<bool> DeleteEncoded(const TableImpl& table, std::string_view key,
                                    std::vector<Value>* deleted = nullptr);
  // Values by column position, key columns too. A row that they move to another key is removed and comes back with
  // FinishUpdates, when all rows of the statement have left their places: so keys can be shifted or swapped, and values
  // of unique indexes, whose entries come then, too.
  arrow::Result<bool> UpdateEncoded(const TableImpl& table, std::string_view key,
                                    std::span<const std::pair<int, Value>> assignments,
                                    std::vector<Value>* updated = nullptr);
  arrow::Status FinishUpdates(const TableImpl& table);
  // Whether there is a row, or an entry of an index, of a whole key.
  arrow::Result<bool> HasRow(const TableImpl& table, std::string_view key) { return FindLive(table, key); }
  arrow::Result<bool> HasEntry(const TableImpl& table, std::string_view key) {
    return index_changes_.HasEntry(table, key);
  }
  arrow::Result<std::optional<Row>> Get(const TableImpl& table, ValueList key);
  arrow::Result<std::optional<Row>> GetEncoded(const TableImpl& table, const std::string& key);

 private:
  // Whether there is a row of an encoded key, soft-deleted ones included. Notes where it lies, for FoundRow, WriteRow
  // and RemoveRow; of a row in a segment, no more than its key is read.
  arrow::Result<bool> Find(const TableImpl& table, std::string_view key);
  // The same without soft-deleted ones.
  arrow::Result<bool> FindLive(const TableImpl& table, std::string_view key);
  // The row that was found last, as stored; valid until the next call.
  arrow::Result<std::string_view> FoundRow();
  // The same, or nothing when the key had no live row.
  arrow::Result<std::optional<std::string_view>> FoundLive();
  arrow::Result<std::optional<std::string_view>> ReadLive(const TableImpl& table, std::string_view key);
  // Write the row of the key that was found last, or delete it, wherever it lies, with its index entries.
  enum class Entries { kNow, kLater };  // kLater: at FinishUpdates
  arrow::Status WriteRow(const TableImpl& table, std::string_view key, std::string_view row,
                         Entries entries = Entries::kNow);
  arrow::Status RemoveRow(const TableImpl& table, std::string_view key);
  void DropColdRow(const TableImpl& table);
  arrow::Status CheckAbsent(const TableImpl& table, std::string_view key);
  arrow::Status Locate(const TableImpl& table, std::string_view key);

  Store& store_;
  const Snapshot& snapshot_;
  WriteSet* writes_;
  PinnedValue stored_;
  IndexChanges index_changes_;
  struct Moved {
    std::string key;
    std::string row;
  };
  std::vector<Moved> moved_;
  bool is_hot_ = false;                  // the row that was found last
  bool is_own_ = false;                  // that one was written here
  std::string_view hot_row_;             // that one, in stored_ or among the writes
  std::optional<ColdPlace> cold_place_;  // of the one that was found last, if it lies in a segment
  std::optional<ColdRows> cold_rows_;    // of the table that was asked last
};

// The row with that encoded key, which has no hot one at the snapshot (null: a moment ago).
arrow::Result<std::optional<Row>> GetCold(const TableImpl& table, const std::string& key, Snapshot snapshot);

// The error of an insert that met its key. Also of bulk loads. `is_own`: the transaction wrote that row itself.
arrow::Status KeyExists(const TableImpl& table, std::string_view key, bool is_own);

}  // namespace yarrow
