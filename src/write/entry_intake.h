// EntryIntake: the index entries of many rows on their way into a transaction: sorted, checked, and written in files
// when they are many.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "row/index_keys.h"
#include "store/write_set.h"
#include "table/table_impl.h"
#include "write/row_sorter.h"
#include "yarrow/store.h"

namespace yarrow {

// Not thread-safe. The table must outlive it.
class EntryIntake {
 public:
  // Of these indexes of the table. Entries beyond `sort_buffer_bytes` wait in files of the database's tmp folder.
  EntryIntake(const TableImpl& table, std::span<const TableIndex> indexes, uint64_t sort_buffer_bytes);

  // The rows that follow are of another user, and so are these, the same indexes, which outlive this object.
  arrow::Status Continue(std::span<const TableIndex> indexes);
  // Of a row of a whole key: it gets its entries, or leaves them.
  arrow::Status Add(std::string_view key, std::string_view row) { return Note(key, row, Change::kMade); }
  arrow::Status Remove(std::string_view key, std::string_view row) { return Note(key, row, Change::kLeft); }

  // Takes an entry that is put, or one that is deleted.
  using Take = std::function<arrow::Status(std::string_view key, std::optional<std::string_view> value)>;
  // Gives all to `take`, once, their keys ascending. `leaves_existing`: not those that the snapshot has already.
  // AlreadyExists as from WriteTo.
  arrow::Status Drain(const Snapshot& snapshot, const WriteSet::View& before, bool leaves_existing, const Take& take);
  // Adds all to `writes`, once; when they take more than `most_bytes`, as files. AlreadyExists, naming the values, when
  // a row gets an entry of a unique index that another one has: one of these rows, or one of the snapshot, seen through
  // `before`, that has not left its own.
  arrow::Status WriteTo(const Snapshot& snapshot, const WriteSet::View& before, WriteSet* writes, uint64_t most_bytes);

 private:
  friend class EntryIntakes;
  enum class Change : char { kLeft, kMade, kMadeUnique };
  class Writer;
  // Rows whose expressions are computed together.
  struct Waiting {
    struct Row {
      size_t key_size, row_size;
      Change change;
    };
    std::string bytes;  // keys and rows, one after the other
    std::vector<Row> rows;
  };
  arrow::Status Note(std::string_view key, std::string_view row, Change change);
  arrow::Status NoteWaiting();
  arrow::Status AddEntry(Change change);  // entry_

  const TableImpl& table_;
  std::span<const TableIndex> indexes_;
  bool computes_ = false;  // some index has an expression
  Waiting waiting_;
  RowSorter sorter_;
  IndexEntry entry_;
  std::string change_;
};

// One intake a thread, to which that thread adds entries of the same indexes.
class EntryIntakes {
 public:
  // They share `sort_buffer_bytes`.
  EntryIntakes(const TableImpl& table, std::span<const TableIndex> indexes, size_t threads, uint64_t sort_buffer_bytes);
  size_t size() const { return intakes_.size(); }
  EntryIntake& operator[](size_t i) { return intakes_[i]; }
  arrow::Status Continue(std::span<const TableIndex> indexes);
  // One with all entries, once they are added.
  arrow::Result<EntryIntake*> Join();

 private:
  std::deque<EntryIntake> intakes_;
};

}  // namespace yarrow
