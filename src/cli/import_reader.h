// ImportReader: all files of an import as one stream of record batches.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "cli/import_file.h"
#include "cli/progress_bar.h"

namespace yarrow::cli {

// Reads the files one after the other. Not thread-safe. What it is given must outlive
// it.
class ImportReader : public arrow::RecordBatchReader {
 public:
  ImportReader(const std::vector<std::filesystem::path>& paths, const CsvDialect& dialect,
               std::vector<ImportColumn> columns, ProgressBar* progress);

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override;

  // The error that ReadNext returned, if it has: as it was, whatever those between said about it.
  const arrow::Status& failure() const { return failure_; }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next();

  const std::vector<std::filesystem::path>& paths_;
  const CsvDialect& dialect_;
  const std::vector<ImportColumn> columns_;
  const std::shared_ptr<arrow::Schema> schema_;
  ProgressBar* const progress_;
  ByteCount bytes_read_ = 0;
  double total_bytes_ = 0;
  int64_t rows_ = 0;
  size_t next_path_ = 0;
  std::unique_ptr<ImportFile> file_;
  arrow::Status failure_;
};

// Sum of the sizes.
double TotalBytes(const std::vector<std::filesystem::path>& paths);

}  // namespace yarrow::cli
