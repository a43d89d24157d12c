#include "flush/compaction_policy.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace yarrow::flush {
namespace {

using Positions = std::vector<size_t>;

// Segments whose keys overlap, directly or through others.
struct Cluster {
  Positions segments;
  size_t depth = 0;  // of them with one key in common, at most
};

std::vector<Cluster> ClustersOf(std::span<const SegmentFigures> segments, Positions positions) {
  std::ranges::sort(positions, {}, [&](size_t i) { return segments[i].first_key; });
  std::vector<Cluster> clusters;
  std::multiset<std::string_view> open;  // the last keys of the segments that reach the present one
  for (const size_t i : positions) {
    open.erase(open.begin(), open.lower_bound(segments[i].first_key));
    if (open.empty()) clusters.emplace_back();
    open.insert(segments[i].last_key);
    clusters.back().segments.push_back(i);
    clusters.back().depth = std::max(clusters.back().depth, open.size());
  }
  return clusters;
}

Positions All(std::span<const SegmentFigures> segments) {
  Positions all(segments.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

// What is due of one level; none: nothing.
std::set<size_t> DueOfLevel(std::span<const SegmentFigures> segments, const Positions& level, uint64_t full_rows) {
  std::set<size_t> due;
  for (const Cluster& cluster : ClustersOf(segments, level)) {
    if (cluster.depth >= kFanOut) due.insert(cluster.segments.begin(), cluster.segments.end());
  }
  Positions small;
  std::ranges::copy_if(level, std::back_inserter(small),
                       [&](size_t i) { return segments[i].rows * kFanOut <= full_rows; });
  if (small.size() >= kFanOut) due.insert(small.begin(), small.end());
  return due;
}

}  // namespace

std::optional<CompactionPick> PickCompaction(std::span<const SegmentFigures> segments, uint64_t full_rows) {
  std::map<uint32_t, Positions> levels;
  for (size_t i = 0; i < segments.size(); ++i) levels[segments[i].level].push_back(i);
  for (const auto& [level, positions] : levels) {
    const std::set<size_t> due = DueOfLevel(segments, positions, full_rows);
    if (!due.empty()) return CompactionPick{{due.begin(), due.end()}, level + 1};
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
