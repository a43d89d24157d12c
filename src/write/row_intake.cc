#include "write/row_intake.h"

#include <arrow/record_batch.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "row/constraint_violation.h"
#include "row/row_layout.h"
#include "store/file_run.h"
#include "write/cold_overrides.h"
#include "write/cold_rows.h"
#include "write/entry_intake.h"
#include "write/existing_keys.h"
#include "write/new_segments_writer.h"
#include "write/row_changes.h"

namespace yarrow {
namespace {

using arrow::Status;

// Where the rows of a statement go, keys ascending.
class RowTarget {
 public:
  RowTarget(const TableImpl& table, uint64_t rows, bool fit_in_memory, WriteSet* writes)
      : table_(table), writes_(writes) {
    if (table.WritesSegments(rows)) {
      segments_.emplace(table, rows);
    } else if (!fit_in_memory) {
      StartRun();
    }
  }

  bool is_segments() const { return segments_.has_value(); }

  // `replaces`: the hot tier or a segment has something of the key. Such a row stays hot: whoever moves what it
  // replaces meanwhile looks it up among the writes.
  Status Put(std::string_view key, std::string_view row, bool replaces) {
    constexpr uint64_t kFew = 10'000;
    if (segments_ && !replaces) return segments_->Add(key, row);
    if (segments_ && ++replacing_ > kFew && run_ == nullptr) StartRun();
    bytes_ += key.size() + row.size();
    if (run_ != nullptr) return run_->Put(key, row);
    writes_->Put(table_.entry().partition, key, row);
    return writes_->status();
  }

  arrow::Result<uint64_t> Finish() {
    if (run_ != nullptr) {
      ARROW_RETURN_NOT_OK(run_->Finish());
      writes_->AddRun(std::move(run_));
    }
    if (!segments_) return bytes_;
    ARROW_ASSIGN_OR_RAISE(auto made, segments_->Finish());
    if (made == nullptr) return bytes_;
    const uint64_t bytes = bytes_ + made->file_bytes();
    writes_->AddRun(std::shared_ptr<const ExternalRun>(std::move(made)));
    return bytes;
  }

 private:
  void StartRun() { run_ = std::make_shared<FileRun>(table_.database().store(), table_.entry().partition); }

  const TableImpl& table_;
  WriteSet* const writes_;
  std::optional<NewSegmentsWriter> segments_;
  std::shared_ptr<FileRun> run_;
  uint64_t replacing_ = 0;
  uint64_t bytes_ = 0;
};

// Passes on one row a key. Holds one row back, so that of several rows of one key the last one is it.
class UniqueRows {
 public:
  UniqueRows(const TableImpl& table, WriteMode mode, const Snapshot& snapshot, const WriteSet::View& overlay,
             RowTarget* target, EntryIntake* entries)
      : table_(table),
        mode_(mode),
        existing_(table, table.key_prefix(), snapshot, overlay),
        existing_cold_(table, snapshot, overlay),
        before_(overlay),
        target_(target),
        entries_(entries) {}

  Status Add(std::string_view key, std::string_view row) {
    if (held_ && held_key_ == key) {
      if (mode_ == WriteMode::kInsert) {
        const RowSchema& schema = *table_.row_schema();
        return RepeatedKeyViolation(schema, key,
                                    "Table " + schema.table_name() + ": two of the rows have " +
                                        schema.DescribeKey(key) + "; use upsert mode to keep the last one");
      }
    } else {
      ARROW_RETURN_NOT_OK(PutHeld());
      ARROW_RETURN_NOT_OK(LookUp(key));
    }
    held_key_ = key;
    held_row_ = row;
    held_ = true;
    return Status::OK();
  }

  // Of the rows of segments that are replaced the overrides go to `writes`.
  Status Finish(WriteSet* writes) {
    ARROW_RETURN_NOT_OK(PutHeld());
    return overrides_.WriteTo(table_, writes);
  }

 private:
  Status LookUp(std::string_view key) {
    const bool insert = mode_ == WriteMode::kInsert;
    bool is_hot = false, is_live = false;
    if (insert || target_->is_segments() || has_entries()) {
      ARROW_ASSIGN_OR_RAISE(is_hot, existing_.Find(key));
      is_live = is_hot && (existing_.value().size() < kRowHeaderSize || !IsDeletedRow(existing_.value()));
    }
    ARROW_ASSIGN_OR_RAISE(const auto place, existing_cold_.Find(key));
    if (insert && (place || is_live)) {
      return KeyExists(table_, key, before_.HasAny(table_.entry().partition.id(), key, key));
    }
    if (has_entries()) ARROW_RETURN_NOT_OK(RemoveEntries(key, place, is_live));
    if (place) ARROW_RETURN_NOT_OK(overrides_.Add(*place));
    replaces_ = place || is_hot;
    return Status::OK();
  }

  bool has_entries() const { return !table_.indexes().empty(); }

  // Of the row that is replaced, if there is one.
  Status RemoveEntries(std::string_view key, const std::optional<ColdPlace>& place, bool is_live) {
    if (is_live) return entries_->Remove(key, existing_.value());
    if (!place) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const std::string_view row, existing_cold_.Read(*place));
    return entries_->Remove(key, row);
  }

  Status PutHeld() {
    if (!held_) return Status::OK();
    if (has_entries()) ARROW_RETURN_NOT_OK(entries_->Add(held_key_, held_row_));
    return target_->Put(held_key_, held_row_, replaces_);
  }

  const TableImpl& table_;
  const WriteMode mode_;
  ExistingKeys existing_;
  ColdRows existing_cold_;
  const WriteSet::View before_;
  RowTarget* const target_;
  EntryIntake* const entries_;  // of the table's indexes
  ColdOverrides overrides_;
  bool held_ = false;
  bool replaces_ = false;  // the held one
  std::string held_key_, held_row_;
};

}  // namespace

uint64_t MostBytesInMemory(const Store& store) {
  constexpr uint64_t kIngests = 8;  // 64 MB, unless somebody wants small ones
  return kIngests * store.options().ingest_threshold_bytes;
}

RowIntake::RowIntake(const TableImpl& table, uint64_t sort_buffer_bytes)
    : table_(table), sort_buffer_bytes_(sort_buffer_bytes), sorter_(table.store().path() / "tmp", sort_buffer_bytes) {}

Status RowIntake::Add(const arrow::RecordBatch& batch) {
  std::shared_ptr<arrow::RecordBatch> with_ids;
  const arrow::RecordBatch* rows = &batch;
  if (table_.definition().has_hidden_row_id()) {
    ARROW_ASSIGN_OR_RAISE(with_ids, table_.WithRowIds(batch));
    rows = with_ids.get();
  }
  auto slot = table_.LeaseEncoder();
  ARROW_RETURN_NOT_OK(slot->encoder.BindBatch(*rows));
  for (int64_t i = 0; i < rows->num_rows(); ++i) {
    ARROW_RETURN_NOT_OK(slot->encoder.EncodeRow(i, &slot->key, &slot->row));
    ARROW_RETURN_NOT_OK(sorter_.Add(slot->key, slot->row));
  }
  rows_ += static_cast<uint64_t>(rows->num_rows());
  return Status::OK();
}

Status RowIntake::AddEncoded(std::string_view key, std::string_view row) {
  ++rows_;
  return sorter_.Add(key, row);
}

void RowIntake::Absorb(RowIntake* other) {
  rows_ += std::exchange(other->rows_, 0);
  sorter_.Absorb(&other->sorter_);
}

arrow::Result<uint64_t> RowIntake::WriteTo(WriteMode mode, const Snapshot& snapshot, WriteSet* writes,
                                           uint64_t most_bytes, const OnProgress& on_progress) {
  constexpr int64_t kRowsBetweenReports = 65536;
  writes->Seal();
  const WriteSet::View before = writes->GetView();
  RowTarget target(table_, rows_, sorter_.bytes() <= most_bytes, writes);
  EntryIntake entries(table_, table_.indexes(), sort_buffer_bytes_);
  UniqueRows unique(table_, mode, snapshot, before, &target, &entries);
  int64_t taken = 0;
  ARROW_RETURN_NOT_OK(sorter_.Drain([&](std::string_view key, std::string_view row) {
    ARROW_RETURN_NOT_OK(unique.Add(key, row));
    return ++taken % kRowsBetweenReports == 0 && on_progress ? on_progress(taken) : Status::OK();
  }));
  ARROW_RETURN_NOT_OK(unique.Finish(writes));
  ARROW_ASSIGN_OR_RAISE(const uint64_t bytes, target.Finish());
  ARROW_RETURN_NOT_OK(entries.WriteTo(snapshot, before, writes, most_bytes));
  return bytes;
}

}  // namespace yarrow
