// ColumnSurvey: which columns the files of an import have, and of what types.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/counting_stream.h"
#include "cli/csv_dialect.h"
#include "cli/type_inference.h"
#include "yarrow/type.h"

namespace yarrow::cli {

// Reads each file once: CSV files whole (the types come from all their cells), of Parquet files the schema. All files
// must have the same columns, in any order. Not thread-safe.
class ColumnSurvey {
 public:
  // `known_types` are not inferred. `dialect` must outlive the survey.
  ColumnSurvey(const CsvDialect& dialect, std::map<std::string, ColumnType> known_types);

  // Without `infer_types` only the names are read. `on_progress` is called after each batch with the number of its
  // rows; an error of it ends the survey.
  arrow::Status Add(const std::filesystem::path& path, bool infer_types, ByteCount* bytes_read,
                    const std::function<arrow::Status(int64_t rows)>& on_progress);

  // Names in the order of the first file.
  const std::vector<std::string>& names() const { return names_; }
  // What is known, else the type in the Parquet files (Invalid when they differ), else what the CSV cells say.
  arrow::Result<ColumnType> TypeOf(const std::string& name) const;

 private:
  struct Column {
    std::optional<TypeInference> inference;
    std::optional<std::pair<ColumnType, std::filesystem::path>> declared;  // and where
    bool is_declared_differently = false;
  };

  arrow::Status AddNames(const std::filesystem::path& path, const std::vector<std::string>& names);

  const CsvDialect& dialect_;
  const std::map<std::string, ColumnType> known_types_;
  std::filesystem::path first_path_;
  std::vector<std::string> names_;
  std::map<std::string, Column> columns_;
};

}  // namespace yarrow::cli
