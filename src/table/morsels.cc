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

std::vector<Morsel> CutAtPoints(std::vector<KeyRange> ranges, const std::vector<std::string>& points) {
  std::vector<Morsel> morsels;
  Morsel morsel;
  const auto cut = [&] {
    if (!morsel.empty()) morsels.push_back(std::exchange(morsel, {}));
  };
  auto point = points.begin();
  for (KeyRange& range : ranges) {
    if (range.empty()) continue;
    for (; point != points.end() && *point <= range.lower; ++point) cut();
    for (; point != points.end() && range.Contains(*point); ++point) {
      morsel.push_back({std::exchange(range.lower, *point), *point});
      cut();
    }
    morsel.push_back(std::move(range));
  }
  cut();
  return morsels;
}

std::vector<Morsel> CutIntoMorsels(const ScanPlan& plan) {
  if (plan.ranges.empty()) return {};  // nothing can pass
  const ScanSource& source = plan.source;
  const std::string& lower = plan.ranges.front().lower;
  const std::string& upper = plan.ranges.back().upper;
  const uint64_t bytes = source.store->ApproximateBytes(source.partition, lower, upper);
  const uint64_t pieces = std::min<uint64_t>(bytes / kMorselBytes + 1, plan.threads * kMorselsPerThread);
  std::vector<Morsel> morsels =
      CutAtPoints(plan.ranges, source.store->SplitPoints(source.partition, lower, upper, pieces - 1));
  if (plan.reverse) std::reverse(morsels.begin(), morsels.end());
  return morsels;
}

}  // namespace yarrow
