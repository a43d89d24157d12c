// SegmentOutput: the stream that Parquet writes a segment to. It hashes what goes by and hands it to the file a piece
// (a column chunk, the footer) at a time.
//
// Not thread-safe.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cold/file_system.h"
#include "cold/page_table.h"
#include "cold/sha256.h"

namespace yarrow::cold {

class SegmentOutput : public arrow::io::OutputStream {
 public:
  explicit SegmentOutput(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}

  // The bytes written since the last call: what they are, hashed and counted.
  struct Piece {
    uint64_t bytes = 0;
    uint64_t hash = 0;  // Hash64
  };
  arrow::Result<Piece> EndPiece();
  // If the piece at hand is a column chunk, its pages: Parquet writes the header and the body of each with one call.
  // Offsets count from its begin.
  std::vector<HashedBytes> Pages() const;
  // Syncs and closes the file. REQUIRES: the last piece was ended.
  arrow::Status SyncAndClose();
  Sha256Digest Digest() { return sha256_.Finish(); }  // of all pieces; once

  arrow::Status Write(const void* data, int64_t bytes) override;
  using arrow::io::OutputStream::Write;
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override;  // by Parquet, which does not own the file
  bool closed() const override { return closed_; }

 private:
  std::unique_ptr<WritableFile> file_;
  std::string piece_;
  std::vector<size_t> write_ends_;  // in piece_
  int64_t position_ = 0;
  Sha256 sha256_;
  bool closed_ = false;
};

}  // namespace yarrow::cold
