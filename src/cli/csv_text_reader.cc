#include "cli/csv_text_reader.h"

#include <arrow/array.h>
#include <arrow/csv/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>

#include <set>
#include <utility>

#include "cli/csv_rows.h"

namespace yarrow::cli {
namespace {

constexpr int32_t kFirstBlockBytes = 2 << 20;
constexpr int32_t kLastBlockBytes = 512 << 20;

// Arrow's error when a row does not fit a block.
bool IsRowTooLong(const arrow::Status& status) {
  return status.message().find("straddl") != std::string::npos;
}

// Whether the last cell holds the end of a line.
bool EndsWithNewlineInside(const arrow::RecordBatch& batch) {
  const auto& cells = static_cast<const arrow::BinaryArray&>(*batch.columns().back());
  const int64_t last = cells.length() - 1;
  return cells.IsValid(last) && cells.GetView(last).find_first_of("\r\n") != std::string_view::npos;
}

}  // namespace

CsvTextReader::CsvTextReader(std::filesystem::path path, CsvDialect dialect, ByteCount* bytes_read)
    : path_(std::move(path)), dialect_(std::move(dialect)), bytes_read_(bytes_read), block_bytes_(kFirstBlockBytes) {}

CsvTextReader::~CsvTextReader() = default;

arrow::Result<std::unique_ptr<CsvTextReader>> CsvTextReader::Open(const std::filesystem::path& path,
                                                                  const CsvDialect& dialect, ByteCount* bytes_read) {
  std::unique_ptr<CsvTextReader> reader(new CsvTextReader(path, dialect, bytes_read));
  if (!dialect.has_header && dialect.column_names.empty()) ARROW_RETURN_NOT_OK(reader->GenerateColumnNames());
  arrow::Status status = reader->Reopen();
  while (IsRowTooLong(status) && reader->block_bytes_ < kLastBlockBytes) status = reader->GrowBlocks();
  if (!status.ok()) return reader->Explain(status);
  ARROW_RETURN_NOT_OK(reader->ReadColumnNames());
  return reader;
}

arrow::Status CsvTextReader::Reopen() {
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenText(path_, bytes_read_));
  auto read = arrow::csv::ReadOptions::Defaults();
  read.block_size = block_bytes_;
  if (!dialect_.has_header) read.column_names = dialect_.column_names;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = dialect_.delimiter;
  parse.newlines_in_values = true;
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.default_column_type = arrow::binary();
  convert.null_values = dialect_.null_spellings;
  convert.strings_can_be_null = true;
  convert.quoted_strings_can_be_null = false;
  return arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), std::move(stream), read, parse, convert)
      .Value(&reader_);
}

arrow::Status CsvTextReader::GenerateColumnNames() {
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenText(path_, nullptr));
  CsvRowScanner scanner(std::move(stream), dialect_.delimiter);
  ARROW_ASSIGN_OR_RAISE(const auto row, scanner.Next());
  for (int64_t i = 1; row && i <= row->fields; ++i) dialect_.column_names.push_back("column" + std::to_string(i));
  return arrow::Status::OK();
}

arrow::Status CsvTextReader::ReadColumnNames() {
  arrow::util::InitializeUTF8();
  std::set<std::string> seen;
  for (const auto& field : reader_->schema()->fields()) {
    const std::string& name = field->name();
    if (name.empty() || !arrow::util::ValidateUTF8(name)) {
      return arrow::Status::Invalid(path_.string(), ": column ", column_names_.size() + 1,
                                    name.empty() ? " has no name in the header" : " has a name that is not UTF-8");
    }
    if (!seen.insert(name).second) return arrow::Status::Invalid(path_.string(), ": two columns are named ", name);
    column_names_.push_back(name);
  }
  return arrow::Status::OK();
}

arrow::Status CsvTextReader::GrowBlocks() {
  // A quote that is never closed makes a row of the rest of the file: not a matter of the block size.
  if (!column_names_.empty()) {
    ARROW_RETURN_NOT_OK(CheckRows(path_, dialect_, column_count()));
  }
  block_bytes_ *= 8;
  skip_rows_ = next_row_;
  next_row_ = 0;
  return Reopen();
}

arrow::Status CsvTextReader::Explain(const arrow::Status& status) const {
  const bool names_path = status.message().find(path_.string()) != std::string::npos;
  if (status.IsIOError()) return names_path ? status : status.WithMessage(path_.string(), ": ", status.message());
  if (!column_names_.empty()) {
    ARROW_RETURN_NOT_OK(CheckRows(path_, dialect_, column_count()));
  } else {
    ARROW_ASSIGN_OR_RAISE(auto stream, OpenText(path_, nullptr));
    CsvRowScanner scanner(std::move(stream), dialect_.delimiter);
    ARROW_ASSIGN_OR_RAISE(const auto row, scanner.Next());
    if (!row) return arrow::Status::Invalid(path_.string(), ": the file is empty");
    ARROW_RETURN_NOT_OK(CheckRows(path_, dialect_, row->fields));
  }
  if (IsRowTooLong(status)) {
    return arrow::Status::Invalid(path_.string(), ": a row is longer than ", kLastBlockBytes >> 20, " MiB");
  }
  return arrow::Status::Invalid(path_.string(), ": ", status.message());
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> CsvTextReader::Next() {
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    arrow::Status status = reader_->ReadNext(&batch);
    while (IsRowTooLong(status) && block_bytes_ < kLastBlockBytes) {
      status = GrowBlocks();
      if (status.ok()) status = reader_->ReadNext(&batch);
    }
    if (!status.ok()) return Explain(status);
    if (batch == nullptr) {
      if (may_be_unclosed_) ARROW_RETURN_NOT_OK(CheckRows(path_, dialect_, column_count()));
      return batch;
    }
    if (batch->num_rows() > 0) may_be_unclosed_ = EndsWithNewlineInside(*batch);
    first_row_ = next_row_;
    next_row_ += batch->num_rows();
    if (next_row_ <= skip_rows_) continue;
    if (first_row_ < skip_rows_) {
      batch = batch->Slice(skip_rows_ - first_row_);
      first_row_ = skip_rows_;
    }
    if (batch->num_rows() > 0) return batch;
  }
}

}  // namespace yarrow::cli
