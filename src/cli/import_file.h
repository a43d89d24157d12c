// The files of an import: what columns they have, and their rows in the types of a table.
//
// Errors name the file, and the line (CSV) or row (Parquet), column and value of a bad cell.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/counting_stream.h"
#include "cli/csv_dialect.h"
#include "yarrow/type.h"

namespace yarrow::cli {

// A column of the table that the files have, too.
struct ImportColumn {
  std::string name;
  ColumnType type;
  bool in_key = false;
  bool nullable = true;  // key columns are not
};

std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<ImportColumn>& columns);

// One file, read from start to end in constant memory. Not thread-safe.
class ImportFile {
 public:
  virtual ~ImportFile() = default;
  // The next rows: one column for each ImportColumn, in that order and of its type; null at the end.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next();

 protected:
  ImportFile(std::filesystem::path path, std::vector<ImportColumn> columns);
  // The next rows of the file and where their columns are in it; null at the end.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows() = 0;
  virtual arrow::Result<std::shared_ptr<arrow::Array>> Convert(const std::shared_ptr<arrow::Array>& cells,
                                                               const ColumnType& type, int64_t* bad_row) = 0;
  // "line 17": of a row of the batch that ReadRows returned last.
  virtual arrow::Result<std::string> Locate(int64_t row) = 0;

  const std::filesystem::path path_;

 private:
  arrow::Status BadCell(int64_t row, const ImportColumn& column, const std::string& what);

  const std::vector<ImportColumn> columns_;
  std::shared_ptr<arrow::Schema> schema_;
};

// By its name: *.parquet, *.pq. Everything else is CSV, but for what CheckFormat refuses.
bool IsParquet(const std::filesystem::path& path);
// Invalid for names that say that a file is neither, as people name JSON, Arrow or spreadsheets: as CSV it would be
// some column with an odd name.
arrow::Status CheckFormat(const std::filesystem::path& path);

// `bytes_read` must outlive the file; it gets as much as the file has bytes by the end.
arrow::Result<std::unique_ptr<ImportFile>> OpenImportFile(const std::filesystem::path& path, const CsvDialect& dialect,
                                                          const std::vector<ImportColumn>& columns,
                                                          ByteCount* bytes_read);

arrow::Result<std::unique_ptr<ImportFile>> OpenParquetFile(const std::filesystem::path& path,
                                                           const std::vector<ImportColumn>& columns,
                                                           ByteCount* bytes_read);
// Names and types of the columns of a Parquet file.
arrow::Result<std::vector<std::pair<std::string, ColumnType>>> ParquetColumns(const std::filesystem::path& path);

}  // namespace yarrow::cli
