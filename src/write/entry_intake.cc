#include "write/entry_intake.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "key/record_key.h"
#include "row/constraint_violation.h"
#include "store/guarded.h"
#include "write/existing_keys.h"
#include "write/index_changes.h"
#include "write/run_writer.h"

namespace yarrow {

using arrow::Status;

EntryIntake::EntryIntake(const TableImpl& table, std::span<const TableIndex> indexes, uint64_t sort_buffer_bytes)
    : table_(table), indexes_(indexes), sorter_(table.store().path() / "tmp", sort_buffer_bytes) {
  computes_ =
      std::ranges::any_of(indexes, [](const TableIndex& index) { return !index.keys.expressions().parts.empty(); });
}

Status EntryIntake::Continue(std::span<const TableIndex> indexes) {
  ARROW_RETURN_NOT_OK(NoteWaiting());
  indexes_ = indexes;
  return Status::OK();
}

Status EntryIntake::Note(std::string_view key, std::string_view row, Change change) {
  constexpr size_t kRowsAtOnce = 2048, kBytesAtOnce = 4 << 20;
  if (computes_) {
    waiting_.bytes.append(key).append(row);
    waiting_.rows.push_back({key.size(), row.size(), change});
    const bool is_full = waiting_.rows.size() == kRowsAtOnce || waiting_.bytes.size() > kBytesAtOnce;
    return is_full ? NoteWaiting() : Status::OK();
  }
  for (const TableIndex& index : indexes_) {
    ARROW_RETURN_NOT_OK(index.keys.MakeEntry(key, row, &entry_));
    ARROW_RETURN_NOT_OK(AddEntry(change));
  }
  return Status::OK();
}

Status EntryIntake::NoteWaiting() {
  std::vector<StoredRow> rows;
  std::string_view rest = waiting_.bytes;
  for (const Waiting::Row& row : waiting_.rows) {
    rows.push_back({rest.substr(0, row.key_size), rest.substr(row.key_size, row.row_size)});
    rest.remove_prefix(row.key_size + row.row_size);
  }
  for (const TableIndex& index : indexes_) {
    ARROW_ASSIGN_OR_RAISE(const IndexKeys::Computed computed, index.keys.Compute(rows));
    for (size_t i = 0; i < rows.size(); ++i) {
      ARROW_RETURN_NOT_OK(index.keys.MakeEntry(rows[i], computed, i, &entry_));
      ARROW_RETURN_NOT_OK(AddEntry(waiting_.rows[i].change));
    }
  }
  waiting_.bytes.clear();
  waiting_.rows.clear();
  return Status::OK();
}

Status EntryIntake::AddEntry(Change change) {
  const bool is_unique = change == Change::kMade && entry_.is_unique;
  change_.assign(1, static_cast<char>(is_unique ? Change::kMadeUnique : change));
  change_.append(entry_.value);
  return sorter_.Add(entry_.key, change_);
}

// Takes the changes, entries ascending, and writes what they come to: one write an entry.
class EntryIntake::Writer {
 public:
  Writer(const TableImpl& table, std::span<const TableIndex> indexes, const Snapshot& snapshot,
         const WriteSet::View& before, bool leaves_existing, const Take& take)
      : table_(table),
        indexes_(indexes),
        existing_(table, RecordPrefix(RecordKind::kIndexEntry), snapshot, before),
        before_(before),
        leaves_existing_(leaves_existing),
        take_(take) {}

  Status Note(std::string_view key, std::string_view change) {
    if (!is_open_ || key != key_) {
      ARROW_RETURN_NOT_OK(Finish());
      key_ = key;
      is_open_ = true;
      is_left_ = is_made_ = is_unique_ = false;
    }
    const auto kind = static_cast<Change>(change[0]);
    if (kind == Change::kLeft) {
      is_left_ = true;
      return Status::OK();
    }
    if (is_made_) return Repeated();
    is_made_ = true;
    is_unique_ = kind == Change::kMadeUnique;
    value_ = change.substr(1);
    return Status::OK();
  }

  Status Finish() {
    if (!is_open_) return Status::OK();
    if (!is_made_) return take_(key_, std::nullopt);
    if ((is_unique_ || leaves_existing_) && !is_left_) {
      ARROW_ASSIGN_OR_RAISE(const bool exists, existing_.Find(key_));
      // The row's own one: a writer beside the build of the index was first.
      if (exists && existing_.value() == value_) return Status::OK();
      if (exists) {
        return EntryExists(table_, IndexOf(key_), key_, before_.HasAny(table_.entry().partition.id(), key_, key_));
      }
    }
    return take_(key_, value_);
  }

 private:
  const TableIndex& IndexOf(std::string_view entry) const {
    const uint32_t id = RecordObjectId(entry);
    return *std::ranges::find_if(indexes_, [&](const TableIndex& index) { return index.definition->id == id; });
  }
  Status Repeated() const {
    const std::string values = IndexOf(key_).keys.Describe(key_);
    return RepeatedUniqueViolation(values, "Table " + table_.definition().QualifiedName() + ": two of the rows have " +
                                               values + ", of which a unique index allows one");
  }

  const TableImpl& table_;
  const std::span<const TableIndex> indexes_;
  ExistingKeys existing_;
  const WriteSet::View before_;
  const bool leaves_existing_;
  const Take& take_;
  bool is_open_ = false, is_left_ = false, is_made_ = false, is_unique_ = false;
  std::string key_, value_;
};

Status EntryIntake::Drain(const Snapshot& snapshot, const WriteSet::View& before, bool leaves_existing,
                          const Take& take) {
  ARROW_RETURN_NOT_OK(NoteWaiting());
  if (sorter_.bytes() == 0) return Status::OK();
  Writer writer(table_, indexes_, snapshot, before, leaves_existing, take);
  ARROW_RETURN_NOT_OK(
      sorter_.Drain([&](std::string_view key, std::string_view change) { return writer.Note(key, change); }));
  return writer.Finish();
}

EntryIntakes::EntryIntakes(const TableImpl& table, std::span<const TableIndex> indexes, size_t threads,
                           uint64_t sort_buffer_bytes) {
  for (size_t i = 0; i < threads; ++i) intakes_.emplace_back(table, indexes, sort_buffer_bytes / threads);
}

Status EntryIntakes::Continue(std::span<const TableIndex> indexes) {
  for (EntryIntake& intake : intakes_) ARROW_RETURN_NOT_OK(intake.Continue(indexes));
  return Status::OK();
}

arrow::Result<EntryIntake*> EntryIntakes::Join() {
  std::vector<RowSorter*> used;  // of the small part of a user one or none
  for (EntryIntake& intake : intakes_) {
    ARROW_RETURN_NOT_OK(intake.NoteWaiting());
    if (intake.sorter_.bytes() > 0) used.push_back(&intake.sorter_);
  }
  std::atomic<bool> failed{false};
  ARROW_RETURN_NOT_OK(RunInThreads("yarrow-sort", used.size(), &failed, [&](size_t i) {
    used[i]->Sort();
    return Status::OK();
  }));
  RowSorter& first = intakes_.front().sorter_;
  for (RowSorter* const sorter : used) {
    if (sorter != &first) first.Absorb(sorter);
  }
  return &intakes_.front();
}

Status EntryIntake::WriteTo(const Snapshot& snapshot, const WriteSet::View& before, WriteSet* writes,
                            uint64_t most_bytes) {
  ARROW_RETURN_NOT_OK(NoteWaiting());
  if (sorter_.bytes() == 0) return Status::OK();
  RunWriter run(table_, writes, /*in_files=*/sorter_.bytes() > most_bytes);
  ARROW_RETURN_NOT_OK(Drain(snapshot, before, /*leaves_existing=*/false,
                            [&](std::string_view key, std::optional<std::string_view> value) {
                              return value ? run.Put(key, *value) : run.Delete(key);
                            }));
  return run.Finish();
}

}  // namespace yarrow
