#include "cold/segment.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "cold/page_decoder.h"
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

// The footer is Parquet's page index, the metadata, the size of the metadata (4 bytes) and "PAR1".
arrow::Result<std::string_view> FindMetadata(std::string_view footer) {
  constexpr size_t kTailBytes = 8;
  uint32_t size = 0;
  if (footer.size() >= kTailBytes) std::memcpy(&size, footer.data() + footer.size() - kTailBytes, sizeof(size));
  if (footer.size() < kTailBytes || size > footer.size() - kTailBytes) {
    return arrow::Status::Invalid("its footer has no metadata");
  }
  return footer.substr(footer.size() - kTailBytes - size, size);
}

arrow::Status WrongHash(uint64_t offset, uint64_t bytes) {
  return arrow::Status::Invalid("the ", bytes, " bytes from ", offset, " on are damaged: their checksum is wrong");
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
  ARROW_ASSIGN_OR_RAISE(const std::string_view metadata, FindMetadata(bytes));
  metadata_bytes_ = metadata.size();
  metadata_ = parquet::FileMetaData::Make(metadata.data(), static_cast<int64_t>(metadata.size()));

  const auto key_values = metadata_->key_value_metadata();
  if (key_values == nullptr) return arrow::Status::Invalid("its footer has no hashes of the column chunks");
  ARROW_ASSIGN_OR_RAISE(const std::string hashes, key_values->Get(ChunkHashes::kMetadataKey));
  ARROW_ASSIGN_OR_RAISE(chunk_hashes_, ChunkHashes::Decode(hashes));
  chunk_is_checked_ = std::make_unique<std::atomic<bool>[]>(chunk_hashes_.chunks().size());
  ReadColumnsOfFile();
  std::vector<int> leaves;
  const auto& root = *metadata_->schema()->group_node();
  for (int i = 0; i < root.field_count(); ++i) {
    const auto column = static_cast<size_t>(i);
    leaves.push_back(root.field(i)->is_group() ? first_leaves_[column + 1] - first_leaves_[column] : 0);
  }
  ARROW_ASSIGN_OR_RAISE(page_table_, PageTable::Decode(*key_values, info_, leaves));
  return CheckChunks();
}

void Segment::ReadColumnsOfFile() {
  const parquet::SchemaDescriptor& schema = *metadata_->schema();
  const auto& root = *schema.group_node();
  int leaf = 0;
  for (int i = 0; i < root.field_count(); ++i) {
    column_ids_.push_back(static_cast<uint32_t>(root.field(i)->field_id()));
    first_leaves_.push_back(leaf);
    while (leaf < schema.num_columns() && schema.GetColumnRoot(leaf) == root.field(i).get()) ++leaf;
  }
  first_leaves_.push_back(leaf);
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
  return sizeof(Segment) + size_t{4} * metadata_bytes_ + chunk_hashes_.chunks().size() * sizeof(ChunkHashes::Chunk) +
         page_table_.memory_bytes();
}

int Segment::FindColumn(uint32_t column_id) const {
  const auto found = std::ranges::find(column_ids_, column_id);
  return found == column_ids_.end() ? -1 : static_cast<int>(found - column_ids_.begin());
}

uint64_t Segment::RowsOf(PageRange pages) const {
  uint64_t rows = 0;
  for (size_t page = pages.begin; page < pages.end; ++page) rows += page_table_.pages()[page].rows;
  return rows;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> Segment::ReadHashed(uint64_t offset, uint64_t bytes,
                                                                  uint64_t hash) const {
  ARROW_ASSIGN_OR_RAISE(auto buffer, file_->ReadAt(static_cast<int64_t>(offset), static_cast<int64_t>(bytes)));
  if (static_cast<uint64_t>(buffer->size()) == bytes && Hash64(std::string_view(*buffer)) == hash) return buffer;
  return WrongHash(offset, bytes);
}

arrow::Result<std::shared_ptr<arrow::Buffer>> Segment::ReadChunk(size_t number) const {
  const ChunkHashes::Chunk& chunk = chunk_hashes_.chunks()[number];
  return ReadHashed(chunk.offset, chunk.bytes, chunk.hash);
}

arrow::Result<HashedBytes> Segment::LeafOfChunk(size_t row_group, int leaf) const {
  const size_t column = ColumnOfLeaf(leaf);
  const ChunkHashes::Chunk& chunk = chunk_hashes_.chunks()[row_group * column_ids_.size() + column];
  if (first_leaves_[column + 1] - first_leaves_[column] == 1) return HashedBytes{.offset = 0, .bytes = chunk.bytes};
  const auto group = metadata_->RowGroup(static_cast<int>(row_group));
  const auto part = group->ColumnChunk(leaf);
  const int64_t begin = part->has_dictionary_page() ? part->dictionary_page_offset() : part->data_page_offset();
  const int64_t bytes = part->total_compressed_size();
  const auto chunk_begin = static_cast<int64_t>(chunk.offset),
             chunk_end = static_cast<int64_t>(chunk.offset + chunk.bytes);
  if (begin < chunk_begin || bytes < 0 || begin > chunk_end || bytes > chunk_end - begin) {
    return arrow::Status::Invalid("its footer does not tell where leaf ", leaf, " of row group ", row_group, " is");
  }
  return HashedBytes{.offset = static_cast<uint64_t>(begin - chunk_begin), .bytes = static_cast<uint64_t>(bytes)};
}

size_t Segment::ColumnOfLeaf(int leaf) const {
  return static_cast<size_t>(std::ranges::upper_bound(first_leaves_, leaf) - first_leaves_.begin()) - 1;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> Segment::ReadPages(PageRange pages, int leaf) const {
  const size_t row_group = page_table_.pages()[pages.begin].row_group;
  const size_t column = ColumnOfLeaf(leaf);
  const size_t number = row_group * column_ids_.size() + column;
  if (pages == page_table_.PagesOf(row_group)) {
    ARROW_ASSIGN_OR_RAISE(auto whole, ReadChunk(number));
    ARROW_ASSIGN_OR_RAISE(const HashedBytes part, LeafOfChunk(row_group, leaf));
    return arrow::SliceBuffer(std::move(whole), static_cast<int64_t>(part.offset), static_cast<int64_t>(part.bytes));
  }
  const ChunkHashes::Chunk& chunk = chunk_hashes_.chunks()[number];
  arrow::BufferVector read;
  for (const HashedBytes& page : page_table_.BytesOf(pages, column, leaf - first_leaves_[column])) {
    if (page.offset + page.bytes > chunk.bytes) return WrongHash(chunk.offset + page.offset, page.bytes);
    ARROW_ASSIGN_OR_RAISE(read.emplace_back(), ReadHashed(chunk.offset + page.offset, page.bytes, page.hash));
  }
  return arrow::ConcatenateBuffers(read);
}

arrow::Result<Arrays> Segment::ReadColumns(PageRange pages, const std::vector<int>& file_columns,
                                           uint64_t* bytes_read) const {
  if (file_columns.empty()) return Arrays();
  // Parquet answers in the order of the file, each column once.
  std::vector<int> ordered = file_columns;
  std::ranges::sort(ordered);
  ordered.erase(std::unique(ordered.begin(), ordered.end()), ordered.end());
  const size_t row_group = page_table_.pages()[pages.begin].row_group;
  const uint64_t rows = RowsOf(pages);
  const auto read = [&](int leaf) -> arrow::Result<std::shared_ptr<arrow::Buffer>> {
    ARROW_ASSIGN_OR_RAISE(auto bytes, ReadPages(pages, leaf));
    if (bytes_read != nullptr) *bytes_read += static_cast<uint64_t>(bytes->size());
    return bytes;
  };
  auto decoded = CatchParquet([&] { return DecodePages(metadata_, row_group, rows, ordered, read); });
  if (!decoded.ok()) return InFile(decoded.status());
  Arrays arrays;
  for (const int column : file_columns) {
    const auto place = std::ranges::lower_bound(ordered, column) - ordered.begin();
    arrays.push_back((*decoded)[static_cast<size_t>(place)]);
    if (static_cast<uint64_t>(arrays.back()->length()) != rows) {
      return InFile(arrow::Status::Invalid("pages ", pages.begin, " to ", pages.end - 1, ", column ", column, " have ",
                                           arrays.back()->length(), " rows instead of ", rows));
    }
  }
  return arrays;
}

arrow::Status Segment::CheckHash(size_t number) const {
  if (chunk_is_checked_[number].load(std::memory_order_acquire)) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(ReadChunk(number).status());
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
  if (whole.type.is_nested()) return std::nullopt;  // the leaf has other NULLs
  auto statistics = CatchParquet([&]() -> arrow::Result<std::optional<ColumnStatistics>> {
    const auto group = metadata_->RowGroup(static_cast<int>(row_group));
    const int leaf = first_leaves_[static_cast<size_t>(file_column)];
    return ChunkStatistics(*group->ColumnChunk(leaf), whole.column_id, whole.type);
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
  if (digest != info_.sha256) {
    return InFile(arrow::Status::Invalid("it is damaged: its SHA-256 is ", ToHex(digest)));
  }
  for (size_t chunk = 0; chunk < chunk_hashes_.chunks().size(); ++chunk) {
    const auto bytes = ReadChunk(chunk);
    ARROW_RETURN_NOT_OK(InFile(bytes.ok() ? CheckPages(chunk, std::string_view(**bytes)) : bytes.status()));
  }
  return arrow::Status::OK();
}

// `bytes`: of the whole chunk.
arrow::Status Segment::CheckPages(size_t chunk, std::string_view bytes) const {
  const size_t columns = column_ids_.size();
  if (!page_table_.has_hashes()) return arrow::Status::OK();
  const size_t column = chunk % columns;
  for (int leaf = 0; leaf < first_leaves_[column + 1] - first_leaves_[column]; ++leaf) {
    for (const HashedBytes& page : page_table_.BytesOf(PagesOf(chunk / columns), column, leaf)) {
      const bool lies_within = page.offset <= bytes.size() && page.bytes <= bytes.size() - page.offset;
      if (lies_within && Hash64(bytes.substr(page.offset, page.bytes)) == page.hash) continue;
      return WrongHash(chunk_hashes_.chunks()[chunk].offset + page.offset, page.bytes);
    }
  }
  return arrow::Status::OK();
}

}  // namespace yarrow::cold
