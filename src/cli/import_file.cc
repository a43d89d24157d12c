#include "cli/import_file.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string_view>

#include "cli/csv_rows.h"
#include "cli/csv_text_reader.h"
#include "cli/text_conversion.h"

namespace yarrow::cli {
namespace {

class CsvImportFile : public ImportFile {
 public:
  CsvImportFile(std::filesystem::path path, std::vector<ImportColumn> columns, CsvDialect dialect,
                std::unique_ptr<CsvTextReader> reader)
      : ImportFile(std::move(path), std::move(columns)), dialect_(std::move(dialect)), reader_(std::move(reader)) {}

 protected:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows() override { return reader_->Next(); }

  arrow::Result<std::shared_ptr<arrow::Array>> Convert(const std::shared_ptr<arrow::Array>& cells,
                                                       const ColumnType& type, int64_t* bad_row) override {
    return ConvertTexts(static_cast<const arrow::BinaryArray&>(*cells), type, dialect_, bad_row);
  }

  arrow::Result<std::string> Locate(int64_t row) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t line, LineOfRow(path_, dialect_, reader_->first_row() + row));
    return "line " + std::to_string(line);
  }

 private:
  const CsvDialect dialect_;
  const std::unique_ptr<CsvTextReader> reader_;
};

}  // namespace

std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<ImportColumn>& columns) {
  arrow::FieldVector fields;
  for (const ImportColumn& column : columns) {
    fields.push_back(arrow::field(column.name, column.type.ToArrow(), column.nullable));
  }
  return arrow::schema(std::move(fields));
}

ImportFile::ImportFile(std::filesystem::path path, std::vector<ImportColumn> columns)
    : path_(std::move(path)), columns_(std::move(columns)), schema_(SchemaOf(columns_)) {}

arrow::Status ImportFile::BadCell(int64_t row, const ImportColumn& column, const std::string& what) {
  ARROW_ASSIGN_OR_RAISE(const std::string place, Locate(row));
  return arrow::Status::Invalid(path_.string(), ": ", place, ": column ", column.name, ": ", what);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ImportFile::Next() {
  ARROW_ASSIGN_OR_RAISE(const auto rows, ReadRows());
  if (rows == nullptr) return nullptr;
  arrow::ArrayVector arrays;
  for (const ImportColumn& column : columns_) {
    const std::shared_ptr<arrow::Array> cells = rows->GetColumnByName(column.name);
    if (cells == nullptr) return arrow::Status::Invalid(path_.string(), ": there is no column ", column.name);
    int64_t bad_row = 0;
    auto converted = Convert(cells, column.type, &bad_row);
    if (!converted.ok()) return BadCell(bad_row, column, converted.status().message());
    const arrow::Array& array = **converted;
    if (!column.nullable && array.null_count() > 0) {
      while (array.IsValid(bad_row)) ++bad_row;
      return BadCell(bad_row, column, column.in_key ? "NULL in the primary key" : "NULL in a NOT NULL column");
    }
    arrays.push_back(*std::move(converted));
  }
  return arrow::RecordBatch::Make(schema_, rows->num_rows(), std::move(arrays));
}

bool IsParquet(const std::filesystem::path& path) {
  return path.extension() == ".parquet" || path.extension() == ".pq";
}

arrow::Status CheckFormat(const std::filesystem::path& path) {
  constexpr std::string_view kOthers[] = {".json",    ".jsonl", ".jsonlines", ".ndjson", ".arrow", ".arrows", ".ipc",
                                          ".feather", ".avro",  ".orc",       ".xlsx",   ".xls",   ".ods",    ".xml"};
  std::string name = (IsCompressed(path) ? path.stem() : path).extension().string();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (std::find(std::begin(kOthers), std::end(kOthers), name) == std::end(kOthers)) return arrow::Status::OK();
  return arrow::Status::Invalid("cannot import '", path.string(), "': files of ", name,
                                " are not read, only CSV (.csv, .tsv, these with .gz or .zst) and Parquet (.parquet, ",
                                ".pq); convert it to one of them, or rename it if it is CSV");
}

arrow::Result<std::unique_ptr<ImportFile>> OpenImportFile(const std::filesystem::path& path, const CsvDialect& dialect,
                                                          const std::vector<ImportColumn>& columns,
                                                          ByteCount* bytes_read) {
  if (IsParquet(path)) return OpenParquetFile(path, columns, bytes_read);
  ARROW_ASSIGN_OR_RAISE(auto reader, CsvTextReader::Open(path, dialect, bytes_read));
  return std::make_unique<CsvImportFile>(path, columns, dialect, std::move(reader));
}

}  // namespace yarrow::cli
