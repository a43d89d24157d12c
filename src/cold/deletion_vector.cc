#include "cold/deletion_vector.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/util/bit_util.h>
#include <roaring/roaring.h>

#include <algorithm>
#include <string>
#include <utility>

#include "batch/exact_cast.h"

namespace yarrow::cold {
namespace {

constexpr uint64_t kPositions = uint64_t{1} << 32;
constexpr size_t kWaiting = 4096;  // positions handed to the bitmap at a time

}  // namespace

DeletionVector::DeletionVector() = default;

DeletionVector::DeletionVector(std::shared_ptr<const roaring_bitmap_s> bitmap)
    : bitmap_(std::move(bitmap)), cardinality_(roaring_bitmap_get_cardinality(bitmap_.get())) {}

DeletionVector::Builder::Builder() : bitmap_(roaring_bitmap_create(), roaring_bitmap_free) {}

arrow::Status DeletionVector::Builder::Add(uint64_t position) {
  if (position >= kPositions) return arrow::Status::Invalid("no segment has a row at position ", position);
  waiting_.push_back(static_cast<uint32_t>(position));
  if (waiting_.size() == kWaiting) Flush();
  return arrow::Status::OK();
}

arrow::Status DeletionVector::Builder::AddKey(std::string_view override_key) {
  ARROW_ASSIGN_OR_RAISE(const OverrideKey key, DecodeOverrideKey(override_key));
  if (!first_.has_value()) first_ = key;
  if (key.table_id != first_->table_id || key.segment_id != first_->segment_id) {
    return arrow::Status::Invalid("an override of segment ", key.segment_id, " of table ", key.table_id,
                                  " among those of segment ", first_->segment_id, " of table ", first_->table_id);
  }
  return Add(key.position);
}

void DeletionVector::Builder::Flush() {
  roaring_bitmap_add_many(bitmap_.get(), waiting_.size(), waiting_.data());
  waiting_.clear();
}

DeletionVector DeletionVector::Builder::Finish() {
  Flush();
  roaring_bitmap_run_optimize(bitmap_.get());
  roaring_bitmap_shrink_to_fit(bitmap_.get());
  DeletionVector built(std::move(bitmap_));
  *this = Builder();
  return built;
}

bool DeletionVector::Contains(uint64_t position) const {
  return bitmap_ != nullptr && position < kPositions &&
         roaring_bitmap_contains(bitmap_.get(), static_cast<uint32_t>(position));
}

uint64_t DeletionVector::Rank(uint64_t position) const {
  if (bitmap_ == nullptr || position == 0) return 0;
  if (position > kPositions) return cardinality_;
  return roaring_bitmap_rank(bitmap_.get(), static_cast<uint32_t>(position - 1));  // of those up to its argument
}

void DeletionVector::VisitDropped(uint64_t begin, uint64_t end,
                                  const std::function<void(uint64_t position)>& visit) const {
  if (bitmap_ == nullptr || begin >= std::min(end, kPositions)) return;
  roaring_uint32_iterator_t at;
  roaring_init_iterator(bitmap_.get(), &at);
  bool has_value = roaring_move_uint32_iterator_equalorlarger(&at, static_cast<uint32_t>(begin));
  for (; has_value && at.current_value < end; has_value = roaring_advance_uint32_iterator(&at)) visit(at.current_value);
}

void DeletionVector::VisitKept(uint64_t begin, uint64_t end,
                               const std::function<void(uint64_t first, uint64_t last)>& visit) const {
  uint64_t first = begin;
  VisitDropped(begin, end, [&](uint64_t dropped) {
    if (first < dropped) visit(first, dropped);
    first = dropped + 1;
  });
  if (first < end) visit(first, end);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> DeletionVector::Filter(
    const std::shared_ptr<arrow::RecordBatch>& batch, uint64_t first_row) const {
  const auto rows = static_cast<uint64_t>(batch->num_rows());
  const uint64_t dropped = CountIn(first_row, first_row + rows);
  if (dropped == 0) return batch;
  if (dropped == rows) return batch->Slice(0, 0);

  ARROW_RETURN_NOT_OK(batch::RegisterKernels());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> kept, arrow::AllocateBitmap(batch->num_rows()));
  arrow::bit_util::SetBitsTo(kept->mutable_data(), 0, batch->num_rows(), true);
  VisitDropped(first_row, first_row + rows, [&](uint64_t position) {
    arrow::bit_util::ClearBit(kept->mutable_data(), static_cast<int64_t>(position - first_row));
  });
  const auto mask = std::make_shared<arrow::BooleanArray>(batch->num_rows(), std::move(kept));
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum filtered, arrow::compute::Filter(batch, arrow::Datum(mask)));
  return filtered.record_batch();
}

size_t DeletionVector::memory_bytes() const {
  return sizeof(DeletionVector) + (bitmap_ == nullptr ? 0 : roaring_bitmap_size_in_bytes(bitmap_.get()));
}

}  // namespace yarrow::cold
