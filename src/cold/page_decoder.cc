#include "cold/page_decoder.h"

#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <limits>
#include <utility>

namespace yarrow::cold {
namespace {

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;

// What Parquet's reader takes for the row group.
class PagesOfRowGroup : public parquet::RowGroupReader::Contents {
 public:
  PagesOfRowGroup(std::unique_ptr<parquet::RowGroupMetaData> metadata, uint64_t rows, const ReadPageBytes& read)
      : metadata_(std::move(metadata)), rows_(rows), read_(read) {}

  std::unique_ptr<parquet::PageReader> GetColumnPageReader(int leaf) override {
    PARQUET_ASSIGN_OR_THROW(auto bytes, read_(leaf));
    // A list has more values than rows: the pages end where their bytes do.
    const auto* descriptor = metadata_->schema()->Column(leaf);
    const int64_t values =
        descriptor->max_repetition_level() > 0 ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(rows_);
    return parquet::PageReader::Open(std::make_shared<arrow::io::BufferReader>(std::move(bytes)), values,
                                     metadata_->ColumnChunk(leaf)->compression(), *properties(), *descriptor);
  }
  const parquet::RowGroupMetaData* metadata() const override { return metadata_.get(); }
  const parquet::ReaderProperties* properties() const override {
    static const parquet::ReaderProperties properties = parquet::default_reader_properties();
    return &properties;
  }

 private:
  const std::unique_ptr<parquet::RowGroupMetaData> metadata_;
  const uint64_t rows_;
  const ReadPageBytes& read_;
};

// What Parquet's reader takes for the file: its first row group has the pages, of whichever row group they are.
class PagesOfFile : public parquet::ParquetFileReader::Contents {
 public:
  PagesOfFile(std::shared_ptr<parquet::FileMetaData> metadata, size_t row_group, uint64_t rows,
              const ReadPageBytes& read)
      : metadata_(std::move(metadata)), row_group_(static_cast<int>(row_group)), rows_(rows), read_(read) {}

  void Close() override {}
  std::shared_ptr<parquet::RowGroupReader> GetRowGroup(int row_group) override {
    if (row_group != 0) throw parquet::ParquetException("the pages have too few rows");
    return std::make_shared<parquet::RowGroupReader>(
        std::make_unique<PagesOfRowGroup>(metadata_->RowGroup(row_group_), rows_, read_));
  }
  std::shared_ptr<parquet::FileMetaData> metadata() const override { return metadata_; }
  // For those that look for pages by themselves.
  std::shared_ptr<parquet::PageIndexReader> GetPageIndexReader() override { return nullptr; }
  parquet::BloomFilterReader& GetBloomFilterReader() override {
    throw parquet::ParquetException("bloom filters of segments are not read");
  }

 private:
  const std::shared_ptr<parquet::FileMetaData> metadata_;
  const int row_group_;
  const uint64_t rows_;
  const ReadPageBytes& read_;
};

arrow::Result<std::shared_ptr<arrow::Array>> ToOneArray(const arrow::ChunkedArray& column) {
  if (column.num_chunks() == 1) return column.chunk(0);
  return arrow::Concatenate(column.chunks());
}

parquet::ArrowReaderProperties ArrowProperties() {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_pre_buffer(false);  // there is no file behind it
  properties.set_arrow_extensions_enabled(true);
  return properties;
}

}  // namespace

arrow::Result<Arrays> DecodePages(const std::shared_ptr<parquet::FileMetaData>& metadata, size_t row_group,
                                  uint64_t rows, const std::vector<int>& columns, const ReadPageBytes& read) {
  auto pages = std::make_unique<parquet::ParquetFileReader>();
  pages->Open(std::make_unique<PagesOfFile>(metadata, row_group, rows, read));
  ARROW_ASSIGN_OR_RAISE(const auto reader, parquet::arrow::FileReader::Make(arrow::default_memory_pool(),
                                                                            std::move(pages), ArrowProperties()));
  Arrays arrays;
  for (const int column : columns) {
    // Reading the row group as such would take memory for all of its rows.
    std::unique_ptr<parquet::arrow::ColumnReader> values;
    ARROW_RETURN_NOT_OK(reader->GetColumn(column, &values));
    std::shared_ptr<arrow::ChunkedArray> decoded;
    ARROW_RETURN_NOT_OK(values->NextBatch(static_cast<int64_t>(rows), &decoded));
    ARROW_ASSIGN_OR_RAISE(auto array, ToOneArray(*decoded));
    arrays.push_back(std::move(array));
  }
  return arrays;
}

}  // namespace yarrow::cold
