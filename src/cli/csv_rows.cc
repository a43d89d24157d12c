#include "cli/csv_rows.h"

#include <arrow/buffer.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>

#include <map>
#include <string>
#include <utility>

namespace yarrow::cli {
namespace {

constexpr int64_t kBlockBytes = 1 << 20;
constexpr int kEnd = -1;

std::optional<arrow::Compression::type> CompressionOf(const std::filesystem::path& path) {
  static const std::map<std::string, arrow::Compression::type> kByExtension = {
      {".gz", arrow::Compression::GZIP},   {".bz2", arrow::Compression::BZ2},       {".zst", arrow::Compression::ZSTD},
      {".br", arrow::Compression::BROTLI}, {".lz4", arrow::Compression::LZ4_FRAME},
  };
  const auto found = kByExtension.find(path.extension().string());
  if (found == kByExtension.end()) return std::nullopt;
  return found->second;
}

}  // namespace

bool IsCompressed(const std::filesystem::path& path) {
  return CompressionOf(path).has_value();
}

arrow::Result<std::shared_ptr<arrow::io::InputStream>> OpenText(const std::filesystem::path& path, ByteCount* count) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::io::InputStream> stream, arrow::io::ReadableFile::Open(path.string()));
  if (count != nullptr) stream = std::make_shared<CountingStream>(std::move(stream), count);
  const auto compression = CompressionOf(path);
  if (!compression) return stream;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::util::Codec> codec, arrow::util::Codec::Create(*compression));
  ARROW_ASSIGN_OR_RAISE(auto plain, arrow::io::CompressedInputStream::Make(codec.get(), std::move(stream)));
  // The stream refers to its codec: they are one.
  struct WithCodec {
    std::shared_ptr<arrow::util::Codec> codec;
    std::shared_ptr<arrow::io::InputStream> plain;
  };
  auto both = std::make_shared<WithCodec>(WithCodec{std::move(codec), std::move(plain)});
  return std::shared_ptr<arrow::io::InputStream>(both, both->plain.get());
}

CsvRowScanner::CsvRowScanner(std::shared_ptr<arrow::io::InputStream> stream, char delimiter)
    : stream_(std::move(stream)), delimiter_(delimiter) {}

arrow::Status CsvRowScanner::Fill() {
  const bool is_first = block_ == nullptr;
  ARROW_ASSIGN_OR_RAISE(block_, stream_->Read(kBlockBytes));
  rest_ = std::string_view(*block_);
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (is_first && rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  return arrow::Status::OK();
}

arrow::Result<int> CsvRowScanner::Peek() {
  if (rest_.empty()) ARROW_RETURN_NOT_OK(Fill());
  return rest_.empty() ? kEnd : static_cast<uint8_t>(rest_.front());
}

arrow::Status CsvRowScanner::EndLine(char c) {
  ++line_;
  if (c != '\r') return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const int next, Peek());
  if (next == '\n') rest_.remove_prefix(1);
  return arrow::Status::OK();
}

// From behind the opening quote to behind the closing one.
arrow::Status CsvRowScanner::ReadQuoted(CsvRow* row) {
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const int c, Peek());
    if (c == kEnd) {
      row->is_unclosed = true;
      return arrow::Status::OK();
    }
    rest_.remove_prefix(1);
    if (c == '\n' || c == '\r') ARROW_RETURN_NOT_OK(EndLine(static_cast<char>(c)));
    if (c != '"') continue;
    ARROW_ASSIGN_OR_RAISE(const int next, Peek());
    if (next != '"') return arrow::Status::OK();
    rest_.remove_prefix(1);
  }
}

arrow::Result<std::optional<CsvRow>> CsvRowScanner::Next() {
  CsvRow row{.line = line_, .fields = 1};
  bool is_empty = true;
  bool at_field_start = true;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const int c, Peek());
    if (c == kEnd) {
      if (is_empty) return std::nullopt;
      return row;
    }
    rest_.remove_prefix(1);
    if (c == '\n' || c == '\r') {
      ARROW_RETURN_NOT_OK(EndLine(static_cast<char>(c)));
      if (!is_empty) return row;
      row.line = line_;
      continue;
    }
    is_empty = false;
    if (c == '"' && at_field_start) ARROW_RETURN_NOT_OK(ReadQuoted(&row));
    at_field_start = c == static_cast<uint8_t>(delimiter_);
    if (at_field_start) ++row.fields;
  }
}

arrow::Result<int64_t> LineOfRow(const std::filesystem::path& path, const CsvDialect& dialect, int64_t row) {
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenText(path, nullptr));
  CsvRowScanner scanner(std::move(stream), dialect.delimiter);
  std::optional<CsvRow> found;
  for (int64_t at = dialect.has_header ? -1 : 0; at <= row; ++at) {
    ARROW_ASSIGN_OR_RAISE(found, scanner.Next());
    if (!found) return arrow::Status::Invalid(path.string(), ": the file has changed while it was read");
  }
  return found->line;
}

arrow::Status CheckRows(const std::filesystem::path& path, const CsvDialect& dialect, int64_t fields) {
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenText(path, nullptr));
  CsvRowScanner scanner(std::move(stream), dialect.delimiter);
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto row, scanner.Next());
    if (!row) return arrow::Status::OK();
    if (row->is_unclosed) {
      return arrow::Status::Invalid(path.string(), ": line ", row->line,
                                    ": the row has a quoted field that is never closed");
    }
    if (row->fields != fields) {
      return arrow::Status::Invalid(path.string(), ": line ", row->line, ": ", row->fields,
                                    row->fields == 1 ? " field" : " fields", " instead of ", fields,
                                    dialect.has_header ? " as in the header" : " as in the first row");
    }
  }
}

}  // namespace yarrow::cli
