#include "flush/entry_pieces.h"

#include <algorithm>
#include <span>

namespace yarrow {

using arrow::Status;

Status EntryPieces::Put(std::string_view key, std::string_view value) {
  entries_.push_back({std::string(key), std::string(value)});
  while (waiting() >= size_) ARROW_RETURN_NOT_OK(CommitPiece());
  return Status::OK();
}

Status EntryPieces::Finish() {
  while (waiting() > 0) ARROW_RETURN_NOT_OK(CommitPiece());
  return Status::OK();
}

Status EntryPieces::CommitPiece() {
  const GuardUse guards[] = {part_.guard()};
  // Two rows that get the same values must meet. Otherwise a writer that began before may change a row of the piece,
  // since what it writes of the entry comes after what is written here.
  const CommitOptions options{
      .transaction = token_, .guards = guards, .moves_only = !index_.definition->unique, .keeps_transaction = true};
  size_t count = std::min(size_, waiting());
  std::vector<size_t> changed;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const WriteSet writes, Unchanged(count, &changed));
    if (writes.empty()) break;
    const Status status = part_.store().commits().Commit(writes, options).status();
    if (status.ok()) break;
    if (!IsConflict(status) || part_.IsOutdated()) return status;
    count = std::min(count, std::max(count / 8, kFewest));
    size_ = count;
  }
  for (const size_t position : changed) {
    const Entry& entry = entries_[done_ + position];
    ARROW_ASSIGN_OR_RAISE(const std::string_view row, index_.keys.RowKey(entry.key, entry.value));
    left_out_.push_back(part_.key_prefix() + std::string(row));
  }
  done_ += count;
  if (waiting() == 0) {
    entries_.clear();
    done_ = 0;
  }
  size_ = std::min(std::max(size_, kFewest) * 2, kMost);
  return Status::OK();
}

arrow::Result<WriteSet> EntryPieces::Unchanged(size_t count, std::vector<size_t>* changed) const {
  const std::span<const Entry> piece = std::span(entries_).subspan(done_, count);
  const Partition partition = part_.entry().partition;
  std::vector<std::string_view> keys;
  keys.reserve(count);
  for (const Entry& entry : piece) keys.emplace_back(entry.key);
  ARROW_ASSIGN_OR_RAISE(*changed, part_.store().commits().ChangedSince(partition, keys, *token_));
  WriteSet writes;
  auto next_changed = changed->begin();
  for (size_t i = 0; i < count; ++i) {
    if (next_changed != changed->end() && *next_changed == i) {
      ++next_changed;
    } else {
      writes.Put(partition, piece[i].key, piece[i].value);
    }
  }
  ARROW_RETURN_NOT_OK(writes.status());
  return writes;
}

}  // namespace yarrow
