#include "table/row_intake.h"

#include <arrow/record_batch.h>

#include <string>
#include <utility>

#include "key/key_range.h"
#include "row/row_layout.h"
#include "table/cold_rows.h"
#include "table/row_changes.h"

namespace yarrow {
namespace {

using arrow::Status;

// Tells whether ascending keys have a live row in the table already, walking along with them.
class ExistingRows {
 public:
  ExistingRows(const TableImpl& table, const Snapshot& snapshot, WriteSet::View overlay)
      : cursor_(table.store().Scan({.partition = table.entry().partition,
                                    .lower = table.key_prefix(),
                                    .upper = PrefixSuccessor(table.key_prefix()),
                                    .snapshot = snapshot,
                                    .overlay = std::move(overlay),
                                    .fill_cache = false})) {}

  arrow::Result<bool> Contains(std::string_view key) {
    // A few steps are cheaper than a seek; a gap of many rows is not walked.
    for (int steps = 0; state_ == kBefore || (state_ == kAt && cursor_.key() < key); ++steps) {
      if (steps == kStepsBeforeSeek || state_ == kBefore) cursor_.Seek(key);
      state_ = cursor_.Next() ? kAt : kEnd;
      ARROW_RETURN_NOT_OK(cursor_.status());
    }
    if (state_ == kEnd || cursor_.key() != key) return false;
    const std::string_view row = cursor_.value();
    return row.size() < kRowHeaderSize || !IsDeletedRow(row);
  }

 private:
  static constexpr int kStepsBeforeSeek = 8;
  enum State { kBefore, kAt, kEnd };
  ScanCursor cursor_;
  State state_ = kBefore;
};

// Passes on one row a key. Holds one row back, so that of several rows of one key the last one is it.
class UniqueRows {
 public:
  UniqueRows(const TableImpl& table, WriteMode mode, const Snapshot& snapshot, const WriteSet::View& overlay,
             const RowSorter::Take& take, ColdOverrides* overrides)
      : table_(table),
        mode_(mode),
        existing_(table, snapshot, overlay),
        existing_cold_(table, snapshot, overlay),
        take_(take),
        overrides_(overrides) {}

  Status Add(std::string_view key, std::string_view row) {
    const bool insert = mode_ == WriteMode::kInsert;
    if (held_ && held_key_ == key) {
      if (insert) {
        return Status::AlreadyExists("Table ", table_.definition().QualifiedName(), ": two of the rows have ",
                                     table_.row_schema()->DescribeKey(key), "; use upsert mode to keep the last one");
      }
    } else {
      ARROW_RETURN_NOT_OK(Finish());
      if (insert) {
        ARROW_ASSIGN_OR_RAISE(const bool exists, existing_.Contains(key));
        if (exists) return KeyExists(table_, key);
      }
      ARROW_ASSIGN_OR_RAISE(const auto place, existing_cold_.Find(key));
      if (place && insert) return KeyExists(table_, key);
      if (place) ARROW_RETURN_NOT_OK(overrides_->Add(*place));
    }
    held_key_ = key;
    held_row_ = row;
    held_ = true;
    return Status::OK();
  }
  Status Finish() { return held_ ? take_(held_key_, held_row_) : Status::OK(); }

 private:
  const TableImpl& table_;
  const WriteMode mode_;
  ExistingRows existing_;
  ColdRows existing_cold_;
  const RowSorter::Take& take_;
  ColdOverrides* const overrides_;
  bool held_ = false;
  std::string held_key_, held_row_;
};

}  // namespace

uint64_t MostBytesInMemory(const Store& store) {
  constexpr uint64_t kIngests = 8;  // 64 MB, unless somebody wants small ones
  return kIngests * store.options().ingest_threshold_bytes;
}

RowIntake::RowIntake(const TableImpl& table, uint64_t sort_buffer_bytes)
    : table_(table), sorter_(table.store().path() / "tmp", sort_buffer_bytes) {}

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

Status RowIntake::Absorb(RowIntake* other) {
  rows_ += std::exchange(other->rows_, 0);
  return sorter_.Absorb(&other->sorter_);
}

Status RowIntake::DrainUnique(WriteMode mode, const Snapshot& snapshot, WriteSet::View overlay,
                              const RowSorter::Take& take) {
  UniqueRows unique(table_, mode, snapshot, overlay, take, &overrides_);
  ARROW_RETURN_NOT_OK(sorter_.Drain([&](std::string_view key, std::string_view row) { return unique.Add(key, row); }));
  return unique.Finish();
}

arrow::Result<std::shared_ptr<const FileRun>> RowIntake::ToRun(WriteMode mode, const Snapshot& snapshot,
                                                               WriteSet::View overlay, const OnProgress& on_progress) {
  constexpr int64_t kRowsBetweenReports = 65536;
  const auto run = std::make_shared<FileRun>(table_.database().store(), table_.entry().partition);
  int64_t taken = 0;
  ARROW_RETURN_NOT_OK(DrainUnique(mode, snapshot, std::move(overlay), [&](std::string_view key, std::string_view row) {
    ARROW_RETURN_NOT_OK(run->Put(key, row));
    return ++taken % kRowsBetweenReports == 0 && on_progress ? on_progress(taken) : Status::OK();
  }));
  ARROW_RETURN_NOT_OK(run->Finish());
  return run;
}

}  // namespace yarrow
