#include "table/bulk_load.h"

#include <arrow/record_batch.h>

#include <utility>

#include "table/row_intake.h"

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

class BulkLoader {
 public:
  BulkLoader(const TableImpl& table, const BulkLoadOptions& options)
      : table_(table),
        options_(options),
        token_(table.store().BeginWrite()),
        intake_(table, options.sort_buffer_bytes) {}

  // Sorts the reader's rows; returns how many there are.
  arrow::Result<int64_t> Read(arrow::RecordBatchReader* reader) {
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      if (batch == nullptr) return progress_.rows_read;
      ARROW_RETURN_NOT_OK(intake_.Add(*batch));
      progress_.rows_read += batch->num_rows();
      ARROW_RETURN_NOT_OK(Report());
    }
  }

  // Writes the sorted rows and commits them; returns the bytes of the files.
  arrow::Result<uint64_t> Commit() {
    ARROW_ASSIGN_OR_RAISE(auto run, intake_.ToRun(options_.mode, token_->snapshot(), {}, [&](int64_t rows) {
      progress_.rows_written = rows;
      return Report();
    }));
    progress_.rows_written = progress_.rows_read;
    ARROW_RETURN_NOT_OK(Report());
    if (run->files().rows() == 0) return uint64_t{0};
    const uint64_t bytes = run->files().file_bytes();
    WriteSet writes;
    writes.AddRun(std::move(run));
    const GuardUse guard = table_.guard();
    CommitOptions commit;
    commit.transaction = token_.get();
    commit.guards = std::span(&guard, 1);
    ARROW_RETURN_NOT_OK(table_.store().Commit(writes, commit).status());
    return bytes;
  }

 private:
  Status Report() const { return options_.on_progress ? options_.on_progress(progress_) : Status::OK(); }

  const TableImpl& table_;
  const BulkLoadOptions& options_;
  const std::unique_ptr<WriteTransactionToken> token_;
  RowIntake intake_;
  BulkLoadProgress progress_;
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
