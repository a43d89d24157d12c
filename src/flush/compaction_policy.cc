#include "flush/compaction_policy.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace yarrow::flush {
namespace {

using Positions = std::vector<size_t>;

// Segments whose keys overlap, directly or through others.
struct Cluster {
  Positions segments;  // by first key
  size_t depth = 0;    // of them with one key in common, at most
  size_t deepest = 0;  // of `segments`, the first one whose first key is such a key
};

std::vector<Cluster> ClustersOf(std::span<const SegmentFigures> segments, Positions positions) {
  std::ranges::sort(positions, {}, [&](size_t i) { return segments[i].first_key; });
  std::vector<Cluster> clusters;
  std::multiset<std::string_view> open;  // the last keys of the segments that reach the present one
  for (const size_t i : positions) {
    open.erase(open.begin(), open.lower_bound(segments[i].first_key));
    if (open.empty()) clusters.emplace_back();
    open.insert(segments[i].last_key);
    Cluster& cluster = clusters.back();
    if (open.size() > cluster.depth) cluster.deepest = cluster.segments.size();
    cluster.depth = std::max(cluster.depth, open.size());
    cluster.segments.push_back(i);
  }
  return clusters;
}

// Those of a cluster that have the deepest key, and their neighbours, as far as there is room.
Positions Around(std::span<const SegmentFigures> segments, const Cluster& cluster) {
  const std::string_view key = segments[cluster.segments[cluster.deepest]].first_key;
  std::set<size_t> chosen;
  for (size_t n = cluster.deepest + 1; n-- > 0 && chosen.size() < kMostAtOnce;) {
    if (segments[cluster.segments[n]].last_key >= key) chosen.insert(cluster.segments[n]);
  }
  for (size_t distance = 1; distance <= cluster.segments.size(); ++distance) {
    for (const size_t n : {cluster.deepest - distance, cluster.deepest + distance}) {  // below 0 is a large number
      if (n < cluster.segments.size() && chosen.size() < kMostAtOnce) chosen.insert(cluster.segments[n]);
    }
  }
  return {chosen.begin(), chosen.end()};
}

Positions All(std::span<const SegmentFigures> segments) {
  Positions all(segments.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

// What is due of one level; none: nothing.
Positions DueOfLevel(std::span<const SegmentFigures> segments, const Positions& level, uint64_t full_rows) {
  for (const Cluster& cluster : ClustersOf(segments, level)) {
    if (cluster.depth >= kFanOut) return Around(segments, cluster);
  }
  Positions small;
  std::ranges::copy_if(level, std::back_inserter(small),
                       [&](size_t i) { return segments[i].rows * kFanOut <= full_rows; });
  if (small.size() < kFanOut) return {};
  std::ranges::sort(small, {}, [&](size_t i) { return segments[i].first_key; });
  small.resize(std::min(small.size(), kMostAtOnce));
  std::ranges::sort(small);
  return small;
}

}  // namespace

std::optional<CompactionPick> PickCompaction(std::span<const SegmentFigures> segments, uint64_t full_rows) {
  std::map<uint32_t, Positions> levels;
  for (size_t i = 0; i < segments.size(); ++i) levels[segments[i].level].push_back(i);
  for (const auto& [level, positions] : levels) {
    Positions due = DueOfLevel(segments, positions, full_rows);
    if (!due.empty()) return CompactionPick{std::move(due), level + 1};
  }
  for (size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].overridden * kFanOut >= segments[i].rows) return CompactionPick{{i}, segments[i].level};
  }
  return std::nullopt;
}

std::optional<CompactionPick> PickAll(std::span<const SegmentFigures> segments, uint64_t full_rows) {
  if (segments.empty()) return std::nullopt;
  uint64_t rows = 0;
  bool one_is_to_change = false;
  uint32_t level = 0;
  for (const SegmentFigures& segment : segments) {
    rows += segment.rows;
    one_is_to_change |= segment.overridden > 0 || segment.rows > full_rows || segment.has_other_layout;
    level = std::max(level, segment.level);
  }
  const uint64_t fewest = (rows + full_rows - 1) / full_rows;
  if (!one_is_to_change && segments.size() <= fewest && MostOverlapping(segments) <= 1) return std::nullopt;
  return CompactionPick{All(segments), segments.size() == 1 ? level : level + 1};
}

size_t MostOverlapping(std::span<const SegmentFigures> segments) {
  size_t most = 0;
  for (const Cluster& cluster : ClustersOf(segments, All(segments))) most = std::max(most, cluster.depth);
  return most;
}

}  // namespace yarrow::flush
