// EntryPieces: the entries of an index on their way into the store beside writers.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/store_commits.h"
#include "store/write_set.h"
#include "table/table_impl.h"
#include "write/ordered_worker.h"

namespace yarrow {

// Commits them in pieces, all judged by one snapshot, in a thread of its own, beside whoever brings more. An entry that
// a writer has written since is left out: what was written is newer than what the snapshot has of the row. A writer
// that comes while a piece is being committed makes it start again, without that entry; pieces become smaller then, and
// larger again when nobody is in the way, but not as large as without writers. Not thread-safe.
class EntryPieces {
 public:
  // The entries are those of the rows at the token's snapshot. All must outlive the object.
  EntryPieces(const TableImpl& part, const TableIndex& index, WriteTransactionToken* token)
      : part_(part), index_(index), token_(token) {}

  // Keys ascend. May return the error of an earlier piece.
  arrow::Status Put(std::string_view key, std::string_view value);
  // Once, behind the last. Returns the whole keys of the rows whose entries were left out.
  arrow::Result<std::vector<std::string>> Finish();

 private:
  // Entries that are handed over to the thread at once.
  struct Batch {
    struct Entry {
      size_t start;  // in bytes
      uint32_t key_size, value_size;
    };
    std::string bytes;
    std::vector<Entry> entries;

    std::string_view Key(const Entry& entry) const { return {bytes.data() + entry.start, entry.key_size}; }
    std::string_view ValueOf(const Entry& entry) const {
      return {bytes.data() + entry.start + entry.key_size, entry.value_size};
    }
  };
  arrow::Status HandOver();
  arrow::Status Commit(const Batch& batch);
  // Takes a piece off the entries.
  arrow::Status CommitPiece(const Batch& batch, std::span<const Batch::Entry>* entries);
  // Those that nobody has written, and the positions of the others.
  arrow::Result<WriteSet> Unchanged(const Batch& batch, std::span<const Batch::Entry> piece,
                                    std::vector<size_t>* changed) const;

  static constexpr size_t kFirstBatch = 32'768, kMostBatch = 131'072;
  static constexpr size_t kFewest = 256;  // entries of a piece
  // Pieces that the store commits in its log and memtable. Larger ones are files, each of which would make it write out
  // the memtable, which has entries of the writers: in level 0 the files pile up until the store slows all writers
  // down.
  static constexpr size_t kLargestBesideWriters = 16'384;

  const TableImpl& part_;
  const TableIndex& index_;
  WriteTransactionToken* const token_;
  size_t batch_size_ = kFirstBatch;
  std::shared_ptr<Batch> batch_ = std::make_shared<Batch>();
  // Of the thread until Finish.
  size_t piece_size_ = kMostBatch;
  size_t largest_piece_ = kMostBatch;
  std::vector<std::string> left_out_;
  OrderedWorker worker_;
};

}  // namespace yarrow
