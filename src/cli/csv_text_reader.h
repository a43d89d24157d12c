// CsvTextReader: a CSV file as record batches of text, in constant memory.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/counting_stream.h"
#include "cli/csv_dialect.h"

namespace arrow::csv {
class StreamingReader;
}

namespace yarrow::cli {

// Reads through Arrow's CSV reader, every column as binary (the file need not be UTF-8); a NULL spelling outside quotes
// is NULL. Errors name file and line. Not thread-safe.
class CsvTextReader {
 public:
  // `bytes_read` (may be null) must outlive the reader.
  static arrow::Result<std::unique_ptr<CsvTextReader>> Open(const std::filesystem::path& path,
                                                            const CsvDialect& dialect, ByteCount* bytes_read);
  ~CsvTextReader();

  const std::vector<std::string>& column_names() const { return column_names_; }

  // The next rows, columns of arrow::binary() in the file's order; null at the end.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next();
  // Of the batch that Next returned last, the number of its first row (from 0, without the header).
  int64_t first_row() const { return first_row_; }

 private:
  CsvTextReader(std::filesystem::path path, CsvDialect dialect, ByteCount* bytes_read);
  arrow::Status Reopen();
  arrow::Status ReadColumnNames();
  arrow::Status GenerateColumnNames();
  // What is wrong with the file, better told than by `status`, which Arrow's reader returned.
  arrow::Status Explain(const arrow::Status& status) const;
  // Reads on with larger blocks behind the rows that were delivered.
  arrow::Status GrowBlocks();

  int64_t column_count() const { return static_cast<int64_t>(column_names_.size()); }

  const std::filesystem::path path_;
  CsvDialect dialect_;
  ByteCount* const bytes_read_;
  int32_t block_bytes_;
  std::shared_ptr<arrow::csv::StreamingReader> reader_;
  std::vector<std::string> column_names_;
  int64_t first_row_ = 0;
  int64_t next_row_ = 0;
  int64_t skip_rows_ = 0;  // still to be skipped after GrowBlocks
  // The last cell read holds newlines: if it is the last of the file, an open quote may have swallowed the rest, which
  // Arrow does not mind.
  bool may_be_unclosed_ = false;
};

}  // namespace yarrow::cli
