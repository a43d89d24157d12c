#include "cold/page_cache.h"

#include <arrow/array.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <utility>

namespace yarrow::cold {

bool DecodedPage::Has(const std::vector<int>& file_columns) const {
  return std::ranges::all_of(file_columns, [&](int column) { return columns[static_cast<size_t>(column)] != nullptr; });
}

size_t PageCache::HashKey::operator()(const Key& key) const {
  uint64_t hash = key.segment_id * 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ key.table_id) * 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ key.page) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 32);
}

std::shared_ptr<const DecodedPage> PageCache::Find(const Key& key, const std::vector<int>& file_columns) {
  return pages_.Find(key, [&](const DecodedPage& page) { return page.Has(file_columns); });
}

void PageCache::Replace(const Key& key, std::shared_ptr<const DecodedPage> page) {
  constexpr uint64_t kBookkeeping = 128;  // of an entry, and of a column
  uint64_t bytes = kBookkeeping;
  for (const auto& column : page->columns) {
    if (column != nullptr) bytes += static_cast<uint64_t>(arrow::util::TotalBufferSize(*column)) + kBookkeeping;
  }
  pages_.Replace(key, std::move(page), bytes);
}

void PageCache::Erase(uint32_t table_id, SegmentId segment_id) {
  pages_.EraseIf([&](const Key& key) { return key.table_id == table_id && key.segment_id == segment_id; });
}

}  // namespace yarrow::cold
