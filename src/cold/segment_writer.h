// SegmentWriter: rows in key order in, one Parquet file out, always the same bytes for the same rows.
//
// The bytes depend on the rows, the table's columns and the layout, and on nothing else: not on how the rows were cut
// into batches, nor on threads, paths, times or earlier files. So row groups are cut by rows and their bytes, each
// column of a row group reaches Parquet as one array, and the encodings are chosen from the first row group.
//
// Integrity: the footer carries a hash of each column chunk, the SegmentInfo one of the footer, so that a reader that
// has the SegmentInfo notices any changed byte it reads; and a SHA-256 of the whole file, for anybody.
//
// Memory: one row group of values, and what Parquet makes of one column of it.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "cold/file_system.h"
#include "cold/key_filter.h"
#include "cold/manifest_entry.h"
#include "row/row_schema.h"

namespace yarrow::cold {

struct SegmentWriterOptions {
  SegmentLayout layout = SegmentLayout::kScan;
  FileSystem* files = &OsFileSystem();
  arrow::MemoryPool* pool = arrow::default_memory_pool();
};

struct WrittenSegment {
  SegmentInfo info;
  KeyFilter key_filter;  // of all its keys
};

// One a thread; not thread-safe. After an error it is of no more use. Unless Finish succeeded, nothing is left but
// folders when it is destroyed (after a crash, a file of a temporary name).
class SegmentWriter {
 public:
  // `database`: the folder that SegmentPath(key) lies below. `key_prefix`: what the keys of these rows start with
  // (record prefix and user id). The schema's current version is the one of the rows.
  static arrow::Result<std::unique_ptr<SegmentWriter>> Open(std::shared_ptr<const RowSchema> row_schema,
                                                            std::string key_prefix,
                                                            const std::filesystem::path& database,
                                                            const ManifestKey& key, SegmentWriterOptions options = {});
  ~SegmentWriter();

  // Appends rows; the batch has row_schema->arrow_schema()'s columns, and no bytes behind NULL texts. Invalid, naming
  // table, column and key: keys that do not ascend, NULL where it is not allowed, a value that Parquet cannot hold.
  // IOError, naming the file, when the disk refuses.
  arrow::Status Write(const arrow::RecordBatch& batch);
  // Completes the file: when it returns, the file has its name and will survive a crash. Invalid when there were no
  // rows.
  arrow::Result<WrittenSegment> Finish();

  uint64_t rows() const;           // taken so far
  uint64_t bytes_written() const;  // of the file, so far
  const std::filesystem::path& path() const;

 private:
  class Impl;
  explicit SegmentWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yarrow::cold
