// RowGroupCache: decoded columns of row groups that lookups came to, the least recently used ones given up when they
// outgrow a budget of bytes.
//
// Thread-safe. What was handed out stays alive when the cache gives it up.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "cold/segment_key.h"

namespace yarrow::cold {

class RowGroupCache {
 public:
  explicit RowGroupCache(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  struct Key {
    uint32_t table_id = 0;
    SegmentId segment_id = 0;
    uint32_t row_group = 0;
    uint32_t file_column = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };

  // Null when it is not there.
  std::shared_ptr<arrow::Array> Find(const Key& key);
  // An array that is larger than the budget is not kept.
  void Insert(const Key& key, std::shared_ptr<arrow::Array> array);
  // Forgets all of one segment: for files that are deleted.
  void Erase(uint32_t table_id, SegmentId segment_id);
  void SetBudget(uint64_t max_bytes);

  struct Counts {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t bytes = 0;  // held now
    uint64_t arrays = 0;
  };
  Counts counts() const;

 private:
  struct Entry {
    Key key;
    std::shared_ptr<arrow::Array> array;
    uint64_t bytes = 0;
  };
  struct HashKey {
    size_t operator()(const Key& key) const;
  };
  void Shrink();  // REQUIRES: mutex_ is held

  mutable std::mutex mutex_;
  uint64_t max_bytes_;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<Key, std::list<Entry>::iterator, HashKey> by_key_;
  Counts counts_;
};

}  // namespace yarrow::cold
