#include "cold/page_cache.h"

#include <arrow/array.h>
#include <arrow/util/byte_size.h>

#include <utility>

namespace yarrow::cold {

size_t PageCache::HashKey::operator()(const Key& key) const {
  uint64_t hash = key.segment_id * 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ key.table_id) * 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ key.page) * 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ key.file_column) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 32);
}

void PageCache::Insert(const Key& key, std::shared_ptr<arrow::Array> array) {
  constexpr uint64_t kBookkeeping = 128;  // of an entry
  const auto bytes = static_cast<uint64_t>(arrow::util::TotalBufferSize(*array)) + kBookkeeping;
  arrays_.Insert(key, std::move(array), bytes);
}

void PageCache::Erase(uint32_t table_id, SegmentId segment_id) {
  arrays_.EraseIf([&](const Key& key) { return key.table_id == table_id && key.segment_id == segment_id; });
}

}  // namespace yarrow::cold
