#include "cold/segment_output.h"

#include <string_view>

#include "cold/record_bytes.h"

namespace yarrow::cold {

arrow::Status SegmentOutput::Write(const void* data, int64_t bytes) {
  if (closed_) return arrow::Status::Invalid("a write to a closed segment");
  piece_.append(static_cast<const char*>(data), static_cast<size_t>(bytes));
  position_ += bytes;
  write_ends_.push_back(piece_.size());
  return arrow::Status::OK();
}

arrow::Result<SegmentOutput::Piece> SegmentOutput::EndPiece() {
  sha256_.Update(piece_);
  ARROW_RETURN_NOT_OK(file_->Append(piece_));
  const Piece piece{piece_.size(), Hash64(piece_)};
  piece_.clear();
  write_ends_.clear();
  return piece;
}

std::vector<HashedBytes> SegmentOutput::Pages() const {
  std::vector<HashedBytes> pages;
  size_t begin = 0;
  for (size_t i = 1; i < write_ends_.size(); i += 2) {
    const std::string_view page = std::string_view(piece_).substr(begin, write_ends_[i] - begin);
    pages.push_back({.offset = begin, .bytes = page.size(), .hash = Hash64(page)});
    begin = write_ends_[i];
  }
  if (begin != piece_.size()) pages.clear();
  return pages;
}

arrow::Status SegmentOutput::SyncAndClose() {
  ARROW_RETURN_NOT_OK(file_->Sync());
  return file_->Close();
}

arrow::Status SegmentOutput::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

}  // namespace yarrow::cold
