// FileReader: files as DuckDB's read_csv, read_json and read_parquet read them, for a program that wants nothing of
// DuckDB.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "yarrow/type.h"

namespace yarrow::sql {

enum class FileFormat { kCsv, kJson, kJsonLines, kParquet };

struct FileOptions {
  FileFormat format = FileFormat::kCsv;
  // Of CSV, whose quotes are double and are doubled inside (RFC 4180).
  std::string delimiter;                       // empty: the one that the first rows suggest
  bool has_header = true;                      // else the columns are column1, column2, ...
  std::vector<std::string> null_texts = {""};  // fields without quotes that are NULL
  // Of CSV and JSON; 0: DuckDB's limit.
  uint64_t most_row_bytes = 0;
};

struct FileColumn {
  std::string name;
  std::optional<ColumnType> type;  // nothing: a list, an object, ..., which no column can hold
  std::string type_name;           // DuckDB's
  bool is_json = false;       // set by callers, of a file of JSON: Read gives the values' JSON, a text with its quotes
  bool may_be_finer = false;  // the file has nanoseconds, and is read in microseconds
};

struct FileSurvey {
  std::vector<FileColumn> columns;
  std::string delimiter;  // of CSV
};

// One file at a time. Errors do not name the file. Not thread-safe but for Cancel.
class FileReader {
 public:
  static arrow::Result<std::unique_ptr<FileReader>> Open();
  ~FileReader();

  // The files that a pattern (*, ?, [a-z], **) matches, sorted.
  arrow::Result<std::vector<std::string>> Find(const std::string& pattern);

  // Columns in the file's order, with the types that the values suggest: of CSV the first 20,480 rows, of JSON all
  // values; of Parquet the file's own. A value of CSV further down may be of another type.
  arrow::Result<FileSurvey> Survey(const std::string& path, const FileOptions& options);

  // The rows in the file's order, in bounded memory. All columns of CSV and JSON are text, as it is in the file: casts
  // of DuckDB would round what does not fit a type. Those of Parquet are of its types.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const std::string& path, const FileOptions& options,
                                                                const FileSurvey& survey);

  // Values of JSON, or of a nested type that has no text of its own (HasSqlText), from their texts in such a file:
  // JSON, or as DuckDB prints them. The parts that have none are text again, or JSON. A text that is no value of that
  // shape sets *bad_row and is an Invalid that shows it.
  arrow::Result<std::shared_ptr<arrow::Array>> ParseNested(const arrow::StringArray& texts, const ColumnType& type,
                                                           FileFormat format, int64_t* bad_row);

  // Of what Read reads, 0 to 1; nothing when it is not known.
  std::optional<double> Progress() const;
  // Ends what is running. From any thread.
  void Cancel();

 private:
  struct Impl;
  explicit FileReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yarrow::sql
