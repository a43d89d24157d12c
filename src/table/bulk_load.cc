#include "table/bulk_load.h"

#include <arrow/record_batch.h>

#include <optional>
#include <string>
#include <utility>

#include "key/key_range.h"
#include "row/row_layout.h"
#include "store/sst_load.h"
#include "table/row_changes.h"
#include "table/row_sorter.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

using arrow::Status;

// The record of a load in system.jobs, written when it starts and when it ends.
class LoadJob {
 public:
  static arrow::Result<LoadJob> Start(const TableImpl& table) {
    LoadJob job(&table.database().catalog());
    ARROW_ASSIGN_OR_RAISE(job.key_.job_id, job.catalog_->NextJobId());
    job.record_.kind = "bulk load";
    job.record_.target = table.definition().QualifiedName();
    job.record_.state = "running";
    job.record_.started_at = NowMicros();
    ARROW_RETURN_NOT_OK(job.catalog_->jobs().Put(job.key_, job.record_));
    return job;
  }
  Status Finish(const arrow::Result<int64_t>& rows, uint64_t bytes) {
    record_.state = rows.ok() ? "completed" : "failed";
    record_.rows = rows.ok() ? static_cast<uint64_t>(*rows) : 0;
    record_.bytes = rows.ok() ? bytes : 0;
    if (!rows.ok()) record_.error = rows.status().message();
    record_.finished_at = NowMicros();
    return catalog_->jobs().Put(key_, record_);
  }

 private:
  explicit LoadJob(Catalog* catalog) : catalog_(catalog) {}
  Catalog* catalog_;
  JobKey key_;
  JobRecord record_;
};

// Tells whether ascending keys have a live row in the table already, walking along with them.
class ExistingRows {
 public:
  ExistingRows(const TableImpl& table, const Snapshot& snapshot)
      : cursor_(table.store().Scan({.partition = table.entry().partition,
                                    .lower = table.key_prefix(),
                                    .upper = PrefixSuccessor(table.key_prefix()),
                                    .snapshot = snapshot,
                                    .overlay = {},
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

class BulkLoader {
 public:
  static constexpr int64_t kRowsBetweenReports = 65536;

  BulkLoader(const TableImpl& table, const BulkLoadOptions& options)
      : table_(table),
        options_(options),
        token_(table.store().BeginWrite()),
        existing_(table, token_->snapshot()),
        sorter_(table.store().path() / "tmp", options.sort_buffer_bytes) {}

  // Sorts the reader's rows; returns how many there are.
  arrow::Result<int64_t> Read(arrow::RecordBatchReader* reader) {
    int64_t rows = 0;
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      if (batch == nullptr) return rows;
      if (table_.definition().has_hidden_row_id()) {
        ARROW_ASSIGN_OR_RAISE(batch, table_.WithRowIds(*batch));
      }
      auto slot = table_.LeaseEncoder();
      ARROW_RETURN_NOT_OK(slot->encoder.BindBatch(*batch));
      for (int64_t i = 0; i < batch->num_rows(); ++i) {
        ARROW_RETURN_NOT_OK(slot->encoder.EncodeRow(i, &slot->key, &slot->row));
        ARROW_RETURN_NOT_OK(sorter_.Add(slot->key, slot->row));
      }
      rows += batch->num_rows();
      progress_.rows_read = rows;
      ARROW_RETURN_NOT_OK(Report());
    }
  }

  // Writes the sorted rows and commits them; returns the bytes of the files.
  arrow::Result<uint64_t> Commit() {
    ARROW_ASSIGN_OR_RAISE(auto load, SstLoad::Open(table_.database().store(), table_.entry().partition));
    ARROW_RETURN_NOT_OK(
        sorter_.Drain([&](std::string_view key, std::string_view row) { return Take(load.get(), key, row); }));
    ARROW_RETURN_NOT_OK(AppendHeld(load.get()));
    ARROW_RETURN_NOT_OK(Report());
    if (load->rows() == 0) return uint64_t{0};
    const GuardUse guard = table_.guard();
    CommitOptions commit;
    commit.transaction = token_.get();
    commit.guards = std::span(&guard, 1);
    ARROW_RETURN_NOT_OK(load->Commit(commit).status());
    return load->file_bytes();
  }

 private:
  // Holds one row back, so that of several rows of one key the last one is written.
  Status Take(SstLoad* load, std::string_view key, std::string_view row) {
    const bool insert = options_.mode == WriteMode::kInsert;
    if (held_ && held_key_ == key) {
      if (insert) {
        return Status::AlreadyExists("Table ", table_.definition().QualifiedName(), ": the load has two rows with ",
                                     table_.row_schema()->DescribeKey(key), "; use upsert mode to keep the last one");
      }
    } else {
      ARROW_RETURN_NOT_OK(AppendHeld(load));
      if (insert) {
        ARROW_ASSIGN_OR_RAISE(const bool exists, existing_.Contains(key));
        if (exists) return KeyExists(table_, key);
      }
    }
    held_key_ = key;
    held_row_ = row;
    held_ = true;
    return ++progress_.rows_written % kRowsBetweenReports == 0 ? Report() : Status::OK();
  }

  Status Report() const { return options_.on_progress ? options_.on_progress(progress_) : Status::OK(); }

  Status AppendHeld(SstLoad* load) { return held_ ? load->Append(held_key_, held_row_) : Status::OK(); }

  const TableImpl& table_;
  const BulkLoadOptions& options_;
  const std::unique_ptr<WriteTransactionToken> token_;
  ExistingRows existing_;
  RowSorter sorter_;
  BulkLoadProgress progress_;
  bool held_ = false;
  std::string held_key_, held_row_;
};

}  // namespace

arrow::Result<int64_t> RunBulkLoad(const TableImpl& table, arrow::RecordBatchReader* reader,
                                   const BulkLoadOptions& options, const std::function<Status()>& publish) {
  ARROW_RETURN_NOT_OK(table.CheckWritable());
  if (reader == nullptr) {
    return Status::Invalid("Load into table ", table.definition().QualifiedName(), ": the reader is null");
  }
  ARROW_ASSIGN_OR_RAISE(LoadJob job, LoadJob::Start(table));
  uint64_t bytes = 0;
  const arrow::Result<int64_t> rows = [&]() -> arrow::Result<int64_t> {
    BulkLoader loader(table, options);
    ARROW_ASSIGN_OR_RAISE(const int64_t read, loader.Read(reader));
    ARROW_ASSIGN_OR_RAISE(bytes, loader.Commit());
    if (publish) ARROW_RETURN_NOT_OK(publish());
    return read;
  }();
  ARROW_RETURN_NOT_OK(job.Finish(rows, bytes));
  return rows;
}

}  // namespace yarrow
