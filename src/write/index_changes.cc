#include "write/index_changes.h"

#include <algorithm>
#include <utility>

#include "row/constraint_violation.h"

namespace yarrow {

using arrow::Status;

Status EntryExists(const TableImpl& table, const TableIndex& index, std::string_view entry_key, bool is_own) {
  const std::string values = index.keys.Describe(entry_key);
  const auto violation = is_own ? RepeatedUniqueViolation : UniqueViolation;
  return violation(values, "Table " + table.definition().QualifiedName() + " has a row with " + values +
                               " already, and " + table.Describe(index) +
                               " allows one; change that row, or give other values");
}

arrow::Result<IndexChanges::EntryChange> IndexChanges::ChangeOf(const TableImpl& table, std::string_view key,
                                                                RowBytes before, RowBytes after) {
  EntryChange change;
  IndexEntry was, becomes;
  for (size_t i = 0; i < table.indexes().size(); ++i) {
    const IndexKeys& keys = table.indexes()[i].keys;
    if (before) ARROW_RETURN_NOT_OK(keys.MakeEntry(key, *before, &was));
    if (after) ARROW_RETURN_NOT_OK(keys.MakeEntry(key, *after, &becomes));
    if (before && after && was == becomes) continue;
    if (before) change.left.push_back(std::move(was));
    if (after) change.made.push_back({.index = i, .entry = std::move(becomes)});
  }
  return change;
}

arrow::Result<bool> IndexChanges::HasEntry(const TableImpl& table, std::string_view entry_key) {
  const Partition partition = table.entry().partition;
  std::string_view value;
  ARROW_ASSIGN_OR_RAISE(const auto written, writes_->Get(partition, entry_key, &value));
  if (written != WriteSet::Found::kNothing) return written == WriteSet::Found::kPut;
  PinnedValue stored;
  return store_.Get(partition, entry_key, &stored, snapshot_);
}

Status IndexChanges::CheckFree(const TableImpl& table, const NewEntry& made) {
  if (!made.entry.is_unique) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const bool is_there, HasEntry(table, made.entry.key));
  if (!is_there) return Status::OK();
  std::string_view value;
  ARROW_ASSIGN_OR_RAISE(const auto written, writes_->Get(table.entry().partition, made.entry.key, &value));
  return EntryExists(table, table.indexes()[made.index], made.entry.key, written == WriteSet::Found::kPut);
}

void IndexChanges::Remove(const TableImpl& table, const EntryChange& change) {
  for (const IndexEntry& left : change.left) {
    writes_->Delete(table.entry().partition, left.key);
    ForgetWaiting(left);
  }
}

// A statement that changes a row twice: what it was to get the first time does not come.
void IndexChanges::ForgetWaiting(const IndexEntry& entry) {
  const auto [begin, end] = waiting_.equal_range(entry.key);
  const auto own = std::find_if(begin, end, [&](const auto& one) { return one.second.entry.value == entry.value; });
  if (own != end) waiting_.erase(own);
}

void IndexChanges::Put(const TableImpl& table, const NewEntry& made) {
  writes_->Put(table.entry().partition, made.entry.key, made.entry.value);
}

Status IndexChanges::Change(const TableImpl& table, std::string_view key, RowBytes before, RowBytes after) {
  ARROW_ASSIGN_OR_RAISE(const EntryChange change, ChangeOf(table, key, before, after));
  for (const NewEntry& made : change.made) ARROW_RETURN_NOT_OK(CheckFree(table, made));
  Remove(table, change);
  for (const NewEntry& made : change.made) Put(table, made);
  return writes_->status();
}

Status IndexChanges::ChangeLater(const TableImpl& table, std::string_view key, RowBytes before, RowBytes after) {
  ARROW_ASSIGN_OR_RAISE(EntryChange change, ChangeOf(table, key, before, after));
  Remove(table, change);
  for (NewEntry& made : change.made) {
    std::string entry = made.entry.key;
    waiting_.emplace(std::move(entry), std::move(made));
  }
  return writes_->status();
}

Status IndexChanges::Finish(const TableImpl& table) {
  for (const auto& [key, made] : std::exchange(waiting_, {})) {
    ARROW_RETURN_NOT_OK(CheckFree(table, made));
    Put(table, made);
  }
  return writes_->status();
}

}  // namespace yarrow
