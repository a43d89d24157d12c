#include "cold/page_rows.h"

#include <arrow/record_batch.h>

#include <utility>

namespace yarrow::cold {

PageRows::PageRows(std::shared_ptr<const SegmentLookup> lookup, size_t page, RowKeys keys)
    : lookup_(std::move(lookup)),
      page_(page),
      first_row_(lookup_->segment()->pages()[page].first_row),
      keys_(std::move(keys)) {}

arrow::Result<std::unique_ptr<PageRows>> PageRows::Make(std::shared_ptr<const SegmentLookup> lookup, size_t page) {
  ARROW_ASSIGN_OR_RAISE(RowKeys keys, lookup->ReadKeys(page));
  return std::unique_ptr<PageRows>(new PageRows(std::move(lookup), page, std::move(keys)));
}

arrow::Result<std::optional<uint64_t>> PageRows::Find(std::string_view key) {
  const auto find = [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(next_, key >= last_key_ ? keys_.LowerBound(key, next_) : keys_.LowerBound(key));
    last_key_ = key;
    found_key_.clear();
    return next_ == keys_.rows() ? arrow::Status::OK() : keys_.Encode(next_, &found_key_);
  };
  ARROW_RETURN_NOT_OK(lookup_->segment()->InFile(find()));
  if (found_key_ != key) return std::nullopt;
  return first_row_ + static_cast<uint64_t>(next_);
}

arrow::Status PageRows::Read(uint64_t position, std::string* key, std::string* row) {
  if (rows_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(rows_, lookup_->ReadPage(page_));
    encoder_.emplace(lookup_->row_schema(), lookup_->key_prefix());
    encoder_->AllowMissingColumns();  // none is missing; values are taken as they are stored
    ARROW_RETURN_NOT_OK(lookup_->segment()->InFile(encoder_->BindBatch(*rows_)));
  }
  return lookup_->segment()->InFile(encoder_->EncodeRow(static_cast<int64_t>(position - first_row_), key, row));
}

}  // namespace yarrow::cold
