// EntryPieces: the entries of an index on their way into the store beside writers.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "store/store_commits.h"
#include "store/write_set.h"
#include "table/table_impl.h"

namespace yarrow {

// Commits them in pieces, all judged by one snapshot. An entry that a writer has written since is left out: what was
// written is newer than what the snapshot has of the row. A writer that comes while a piece is being committed makes it
// start again, without that entry; pieces become smaller then, and larger when nobody is in the way. Not thread-safe.
class EntryPieces {
 public:
  // The entries are those of the rows at the token's snapshot. All must outlive the object.
  EntryPieces(const TableImpl& part, const TableIndex& index, WriteTransactionToken* token)
      : part_(part), index_(index), token_(token) {}

  // Keys ascend.
  arrow::Status Put(std::string_view key, std::string_view value);
  // Once, behind the last.
  arrow::Status Finish();
  // The whole keys of the rows whose entries were left out.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  struct Entry {
    std::string key, value;
  };
  arrow::Status CommitPiece();
  // Those of the next `count` that nobody has written, and the positions of the others.
  arrow::Result<WriteSet> Unchanged(size_t count, std::vector<size_t>* changed) const;
  size_t waiting() const { return entries_.size() - done_; }

  // Entries of a piece.
  static constexpr size_t kFewest = 256, kFirst = 65'536, kMost = 262'144;

  const TableImpl& part_;
  const TableIndex& index_;
  WriteTransactionToken* const token_;
  size_t size_ = kFirst;  // of the next piece
  std::vector<Entry> entries_;
  size_t done_ = 0;  // of entries_
  std::vector<std::string> left_out_;
};

}  // namespace yarrow
