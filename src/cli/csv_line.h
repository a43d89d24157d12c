// Where a row of a CSV file is, for messages.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>

namespace yarrow::cli {

// A file as it was before it was compressed, if its name ends in .gz or .zst. IOError or Invalid while it is read, when
// the compressed bytes end too early.
arrow::Result<std::shared_ptr<arrow::io::InputStream>> OpenDecompressed(const std::string& path);

// What decides which lines are rows. Quotes are double.
struct CsvShape {
  bool has_header = true;
  size_t columns = 0;
};

// The line, from 1, on which the row of that number begins, from 0 and without the header. Lines inside quotes count;
// an empty line is a row only where there is one column.
arrow::Result<int64_t> LineOfRow(const std::string& path, const CsvShape& shape, int64_t row);

}  // namespace yarrow::cli
