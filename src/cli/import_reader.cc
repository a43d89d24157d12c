#include "cli/import_reader.h"

#include <utility>

namespace yarrow::cli {

double TotalBytes(const std::vector<std::filesystem::path>& paths) {
  double bytes = 0;
  for (const auto& path : paths) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (!error) bytes += static_cast<double>(size);
  }
  return bytes;
}

ImportReader::ImportReader(const std::vector<std::filesystem::path>& paths, const CsvDialect& dialect,
                           std::vector<ImportColumn> columns, ProgressBar* progress)
    : paths_(paths),
      dialect_(dialect),
      columns_(std::move(columns)),
      schema_(SchemaOf(columns_)),
      progress_(progress),
      total_bytes_(TotalBytes(paths)) {
  progress_->Begin("loading");
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ImportReader::Next() {
  for (;;) {
    if (file_ == nullptr) {
      if (next_path_ == paths_.size()) return nullptr;
      ARROW_ASSIGN_OR_RAISE(file_, OpenImportFile(paths_[next_path_++], dialect_, columns_, &bytes_read_));
    }
    ARROW_ASSIGN_OR_RAISE(auto batch, file_->Next());
    if (batch != nullptr) return batch;
    file_ = nullptr;
  }
}

arrow::Status ImportReader::ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
  auto next = Next();
  if (!next.ok()) return failure_ = next.status();
  *batch = *std::move(next);
  if (*batch == nullptr) {
    progress_->Begin("sorting");
    return arrow::Status::OK();
  }
  rows_ += (*batch)->num_rows();
  progress_->Update(static_cast<double>(bytes_read_) / total_bytes_, rows_);
  return arrow::Status::OK();
}

}  // namespace yarrow::cli
