#include "cold/segment.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/chunked_array.h>
#include <arrow/io/interfaces.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "cold/checked_file.h"
#include "cold/parquet_form.h"
#include "cold/record_bytes.h"
#include "cold/segment_path.h"
#include "store/system_error.h"

namespace yarrow::cold {
namespace {

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;

// The fence: what Parquet throws ends here, and what the libraries below it throw at nonsense.
template <class Function>
auto CatchParquet(Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const parquet::ParquetStatusException& error) {
    return error.status();
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("there is too little memory to read it");
  } catch (const std::exception& error) {
    return arrow::Status::IOError(error.what());
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> ToOneArray(const arrow::ChunkedArray& column) {
  if (column.num_chunks() == 1) return column.chunk(0);
  return arrow::Concatenate(column.chunks());
}

parquet::ArrowReaderProperties ReaderProperties() {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_pre_buffer(false);  // chunks are read one by one, so that each can be checked
  properties.set_arrow_extensions_enabled(true);
  return properties;
}

arrow::Result<Arrays> DecodeColumns(const std::shared_ptr<arrow::io::RandomAccessFile>& file,
                                    const std::shared_ptr<parquet::FileMetaData>& metadata, size_t row_group,
                                    const std::vector<int>& columns) {
  auto parquet_reader = parquet::ParquetFileReader::Open(file, parquet::default_reader_properties(), metadata);
  ARROW_ASSIGN_OR_RAISE(
      const auto reader,
      parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(parquet_reader), ReaderProperties()));
  ARROW_ASSIGN_OR_RAISE(const auto table, reader->ReadRowGroup(static_cast<int>(row_group), columns));
  Arrays arrays;
  for (int i = 0; i < table->num_columns(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto array, ToOneArray(*table->column(i)));
    arrays.push_back(std::move(array));
  }
  return arrays;
}

}  // namespace

Segment::Segment(std::filesystem::path path, const ManifestKey& key, SegmentInfo info)
    : path_(std::move(path)), key_(key), info_(std::move(info)) {}
Segment::~Segment() = default;

arrow::Status Segment::InFile(const arrow::Status& status) const {
  if (status.ok()) return status;
  if (IsWant(status)) {
    return status.WithMessage("segment ", key_.segment_id, " of table ", key_.table_id, ": ", status.message());
  }
  return status.WithMessage("segment ", key_.segment_id, " of table ", key_.table_id, ", file '", path_.string(),
                            "': ", status.message(), "; restore the file from a copy (SHA-256 ", ToHex(info_.sha256),
                            ")");
}

arrow::Result<std::shared_ptr<const Segment>> Segment::Open(const std::filesystem::path& database,
                                                            const ManifestKey& key, SegmentInfo info,
                                                            FileSystem& files) {
  const std::shared_ptr<Segment> segment(new Segment(database / SegmentPath(key), key, std::move(info)));
  auto file = files.Open(segment->path_);
  if (!file.ok()) return segment->InFile(file.status());
  segment->file_ = *std::move(file);
  const arrow::Status status = CatchParquet([&] { return segment->ReadFooter(); });
  if (!status.ok()) return segment->InFile(status);
  return segment;
}

arrow::Status Segment::ReadFooter() {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file_->GetSize());
  if (static_cast<uint64_t>(size) != info_.bytes) {
    return arrow::Status::Invalid("it has ", size, " bytes, the manifest says ", info_.bytes);
  }
  ARROW_ASSIGN_OR_RAISE(const auto footer, file_->ReadAt(size - info_.footer_bytes, info_.footer_bytes));
  const std::string_view bytes(*footer);
  if (bytes.size() != info_.footer_bytes || Hash64(bytes) != info_.footer_hash) {
    return arrow::Status::Invalid("its footer is damaged");
  }
  // Behind the metadata: its size (4 bytes) and "PAR1".
  metadata_ = parquet::FileMetaData::Make(bytes.data(), static_cast<int64_t>(bytes.size()));

  const auto key_values = metadata_->key_value_metadata();
  if (key_values == nullptr) return arrow::Status::Invalid("its footer has no hashes of the column chunks");
  ARROW_ASSIGN_OR_RAISE(const std::string hashes, key_values->Get(ChunkHashes::kMetadataKey));
  ARROW_ASSIGN_OR_RAISE(chunk_hashes_, ChunkHashes::Decode(hashes));
  chunk_is_checked_ = std::make_unique<std::atomic<bool>[]>(chunk_hashes_.chunks().size());
  const auto& root = *metadata_->schema()->group_node();
  for (int i = 0; i < root.field_count(); ++i) column_ids_.push_back(static_cast<uint32_t>(root.field(i)->field_id()));
  return CheckChunks();
}

// The footer and the manifest tell of the same row groups, columns and chunks.
arrow::Status Segment::CheckChunks() const {
  bool fits = static_cast<size_t>(metadata_->num_row_groups()) == info_.row_groups.size() &&
              column_ids_.size() == info_.columns.size() &&
              chunk_hashes_.chunks().size() == column_ids_.size() * info_.row_groups.size() &&
              chunk_hashes_.end() == info_.bytes - info_.footer_bytes;
  for (size_t i = 0; fits && i < info_.row_groups.size(); ++i) {
    fits = static_cast<uint64_t>(metadata_->RowGroup(static_cast<int>(i))->num_rows()) == info_.row_groups[i].rows;
  }
  for (size_t i = 0; fits && i < column_ids_.size(); ++i) fits = column_ids_[i] == info_.columns[i].column_id;
  return fits ? arrow::Status::OK() : arrow::Status::Invalid("its footer does not tell of what the manifest tells of");
}

size_t Segment::memory_bytes() const {
  // Parquet's decoded metadata take a few times what they take in the file.
  return sizeof(Segment) + size_t{4} * info_.footer_bytes + chunk_hashes_.chunks().size() * sizeof(ChunkHashes::Chunk);
}

int Segment::FindColumn(uint32_t column_id) const {
  const auto found = std::ranges::find(column_ids_, column_id);
  return found == column_ids_.end() ? -1 : static_cast<int>(found - column_ids_.begin());
}

arrow::Result<Arrays> Segment::ReadColumns(size_t row_group, const std::vector<int>& file_columns,
                                           uint64_t* bytes_read) const {
  if (file_columns.empty()) return Arrays();
  // Parquet answers in the order of the file, each column once.
  std::vector<int> ordered = file_columns;
  std::ranges::sort(ordered);
  ordered.erase(std::unique(ordered.begin(), ordered.end()), ordered.end());
  const auto checked = std::make_shared<CheckedFile>(file_, &chunk_hashes_, bytes_read);
  auto decoded = CatchParquet([&] { return DecodeColumns(checked, metadata_, row_group, ordered); });
  if (!decoded.ok()) return InFile(decoded.status());
  Arrays arrays;
  for (const int column : file_columns) {
    const auto place = std::ranges::lower_bound(ordered, column) - ordered.begin();
    arrays.push_back((*decoded)[static_cast<size_t>(place)]);
    if (static_cast<uint64_t>(arrays.back()->length()) != info_.row_groups[row_group].rows) {
      return InFile(arrow::Status::Invalid("row group ", row_group, ", column ", column, " has ",
                                           arrays.back()->length(), " rows instead of ",
                                           info_.row_groups[row_group].rows));
    }
  }
  return arrays;
}

arrow::Status Segment::CheckHash(size_t number) const {
  if (chunk_is_checked_[number].load(std::memory_order_acquire)) return arrow::Status::OK();
  const ChunkHashes::Chunk& chunk = chunk_hashes_.chunks()[number];
  ARROW_RETURN_NOT_OK(CheckedFile(file_, &chunk_hashes_, nullptr)
                          .ReadAt(static_cast<int64_t>(chunk.offset), static_cast<int64_t>(chunk.bytes))
                          .status());
  chunk_is_checked_[number].store(true, std::memory_order_release);
  return arrow::Status::OK();
}

arrow::Status Segment::ReadBytes(uint64_t position, uint64_t bytes, void* out) const {
  const auto& chunks = chunk_hashes_.chunks();
  const auto first = std::ranges::partition_point(
      chunks, [&](const ChunkHashes::Chunk& chunk) { return chunk.offset + chunk.bytes <= position; });
  for (auto chunk = first; chunk != chunks.end() && chunk->offset < position + bytes; ++chunk) {
    ARROW_RETURN_NOT_OK(InFile(CheckHash(static_cast<size_t>(chunk - chunks.begin()))));
  }
  const auto read = file_->ReadAt(static_cast<int64_t>(position), static_cast<int64_t>(bytes), out);
  if (!read.ok()) return InFile(read.status());
  if (static_cast<uint64_t>(*read) == bytes) return arrow::Status::OK();
  return InFile(arrow::Status::Invalid("it ends before byte ", position + bytes));
}

arrow::Result<std::optional<ColumnStatistics>> Segment::RowGroupStatistics(size_t row_group, int file_column) const {
  const ColumnStatistics& whole = info_.columns[static_cast<size_t>(file_column)];
  auto statistics = CatchParquet([&]() -> arrow::Result<std::optional<ColumnStatistics>> {
    const auto group = metadata_->RowGroup(static_cast<int>(row_group));
    return ChunkStatistics(*group->ColumnChunk(file_column), whole.column_id, whole.type);
  });
  if (!statistics.ok()) return InFile(statistics.status());
  if (statistics->has_value()) (*statistics)->has_nan = whole.has_nan;
  return statistics;
}

arrow::Status Segment::VerifyChecksum() const {
  constexpr int64_t kPieceBytes = 1 << 20;
  Sha256 sha256;
  const auto size = static_cast<int64_t>(info_.bytes);
  for (int64_t position = 0; position < size; position += kPieceBytes) {
    const auto piece = file_->ReadAt(position, std::min(kPieceBytes, size - position));
    if (!piece.ok()) return InFile(piece.status());
    sha256.Update(std::string_view(**piece));
  }
  const Sha256Digest digest = sha256.Finish();
  if (digest == info_.sha256) return arrow::Status::OK();
  return InFile(arrow::Status::Invalid("it is damaged: its SHA-256 is ", ToHex(digest)));
}

}  // namespace yarrow::cold
