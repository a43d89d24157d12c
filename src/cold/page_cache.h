// PageCache: decoded pages that lookups came to, the least recently used ones given up when they outgrow a budget of
// bytes.
//
// Thread-safe. What was handed out stays alive when the cache gives it up.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "cold/lru_cache.h"
#include "cold/segment_key.h"

namespace yarrow::cold {

class PageCache {
 public:
  explicit PageCache(uint64_t max_bytes) : arrays_({.bytes = max_bytes}) {}

  struct Key {
    uint32_t table_id = 0;
    SegmentId segment_id = 0;
    uint32_t page = 0;  // of the segment
    uint32_t file_column = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };

  // Null when it is not there.
  std::shared_ptr<arrow::Array> Find(const Key& key) { return arrays_.Find(key); }
  // An array that is larger than the budget is not kept.
  void Insert(const Key& key, std::shared_ptr<arrow::Array> array);
  // Forgets all of one segment: for files that are deleted.
  void Erase(uint32_t table_id, SegmentId segment_id);
  void SetBudget(uint64_t max_bytes) { arrays_.SetBudget({.bytes = max_bytes}); }
  CacheCounts counts() const { return arrays_.counts(); }

 private:
  struct HashKey {
    size_t operator()(const Key& key) const;
  };
  LruCache<Key, arrow::Array, HashKey> arrays_;
};

}  // namespace yarrow::cold
