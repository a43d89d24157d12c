#include "flush/entry_pieces.h"

#include <algorithm>
#include <utility>

namespace yarrow {

using arrow::Status;

Status EntryPieces::Put(std::string_view key, std::string_view value) {
  batch_->entries.push_back(
      {batch_->bytes.size(), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size())});
  batch_->bytes.append(key);
  batch_->bytes.append(value);
  return batch_->entries.size() < batch_size_ ? Status::OK() : HandOver();
}

Status EntryPieces::HandOver() {
  auto full = std::exchange(batch_, std::make_shared<Batch>());
  batch_size_ = std::min(batch_size_ * 2, kMostBatch);
  return worker_.Add([this, batch = std::move(full)] { return Commit(*batch); });
}

arrow::Result<std::vector<std::string>> EntryPieces::Finish() {
  if (!batch_->entries.empty()) ARROW_RETURN_NOT_OK(HandOver());
  ARROW_RETURN_NOT_OK(worker_.Finish());
  return std::move(left_out_);
}

Status EntryPieces::Commit(const Batch& batch) {
  std::span<const Batch::Entry> entries = batch.entries;
  while (!entries.empty()) ARROW_RETURN_NOT_OK(CommitPiece(batch, &entries));
  return Status::OK();
}

Status EntryPieces::CommitPiece(const Batch& batch, std::span<const Batch::Entry>* entries) {
  const GuardUse guards[] = {part_.guard()};
  // Two rows that get the same values must meet. Otherwise a writer that began before may change a row of the piece,
  // since what it writes of the entry comes after what is written here.
  const CommitOptions options{
      .transaction = token_, .guards = guards, .moves_only = !index_.definition->unique, .keeps_transaction = true};
  size_t count = std::min(piece_size_, entries->size());
  std::vector<size_t> changed;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const WriteSet writes, Unchanged(batch, entries->first(count), &changed));
    if (writes.empty()) break;
    const Status status = part_.store().commits().Commit(writes, options).status();
    if (status.ok()) break;
    if (!IsConflict(status) || part_.IsOutdated()) return status;
    largest_piece_ = kLargestBesideWriters;
    count = std::min({count, std::max(count / 8, kFewest), largest_piece_});
    piece_size_ = count;
  }
  for (const size_t position : changed) {
    const Batch::Entry& entry = (*entries)[position];
    ARROW_ASSIGN_OR_RAISE(const std::string_view row, index_.keys.RowKey(batch.Key(entry), batch.ValueOf(entry)));
    left_out_.push_back(part_.key_prefix() + std::string(row));
  }
  *entries = entries->subspan(count);
  piece_size_ = std::min(std::max(piece_size_, kFewest) * 2, largest_piece_);
  return Status::OK();
}

arrow::Result<WriteSet> EntryPieces::Unchanged(const Batch& batch, std::span<const Batch::Entry> piece,
                                               std::vector<size_t>* changed) const {
  const Partition partition = part_.entry().partition;
  std::vector<std::string_view> keys;
  keys.reserve(piece.size());
  for (const Batch::Entry& entry : piece) keys.push_back(batch.Key(entry));
  ARROW_ASSIGN_OR_RAISE(*changed, part_.store().commits().ChangedSince(partition, keys, *token_));
  WriteSet writes;
  auto next_changed = changed->begin();
  for (size_t i = 0; i < piece.size(); ++i) {
    if (next_changed != changed->end() && *next_changed == i) {
      ++next_changed;
    } else {
      writes.Put(partition, keys[i], batch.ValueOf(piece[i]));
    }
  }
  ARROW_RETURN_NOT_OK(writes.status());
  return writes;
}

}  // namespace yarrow
