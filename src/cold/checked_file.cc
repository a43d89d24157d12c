#include "cold/checked_file.h"

#include <arrow/buffer.h>

#include <utility>

#include "cold/record_bytes.h"

namespace yarrow::cold {
namespace {

arrow::Status NoCursor() {
  return arrow::Status::NotImplemented("a segment is read by position only");
}

}  // namespace

CheckedFile::CheckedFile(std::shared_ptr<arrow::io::RandomAccessFile> file, const ChunkHashes* hashes,
                         uint64_t* bytes_read)
    : file_(std::move(file)), hashes_(hashes), bytes_read_(bytes_read) {}
CheckedFile::~CheckedFile() = default;

arrow::Status CheckedFile::Check(int64_t position, const void* bytes, int64_t size) {
  if (bytes_read_ != nullptr) *bytes_read_ += static_cast<uint64_t>(size);
  const ChunkHashes::Chunk* chunk = hashes_->FindAt(static_cast<uint64_t>(position));
  if (chunk == nullptr || chunk->bytes != static_cast<uint64_t>(size)) {
    return arrow::Status::Invalid("no column chunk has the ", size, " bytes from ", position, " on");
  }
  if (Hash64({static_cast<const char*>(bytes), static_cast<size_t>(size)}) == chunk->hash) return arrow::Status::OK();
  return arrow::Status::Invalid("the ", size, " bytes from ", position, " on are damaged: their checksum is wrong");
}

arrow::Result<std::shared_ptr<arrow::Buffer>> CheckedFile::ReadAt(int64_t position, int64_t bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, file_->ReadAt(position, bytes));
  ARROW_RETURN_NOT_OK(Check(position, buffer->data(), buffer->size()));
  return buffer;
}

arrow::Result<int64_t> CheckedFile::ReadAt(int64_t position, int64_t bytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t read, file_->ReadAt(position, bytes, out));
  ARROW_RETURN_NOT_OK(Check(position, out, read));
  return read;
}

arrow::Result<int64_t> CheckedFile::Read(int64_t, void*) {
  return NoCursor();
}
arrow::Result<std::shared_ptr<arrow::Buffer>> CheckedFile::Read(int64_t) {
  return NoCursor();
}
arrow::Status CheckedFile::Seek(int64_t) {
  return NoCursor();
}
arrow::Result<int64_t> CheckedFile::Tell() const {
  return NoCursor();
}

}  // namespace yarrow::cold
