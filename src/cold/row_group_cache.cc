#include "cold/row_group_cache.h"

#include <arrow/array.h>
#include <arrow/util/byte_size.h>

#include <utility>

namespace yarrow::cold {

size_t RowGroupCache::HashKey::operator()(const Key& key) const {
  uint64_t hash = key.segment_id * 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ key.table_id) * 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ key.row_group) * 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ key.file_column) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 32);
}

std::shared_ptr<arrow::Array> RowGroupCache::Find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    ++counts_.misses;
    return nullptr;
  }
  ++counts_.hits;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->array;
}

void RowGroupCache::Insert(const Key& key, std::shared_ptr<arrow::Array> array) {
  const auto bytes = static_cast<uint64_t>(arrow::util::TotalBufferSize(*array)) + sizeof(Entry);
  const std::lock_guard lock(mutex_);
  if (bytes > max_bytes_ || by_key_.contains(key)) return;
  entries_.push_front({key, std::move(array), bytes});
  by_key_.emplace(key, entries_.begin());
  counts_.bytes += bytes;
  Shrink();
}

void RowGroupCache::Shrink() {
  while (counts_.bytes > max_bytes_) {
    counts_.bytes -= entries_.back().bytes;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

void RowGroupCache::Erase(uint32_t table_id, SegmentId segment_id) {
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->key.table_id != table_id || entry->key.segment_id != segment_id) {
      ++entry;
      continue;
    }
    counts_.bytes -= entry->bytes;
    by_key_.erase(entry->key);
    entry = entries_.erase(entry);
  }
}

void RowGroupCache::SetBudget(uint64_t max_bytes) {
  const std::lock_guard lock(mutex_);
  max_bytes_ = max_bytes;
  Shrink();
}

RowGroupCache::Counts RowGroupCache::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.arrays = entries_.size();
  return counts;
}

}  // namespace yarrow::cold
