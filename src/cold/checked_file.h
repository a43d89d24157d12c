// CheckedFile: a segment's file as Parquet's reader sees it: every read is of one whole column chunk, whose hash is
// checked before Parquet parses it.
//
// For one reading thread. The hashes and the counter must outlive it.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>

#include "cold/chunk_hashes.h"

namespace yarrow::cold {

class CheckedFile : public arrow::io::RandomAccessFile {
 public:
  CheckedFile(std::shared_ptr<arrow::io::RandomAccessFile> file, const ChunkHashes* hashes, uint64_t* bytes_read);
  ~CheckedFile() override;

  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override;
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override;
  using arrow::io::RandomAccessFile::ReadAt;
  arrow::Result<int64_t> GetSize() override { return file_->GetSize(); }

  // The rest of the interface, which Parquet does not use.
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override;
  arrow::Status Seek(int64_t position) override;
  arrow::Result<int64_t> Tell() const override;
  arrow::Status Close() override { return arrow::Status::OK(); }  // the file is shared
  bool closed() const override { return false; }

 private:
  arrow::Status Check(int64_t position, const void* bytes, int64_t size);

  const std::shared_ptr<arrow::io::RandomAccessFile> file_;
  const ChunkHashes* const hashes_;
  uint64_t* const bytes_read_;
};

}  // namespace yarrow::cold
