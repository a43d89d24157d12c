// PageCache: decoded pages that lookups came to, the least recently used ones given up when they outgrow a budget of
// bytes.
//
// Thread-safe. What was handed out stays alive when the cache gives it up.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "cold/lru_cache.h"
#include "cold/segment_key.h"

namespace yarrow::cold {

// The rows of a page, as far as somebody has asked for their columns. Immutable.
struct DecodedPage {
  std::vector<std::shared_ptr<arrow::Array>> columns;  // by column of the file; null: not decoded

  bool Has(const std::vector<int>& file_columns) const;
};

class PageCache {
 public:
  explicit PageCache(uint64_t max_bytes) : pages_({.bytes = max_bytes}) {}

  struct Key {
    uint32_t table_id = 0;
    SegmentId segment_id = 0;
    uint32_t page = 0;  // of the segment
    friend bool operator==(const Key&, const Key&) = default;
  };

  // Null when it is not there; it may lack some of the columns, which counts as a miss.
  std::shared_ptr<const DecodedPage> Find(const Key& key, const std::vector<int>& file_columns);
  // In the place of the one that is there. A page that is larger than the budget is not kept.
  void Replace(const Key& key, std::shared_ptr<const DecodedPage> page);
  // Forgets all of one segment: for files that are deleted.
  void Erase(uint32_t table_id, SegmentId segment_id);
  void SetBudget(uint64_t max_bytes) { pages_.SetBudget({.bytes = max_bytes}); }
  CacheCounts counts() const { return pages_.counts(); }

 private:
  struct HashKey {
    size_t operator()(const Key& key) const;
  };
  LruCache<Key, const DecodedPage, HashKey> pages_;
};

}  // namespace yarrow::cold
