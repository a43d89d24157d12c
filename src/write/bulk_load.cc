#include "write/bulk_load.h"

#include <arrow/record_batch.h>

#include <utility>

#include "job/job.h"
#include "store/home_process.h"
#include "store/store_commits.h"
#include "write/row_commit.h"
#include "write/row_intake.h"

namespace yarrow {
namespace {

using arrow::Status;

class BulkLoader {
 public:
  BulkLoader(const TableImpl& table, const BulkLoadOptions& options)
      : table_(table),
        options_(options),
        token_(table.store().commits().BeginWrite()),
        intake_(table, options.sort_buffer_bytes) {}

  // Sorts the reader's rows; returns how many there are.
  arrow::Result<int64_t> Read(arrow::RecordBatchReader* reader) {
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      ARROW_RETURN_NOT_OK(HomeProcess::Check());  // a reader may fork
      if (batch == nullptr) return progress_.rows_read;
      ARROW_RETURN_NOT_OK(table_.CheckUserBatch(*batch));
      ARROW_RETURN_NOT_OK(intake_.Add(*batch));
      progress_.rows_read += batch->num_rows();
      ARROW_RETURN_NOT_OK(Report());
    }
  }

  // Writes the sorted rows and commits them, with a table that is new; returns their bytes.
  arrow::Result<uint64_t> Commit(const CatalogChanges& changes) {
    WriteSet writes;
    ARROW_ASSIGN_OR_RAISE(const uint64_t bytes,
                          intake_.WriteTo(options_.mode, token_->snapshot(), &writes, 0, [&](int64_t rows) {
                            progress_.rows_written = rows;
                            return Report();
                          }));
    progress_.rows_written = progress_.rows_read;
    ARROW_RETURN_NOT_OK(Report());
    if (writes.empty() && changes.empty()) return uint64_t{0};
    const TableImpl* const tables[] = {&table_};
    ARROW_RETURN_NOT_OK(CommitRows(&writes, tables, token_.get(), [&](const CommitOptions& options) {
      return changes.empty() ? table_.store().commits().Commit(writes, options)
                             : table_.database().CommitChanges(changes, &writes, options);
    }));
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
                                   const BulkLoadOptions& options, const CatalogChanges& changes) {
  ARROW_RETURN_NOT_OK(table.CheckWritable());
  if (reader == nullptr) {
    return Status::Invalid("Load into table ", table.definition().QualifiedName(), ": the reader is null");
  }
  ARROW_ASSIGN_OR_RAISE(const auto job, table.StartJob("bulk load"));
  int64_t rows = 0;
  uint64_t bytes = 0;
  const auto done = [&] { return JobWork{.rows = static_cast<uint64_t>(rows), .bytes = bytes}; };
  ARROW_RETURN_NOT_OK(job->Do({}, done, [&](const OnProgress& report) {
    BulkLoadOptions reported = options;
    reported.on_progress = [&](const BulkLoadProgress& progress) {
      ARROW_RETURN_NOT_OK(report(progress.rows_read));
      return options.on_progress ? options.on_progress(progress) : Status::OK();
    };
    BulkLoader loader(table, reported);
    ARROW_ASSIGN_OR_RAISE(const int64_t read, loader.Read(reader));
    ARROW_ASSIGN_OR_RAISE(bytes, loader.Commit(changes));
    rows = read;  // none, when it fails
    return Status::OK();
  }));
  return rows;
}

}  // namespace yarrow
