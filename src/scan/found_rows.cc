#include "scan/found_rows.h"

#include <algorithm>

#include "key/key_bytes.h"

namespace yarrow {

void FoundRows::Add(std::string_view key_prefix, std::string_view rest_of_key, std::string_view row) {
  rows_.push_back({.at = bytes_.size(),
                   .head = LoadHead(rest_of_key),
                   .key_size = static_cast<uint32_t>(key_prefix.size() + rest_of_key.size()),
                   .row_size = static_cast<uint32_t>(row.size())});
  bytes_.append(key_prefix).append(rest_of_key).append(row);
}

void FoundRows::Sort() {
  const auto key_of = [&](const Place& place) { return std::string_view(bytes_).substr(place.at, place.key_size); };
  const auto comes_first = [&](const Place& a, const Place& b) {
    return a.head != b.head ? a.head < b.head : key_of(a) < key_of(b);
  };
  const auto is_same = [&](const Place& a, const Place& b) { return a.head == b.head && key_of(a) == key_of(b); };
  if (!std::ranges::is_sorted(rows_, comes_first)) std::ranges::sort(rows_, comes_first);
  const auto repeated = std::ranges::unique(rows_, is_same);
  rows_.erase(repeated.begin(), repeated.end());
}

size_t FoundRows::LowerBound(std::string_view key) const {
  const auto place = std::ranges::lower_bound(
      rows_, key, {}, [&](const Place& one) { return std::string_view(bytes_).substr(one.at, one.key_size); });
  return static_cast<size_t>(place - rows_.begin());
}

void FoundCursor::ResetRange(std::string_view lower, std::string_view upper) {
  first_ = rows_->LowerBound(lower);
  end_ = upper.empty() ? rows_->size() : std::max(first_, rows_->LowerBound(upper));
}

bool FoundCursor::Next() {
  if (first_ == end_) return false;
  at_ = reverse_ ? --end_ : first_++;
  ++rows_visited_;
  bytes_visited_ += key().size() + value().size();
  return true;
}

}  // namespace yarrow
