// SegmentCaches: what a database keeps in memory of its segments beside their manifest entries, each kind under a
// budget of its own. What is in use stays, also when a cache gives it up; it is found again by whoever uses it.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cold/key_filter.h"
#include "cold/lru_cache.h"
#include "cold/page_cache.h"
#include "cold/segment.h"
#include "cold/segment_key.h"
#include "cold/segment_lookup.h"
#include "row/row_schema.h"

namespace yarrow {

// An open file, with the lookup that was last asked of it. Thread-safe.
class OpenSegment {
 public:
  explicit OpenSegment(std::shared_ptr<const cold::Segment> segment) : segment_(std::move(segment)) {}

  const cold::Segment& segment() const { return *segment_; }
  // For single rows with all columns of the schema; `cache` outlives it.
  arrow::Result<std::shared_ptr<const cold::SegmentLookup>> Lookup(const std::shared_ptr<const RowSchema>& schema,
                                                                   const std::string& key_prefix,
                                                                   cold::PageCache* cache);

 private:
  const std::shared_ptr<const cold::Segment> segment_;
  std::mutex mutex_;
  std::shared_ptr<const RowSchema> lookup_schema_;  // that lookup_ was made for
  std::shared_ptr<const cold::SegmentLookup> lookup_;
};

// Thread-safe.
struct SegmentCaches {
  static constexpr uint64_t kPageBytes = 128 << 20;

  struct Id {
    uint32_t table_id = 0;
    cold::SegmentId segment_id = 0;
    friend bool operator==(const Id&, const Id&) = default;
  };
  struct HashId {
    size_t operator()(const Id& id) const;
  };

  // The budgets of the last two are settings of the database, and nothing before those are read.
  SegmentCaches() : pages(kPageBytes), key_filters({}), open_segments({}) {}

  cold::PageCache pages;
  cold::LruCache<Id, const cold::KeyFilter, HashId> key_filters;
  cold::LruCache<Id, OpenSegment, HashId> open_segments;

  // For system.stats.
  std::vector<std::pair<std::string, uint64_t>> Figures() const;
};

}  // namespace yarrow
