// Segment: an open segment file, for any number of readers.
//
// Nothing that the file says is believed before it is checked against the manifest: the size and the footer's hash when
// it is opened, the hash of each column chunk or page when it is read. So a damaged file is an error that names it,
// never a wrong answer. VerifySegment reads the whole file.
//
// Immutable, thread-safe; holds the file open and its footer in memory. Read errors name the file.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "cold/chunk_hashes.h"
#include "cold/file_system.h"
#include "cold/manifest_entry.h"
#include "cold/page_table.h"
#include "cold/segment_key.h"

namespace parquet {
class FileMetaData;
}

namespace yarrow::cold {

class Segment {
 public:
  // IOError when the file is missing or cannot be read; Invalid when its size or footer is not what `info` says.
  static arrow::Result<std::shared_ptr<const Segment>> Open(const std::filesystem::path& database,
                                                            const ManifestKey& key, SegmentInfo info,
                                                            FileSystem& files = OsFileSystem());
  ~Segment();

  const ManifestKey& key() const { return key_; }
  const SegmentInfo& info() const { return info_; }
  const std::filesystem::path& path() const { return path_; }
  size_t row_group_count() const { return info_.row_groups.size(); }
  // Of the footer and the rest, roughly.
  size_t memory_bytes() const;

  // Which column of the file has this column id, or -1 when the file is older than the column.
  int FindColumn(uint32_t column_id) const;

  // In an older file, a row group is one page.
  const std::vector<SegmentPage>& pages() const { return page_table_.pages(); }
  PageRange PagesOf(size_t row_group) const { return page_table_.PagesOf(row_group); }
  // The page that has the key if the segment does; nothing when none can have it.
  std::optional<size_t> FindPage(std::string_view key) const { return page_table_.Find(key, info_); }
  // REQUIRES: position < info().rows.
  size_t PageAt(uint64_t position) const { return page_table_.PageAt(position); }
  uint64_t RowsOf(PageRange pages) const;

  // Decodes some columns of some pages of a row group: one array each, in the order asked for, of the type in the file
  // (FromStored makes it the table's). Adds the bytes read from the file to `bytes_read`, if given.
  arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> ReadColumns(PageRange pages,
                                                                        const std::vector<int>& file_columns,
                                                                        uint64_t* bytes_read = nullptr) const;

  // Some bytes of the file, for readers other than Parquet's of Arrow: the column chunks among them are checked when
  // they are first read this way, the footer was when the file was opened.
  arrow::Status ReadBytes(uint64_t position, uint64_t bytes, void* out) const;

  // Bounds of a column in a row group, with the NaNs of the whole segment; nothing when the footer has none.
  arrow::Result<std::optional<ColumnStatistics>> RowGroupStatistics(size_t row_group, int file_column) const;

  // Reads the whole file: Invalid when its SHA-256 is not the manifest's, or the hash of a chunk or page is wrong.
  arrow::Status VerifyChecksum() const;

  // `status` with the file's name and the remedy added.
  arrow::Status InFile(const arrow::Status& status) const;

 private:
  Segment(std::filesystem::path path, const ManifestKey& key, SegmentInfo info);
  arrow::Status ReadFooter();
  void ReadColumnsOfFile();
  size_t ColumnOfLeaf(int leaf) const;
  arrow::Status CheckChunks() const;
  // Bytes of a chunk whose hash is the one given.
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadHashed(uint64_t offset, uint64_t bytes, uint64_t hash) const;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadChunk(size_t chunk) const;
  // Where in its column chunk a leaf (a column of Parquet's) lies.
  arrow::Result<HashedBytes> LeafOfChunk(size_t row_group, int leaf) const;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadPages(PageRange pages, int leaf) const;
  arrow::Status CheckHash(size_t chunk) const;
  arrow::Status CheckPages(size_t chunk, std::string_view bytes) const;

  const std::filesystem::path path_;
  const ManifestKey key_;
  const SegmentInfo info_;
  std::shared_ptr<arrow::io::RandomAccessFile> file_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  size_t metadata_bytes_ = 0;         // in the file
  std::vector<uint32_t> column_ids_;  // in the order of the file
  std::vector<int> first_leaves_;     // of the columns, and one more
  ChunkHashes chunk_hashes_;          // by row group, then by column
  PageTable page_table_;
  mutable std::unique_ptr<std::atomic<bool>[]> chunk_is_checked_;  // one a chunk, by ReadBytes
};

}  // namespace yarrow::cold
