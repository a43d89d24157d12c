// CsvRowScanner: finds where the rows of a CSV file lie, without looking into their fields.
//
// Arrow reads the files; this finds the place of a mistake afterwards. It takes the same rules as Arrow's parser: a
// quote opens only at the start of a field, two quotes stand for one, \n, \r and \r\n end a row outside quotes, empty
// lines are no rows. Not thread-safe.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "cli/counting_stream.h"
#include "cli/csv_dialect.h"

namespace yarrow::cli {

// By its name, as OpenText takes it.
bool IsCompressed(const std::filesystem::path& path);

// Opens a file for reading from the start; .gz, .bz2, .zst, .lz4 and .br are decompressed on the way. `count` (may be
// null) gets the bytes read before decompression. IOError naming the path.
arrow::Result<std::shared_ptr<arrow::io::InputStream>> OpenText(const std::filesystem::path& path, ByteCount* count);

struct CsvRow {
  int64_t line = 0;  // on which it starts; the first one is 1
  int64_t fields = 0;
  bool is_unclosed = false;  // the file ends inside a quoted field
};

class CsvRowScanner {
 public:
  CsvRowScanner(std::shared_ptr<arrow::io::InputStream> stream, char delimiter);

  // The next row that is not empty, the header included; nothing at the end.
  arrow::Result<std::optional<CsvRow>> Next();

 private:
  // The next byte, or -1 at the end.
  arrow::Result<int> Peek();
  arrow::Status Fill();
  // Reads over the end of a line that `c` starts.
  arrow::Status EndLine(char c);
  arrow::Status ReadQuoted(CsvRow* row);

  const std::shared_ptr<arrow::io::InputStream> stream_;
  const char delimiter_;
  std::shared_ptr<arrow::Buffer> block_;
  std::string_view rest_;  // of the block
  int64_t line_ = 1;
};

// The line on which data row `row` (from 0, without the header) starts.
arrow::Result<int64_t> LineOfRow(const std::filesystem::path& path, const CsvDialect& dialect, int64_t row);

// What is wrong with the first row that has not `fields` fields or never ends, naming file and line; OK if there is
// none.
arrow::Status CheckRows(const std::filesystem::path& path, const CsvDialect& dialect, int64_t fields);

}  // namespace yarrow::cli
