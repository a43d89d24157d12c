#include "tier/segment_caches.h"

#include <numeric>

namespace yarrow {

arrow::Result<std::shared_ptr<const cold::SegmentLookup>> OpenSegment::Lookup(
    const std::shared_ptr<const RowSchema>& schema, const std::string& key_prefix, cold::PageCache* cache) {
  const std::lock_guard lock(mutex_);
  if (lookup_schema_ != schema) {
    std::vector<int> all(schema->columns().size());
    std::iota(all.begin(), all.end(), 0);
    ARROW_ASSIGN_OR_RAISE(lookup_, cold::SegmentLookup::Make(segment_, schema, key_prefix, std::move(all), cache));
    lookup_schema_ = schema;
  }
  return lookup_;
}

size_t SegmentCaches::HashId::operator()(const Id& id) const {
  const uint64_t hash = (id.segment_id * 0x9E3779B97F4A7C15ULL ^ id.table_id) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 32);
}

std::vector<std::pair<std::string, uint64_t>> SegmentCaches::Figures() const {
  std::vector<std::pair<std::string, uint64_t>> figures;
  const auto add = [&](const std::string& name, const cold::CacheCounts& counts) {
    figures.emplace_back(name + ".entries", counts.entries);
    figures.emplace_back(name + ".hits", counts.hits);
    figures.emplace_back(name + ".misses", counts.misses);
    figures.emplace_back(name + ".used_bytes", counts.bytes);
  };
  add("key_filters", key_filters.counts());
  add("open_segments", open_segments.counts());
  add("pages", pages.counts());
  return figures;
}

}  // namespace yarrow
