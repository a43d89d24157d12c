#include "scan/morsels.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "tier/cold_table.h"

namespace yarrow {
namespace {

// A morsel takes about a millisecond or more to read; a new iterator takes four microseconds.
constexpr uint64_t kMorselBytes = 2 << 20;
constexpr uint64_t kMorselsPerThread = 64;
constexpr size_t kColdMorselsPerThread = 16;

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

namespace {

// First keys of row groups in [lower, upper), which are good places to cut; no more than `most` in all, for a row group
// that is cut is decoded for each of its pieces.
void AddRowGroups(const ScanPlan& plan, std::string_view lower, std::string_view upper, size_t most,
                  std::vector<std::string>* points) {
  const ScanSource& source = plan.source;
  if (!source.MayHaveSegments()) return;
  // Any cut is right, whatever the snapshot sees.
  const auto manifest = source.cold->LastKnown(source.overlay);
  manifest->index.VisitIn(lower, upper, [&](const auto& segment) {
    for (const cold::RowGroupInfo& group : segment->info().row_groups) {
      if (group.first_key > lower && group.first_key < upper) points->push_back(group.first_key);
    }
    return true;
  });
  std::sort(points->begin(), points->end());
  if (points->size() <= most) return;
  for (size_t i = 0; i < most; ++i) (*points)[i] = std::move((*points)[(i + 1) * points->size() / (most + 1)]);
  points->resize(most);
}

}  // namespace

std::vector<Morsel> CutIntoMorsels(const ScanPlan& plan, CutFor what) {
  if (plan.ranges.empty()) return {};  // nothing can pass
  const ScanSource& source = plan.source;
  const std::string& lower = plan.ranges.front().lower;
  const std::string& upper = plan.ranges.back().upper;
  const uint64_t bytes = source.store->ApproximateBytes(source.partition, lower, upper);
  const uint64_t pieces = std::min<uint64_t>(bytes / kMorselBytes + 1, plan.threads * kMorselsPerThread);
  std::vector<std::string> points = source.store->SplitPoints(source.partition, lower, upper, pieces - 1);
  const size_t most = static_cast<size_t>(plan.threads) * kColdMorselsPerThread;
  if (what == CutFor::kBothTiers) AddRowGroups(plan, lower, upper, most, &points);
  std::vector<Morsel> morsels = CutAtPoints(plan.ranges, points);
  if (plan.reverse) std::reverse(morsels.begin(), morsels.end());
  return morsels;
}

std::vector<Morsel> CutIntoStretches(const ScanPlan& plan, uint64_t pieces) {
  if (plan.ranges.empty()) return {};
  if (pieces <= 1) return {plan.ranges};
  const std::string& lower = plan.ranges.front().lower;
  const std::string& upper = plan.ranges.back().upper;
  std::vector<std::string> points = plan.source.store->SplitPoints(plan.source.partition, lower, upper, pieces - 1);
  AddRowGroups(plan, lower, upper, pieces - 1, &points);
  return CutAtPoints(plan.ranges, points);
}

}  // namespace yarrow
