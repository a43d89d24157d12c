#include "cold/segment_output.h"

#include "cold/record_bytes.h"

namespace yarrow::cold {

arrow::Status SegmentOutput::Write(const void* data, int64_t bytes) {
  if (closed_) return arrow::Status::Invalid("a write to a closed segment");
  piece_.append(static_cast<const char*>(data), static_cast<size_t>(bytes));
  position_ += bytes;
  return arrow::Status::OK();
}

arrow::Result<SegmentOutput::Piece> SegmentOutput::EndPiece() {
  sha256_.Update(piece_);
  ARROW_RETURN_NOT_OK(file_->Append(piece_));
  const Piece piece{piece_.size(), Hash64(piece_)};
  piece_.clear();
  return piece;
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
