#include "table/morsels.h"

#include <algorithm>
#include <string>
#include <utility>

namespace yarrow {
namespace {

// A morsel takes about a millisecond or more to read; a new iterator takes four microseconds.
constexpr uint64_t kMorselBytes = 2 << 20;
constexpr uint64_t kMorselsPerThread = 64;

}  // namespace

std::vector<Morsel> CutIntoMorsels(const ScanPlan& plan) {
  const ScanSource& source = plan.source;
  const std::string& lower = plan.ranges.front().lower;
  const std::string& upper = plan.ranges.back().upper;
  const uint64_t bytes = source.store->ApproximateBytes(source.partition, lower, upper);
  const uint64_t pieces = std::min<uint64_t>(bytes / kMorselBytes + 1, plan.threads * kMorselsPerThread);
  std::vector<std::string> points = source.store->SplitPoints(source.partition, lower, upper, pieces - 1);
  points.push_back(upper);  // ends the last morsel

  std::vector<Morsel> morsels(1);
  size_t next = 0;
  for (KeyRange range : plan.ranges) {
    // Every point inside the range ends a morsel within it.
    while (next + 1 < points.size() && range.Contains(points[next])) {
      if (range.lower < points[next])
        morsels.back().push_back({std::exchange(range.lower, points[next]), points[next]});
      if (!morsels.back().empty()) morsels.emplace_back();
      ++next;
    }
    if (!range.empty()) morsels.back().push_back(std::move(range));
    // Points between this range and the next end a morsel too.
    while (next + 1 < points.size() && !range.upper.empty() && points[next] <= range.upper) ++next;
  }
  if (morsels.back().empty()) morsels.pop_back();
  if (plan.reverse) std::reverse(morsels.begin(), morsels.end());
  return morsels;
}

}  // namespace yarrow
