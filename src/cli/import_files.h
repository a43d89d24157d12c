// The files of an import: which they are, what columns they have, and their rows in the types of a table.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/progress_bar.h"
#include "sql/file_reader.h"
#include "yarrow/type.h"

namespace yarrow::cli {

// How the files are to be read.
struct ImportOptions {
  std::string format;  // empty: by each file's name
  sql::FileOptions csv;
  std::vector<std::string> column_names;    // of CSV without a header
  std::map<std::string, ColumnType> types;  // instead of those that the values suggest
};

// A file, or standard input in a file without a name.
struct ImportFile {
  std::string path;
  std::string name;  // for people
  sql::FileOptions options;
  sql::FileSurvey survey;
  uint64_t bytes = 0;
  std::filesystem::file_time_type changed;
};

// Files, and those that patterns match; "-" is standard input, whose rows wait in a file without a name in
// `spool_directory`. IOError or Invalid, naming the file, for what cannot be imported.
arrow::Result<std::vector<ImportFile>> FindFiles(const std::vector<std::string>& arguments,
                                                 const ImportOptions& options,
                                                 const std::filesystem::path& spool_directory, sql::FileReader* reader);

// A column of the table that the files have, too.
struct ImportColumn {
  std::string name;
  ColumnType type;
  bool in_key = false;
  bool nullable = true;      // key columns are not
  bool is_inferred = false;  // the type is a guess from some of the values
};

// Looks at all files, which must have the same columns, in any order. The columns are in the order of the first file,
// each of a type that holds what was seen in all files.
arrow::Result<std::vector<ImportColumn>> SurveyFiles(const ImportOptions& options, std::vector<ImportFile>* files,
                                                     sql::FileReader* reader);

// All files as one stream. A text that does not fit the inferred type of its column makes the type wider: the rest is
// read through for other such texts, and then ReadNext ends with an error, and must_restart() is true: the same rows
// can then be read as widened(). Not thread-safe. What it is given must outlive it.
class ImportReader : public arrow::RecordBatchReader {
 public:
  ImportReader(const std::vector<ImportFile>& files, std::vector<ImportColumn> columns, sql::FileReader* reader,
               ProgressBar* progress);

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override;

  bool must_restart() const { return must_restart_; }
  const std::vector<ImportColumn>& widened() const { return columns_; }
  // The error that ReadNext returned, if it has: as it was, whatever those between said about it.
  const arrow::Status& failure() const { return failure_; }
  // The file whose rows were read last.
  bool at_end() const { return at_ == files_.size(); }
  const std::string& file_name() const { return files_[at_].name; }  // not at the end

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next();
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Convert(const arrow::RecordBatch& rows);
  arrow::Result<std::shared_ptr<arrow::Array>> ConvertColumn(const std::shared_ptr<arrow::Array>& cells,
                                                             ImportColumn* column);
  arrow::Result<std::shared_ptr<arrow::Array>> ConvertNested(const std::shared_ptr<arrow::Array>& cells,
                                                             const ImportColumn& column);
  arrow::Status BadCell(int64_t row, const ImportColumn& column, const std::string& what);
  arrow::Status FinishFile();
  void ShowProgress();

  const std::vector<ImportFile>& files_;
  std::vector<ImportColumn> columns_;
  const std::shared_ptr<arrow::Schema> schema_;
  sql::FileReader* const reader_;
  ProgressBar* const progress_;
  uint64_t total_bytes_ = 0;
  uint64_t bytes_done_ = 0;  // of files that were read
  size_t at_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> rows_;  // of the file at hand
  int64_t file_rows_ = 0;                           // before the batch at hand
  int64_t all_rows_ = 0;
  bool must_restart_ = false;
  arrow::Status failure_;
};

}  // namespace yarrow::cli
