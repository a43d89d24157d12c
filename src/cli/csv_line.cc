#include "cli/csv_line.h"

#include <arrow/buffer.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>

#include <string_view>
#include <utility>

namespace yarrow::cli {
namespace {

constexpr int64_t kLineBlockBytes = 1 << 20;

class RowCounter {
 public:
  RowCounter(const CsvShape& shape, int64_t wanted) : shape_(shape), wanted_(wanted), row_(shape.has_header ? -1 : 0) {}

  // True when the wanted row has ended.
  bool Add(char c) {
    const bool is_second_of_pair = c == '\n' && after_return_;
    after_return_ = c == '\r';
    if (is_second_of_pair) return false;
    const bool ends_line = c == '\n' || c == '\r';
    if (ends_line && !in_quotes_) {
      if ((!is_blank_ || shape_.columns == 1) && row_++ == wanted_) return true;
      is_blank_ = true;
      row_line_ = ++line_;
      return false;
    }
    if (ends_line) ++line_;
    if (c == '"') in_quotes_ = !in_quotes_;
    is_blank_ = false;
    return false;
  }
  int64_t row_line() const { return row_line_; }

 private:
  const CsvShape shape_;
  const int64_t wanted_;
  int64_t row_;
  int64_t line_ = 1;
  int64_t row_line_ = 1;
  bool in_quotes_ = false;
  bool is_blank_ = true;
  bool after_return_ = false;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::io::InputStream>> OpenDecompressed(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  const bool is_gzip = path.ends_with(".gz");
  if (!is_gzip && !path.ends_with(".zst")) return file;
  ARROW_ASSIGN_OR_RAISE(const auto codec,
                        arrow::util::Codec::Create(is_gzip ? arrow::Compression::GZIP : arrow::Compression::ZSTD));
  return arrow::io::CompressedInputStream::Make(codec.get(), std::move(file));
}

arrow::Result<int64_t> LineOfRow(const std::string& path, const CsvShape& shape, int64_t row) {
  ARROW_ASSIGN_OR_RAISE(const auto file, OpenDecompressed(path));
  RowCounter counter(shape, row);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto block, file->Read(kLineBlockBytes));
    if (block->size() == 0) return counter.row_line();
    for (const char c : std::string_view(*block)) {
      if (counter.Add(c)) return counter.row_line();
    }
  }
}

}  // namespace yarrow::cli
