// Parquet files of an import.
#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include <utility>

#include "cli/import_file.h"
#include "cli/text_conversion.h"

namespace yarrow::cli {
namespace {

namespace cp = arrow::compute;

constexpr int64_t kBatchRows = 32 * 1024;

bool IsText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING ||
         type.id() == arrow::Type::STRING_VIEW;
}

arrow::Result<std::shared_ptr<arrow::Array>> Cast(const arrow::Array& cells,
                                                  const std::shared_ptr<arrow::DataType>& type) {
  return cp::Cast(cells, type, cp::CastOptions::Safe());
}

// A cast of one cell after the other, to find the first that fails.
int64_t FirstBadRow(const arrow::Array& cells, const std::shared_ptr<arrow::DataType>& type) {
  for (int64_t row = 0; row < cells.length(); ++row) {
    if (!Cast(*cells.Slice(row, 1), type).ok()) return row;
  }
  return 0;
}

// Text is read as in CSV files, but there are no NULL spellings; everything else is cast without loss.
arrow::Result<std::shared_ptr<arrow::Array>> ConvertCells(const std::shared_ptr<arrow::Array>& cells,
                                                          const ColumnType& type, int64_t* bad_row) {
  const std::shared_ptr<arrow::DataType> wanted = type.ToArrow();
  if (cells->type()->Equals(*wanted)) return cells;
  if (cells->type_id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*cells);
    ARROW_ASSIGN_OR_RAISE(const auto plain, Cast(*cells, dictionary.dict_type()->value_type()));
    return ConvertCells(plain, type, bad_row);
  }
  if (IsText(*cells->type()) && type.id != TypeId::kUtf8) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, Cast(*cells, arrow::binary()));
    CsvDialect dialect;
    dialect.null_spellings.clear();
    return ConvertTexts(static_cast<const arrow::BinaryArray&>(*bytes), type, dialect, bad_row);
  }
  if (type.id == TypeId::kUuid) {
    ARROW_ASSIGN_OR_RAISE(const auto storage, Cast(*cells, arrow::fixed_size_binary(16)));
    return arrow::ExtensionType::WrapArray(wanted, storage);
  }
  auto cast = Cast(*cells, wanted);
  if (!cast.ok()) *bad_row = FirstBadRow(*cells, wanted);
  return cast;
}

// Runs what may throw Parquet's exceptions.
template <class Action>
auto Fenced(const std::filesystem::path& path, const Action& action) -> decltype(action()) {
  try {
    auto result = action();
    if (!result.ok() && !result.status().IsIOError()) {
      return result.status().WithMessage(path.string(), ": ", result.status().message());
    }
    return result;
  } catch (const std::exception& error) {
    return arrow::Status::Invalid(path.string(), ": ", error.what());
  }
}

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> OpenReader(const std::filesystem::path& path) {
  return Fenced(path, [&path]() -> arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path.string()));
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file)));
    parquet::ArrowReaderProperties properties;
    properties.set_batch_size(kBatchRows);
    properties.set_pre_buffer(false);  // a row group at a time would be in memory
    return builder.properties(properties)->Build();
  });
}

class ParquetImportFile : public ImportFile {
 public:
  ParquetImportFile(std::filesystem::path path, std::vector<ImportColumn> columns, ByteCount* bytes_read,
                    std::unique_ptr<parquet::arrow::FileReader> file, std::unique_ptr<arrow::RecordBatchReader> rows)
      : ImportFile(std::move(path), std::move(columns)),
        bytes_read_(bytes_read),
        file_bytes_(static_cast<double>(std::filesystem::file_size(path_))),
        file_rows_(static_cast<double>(file->parquet_reader()->metadata()->num_rows())),
        file_(std::move(file)),
        rows_(std::move(rows)) {}

 protected:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows() override {
    ARROW_ASSIGN_OR_RAISE(auto batch, Fenced(path_, [this] { return rows_->Next(); }));
    first_row_ = next_row_;
    if (batch != nullptr) {
      next_row_ += batch->num_rows();
      const auto share = static_cast<double>(batch->num_rows()) / file_rows_;
      *bytes_read_ += static_cast<int64_t>(share * file_bytes_);
    }
    return batch;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Convert(const std::shared_ptr<arrow::Array>& cells,
                                                       const ColumnType& type, int64_t* bad_row) override {
    return ConvertCells(cells, type, bad_row);
  }

  arrow::Result<std::string> Locate(int64_t row) override { return "row " + std::to_string(first_row_ + row + 1); }

 private:
  ByteCount* const bytes_read_;
  const double file_bytes_;
  const double file_rows_;
  const std::unique_ptr<parquet::arrow::FileReader> file_;
  const std::unique_ptr<arrow::RecordBatchReader> rows_;
  int64_t first_row_ = 0;
  int64_t next_row_ = 0;
};

}  // namespace

arrow::Result<std::unique_ptr<ImportFile>> OpenParquetFile(const std::filesystem::path& path,
                                                           const std::vector<ImportColumn>& columns,
                                                           ByteCount* bytes_read) {
  ARROW_ASSIGN_OR_RAISE(auto reader, OpenReader(path));
  ARROW_ASSIGN_OR_RAISE(auto rows, Fenced(path, [&reader] { return reader->GetRecordBatchReader(); }));
  return std::make_unique<ParquetImportFile>(path, columns, bytes_read, std::move(reader), std::move(rows));
}

arrow::Result<std::vector<std::pair<std::string, ColumnType>>> ParquetColumns(const std::filesystem::path& path) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, OpenReader(path));
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
  std::vector<std::pair<std::string, ColumnType>> columns;
  for (const auto& field : schema->fields()) {
    const auto type = ColumnType::FromArrow(*field->type());
    if (!type.ok()) {
      return type.status().WithMessage(path.string(), ": column ", field->name(), ": ", type.status().message());
    }
    columns.emplace_back(field->name(), *type);
  }
  return columns;
}

}  // namespace yarrow::cli
