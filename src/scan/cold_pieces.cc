#include "scan/cold_pieces.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "cold/predicate_bounds.h"

namespace yarrow {
namespace {

// Those that may have a key in any of the ranges, by segment id.
ColdSegments SegmentsIn(const SegmentIndex& index, const std::vector<KeyRange>& ranges) {
  ColdSegments found;
  for (const KeyRange& range : ranges) {
    index.VisitIn(range.lower, range.upper, [&](const auto& segment) {
      found.push_back(segment);
      return true;
    });
  }
  const auto id = [](const auto& segment) { return segment->key().segment_id; };
  std::ranges::sort(found, {}, id);
  const auto again = std::ranges::unique(found, {}, id);
  found.erase(again.begin(), again.end());
  return found;
}

}  // namespace

uint64_t ColdPieces::rows() const {
  uint64_t rows = 0;
  for (const ColdPiece& piece : pieces) rows += piece.segment->info().rows - piece.dropped.cardinality();
  return rows;
}

std::vector<ColdPiece> ColdPieces::In(std::string_view lower, std::string_view upper) const {
  std::vector<ColdPiece> found;
  std::ranges::copy_if(pieces, std::back_inserter(found), [&](const ColdPiece& piece) {
    const cold::SegmentInfo& info = piece.segment->info();
    return info.last_key >= lower && (upper.empty() || info.first_key() < upper);
  });
  return found;
}

bool AreSingleKeys(const std::vector<KeyRange>& ranges) {
  return std::ranges::all_of(ranges, [](const KeyRange& range) { return range.upper == KeySuccessor(range.lower); });
}

namespace {

// Where lookups would come to most pages, all of them are read at once.
uint64_t MostLookups(const ColdSegments& segments) {
  constexpr uint64_t kAlways = 50;
  uint64_t rows = 0;
  for (const auto& segment : segments) rows += segment->info().rows;
  return std::max(kAlways, rows / kColdRowsALookup);
}

}  // namespace

arrow::Result<ColdPieces> FindColdPieces(const ScanPlan& plan, const Snapshot& snapshot) {
  const ScanSource& source = plan.source;
  ARROW_ASSIGN_OR_RAISE(const auto manifest, source.cold->At(snapshot, source.overlay));
  ColdPieces found;
  const SegmentIndex::Totals all = manifest->index.TotalsIn(source.key_prefix, PrefixSuccessor(source.key_prefix));
  found.segments = all.segments;
  found.row_groups = all.row_groups;
  const ColdSegments segments = SegmentsIn(manifest->index, plan.ranges);
  found.are_looked_up = AreSingleKeys(plan.ranges) && plan.ranges.size() <= MostLookups(segments);
  for (const auto& segment : segments) {
    const cold::SegmentInfo& info = segment->info();
    if (!cold::MayMatch(info, *source.row_schema, plan.tested)) continue;
    cold::DeletionVector dropped;
    if (!found.are_looked_up) {
      ARROW_ASSIGN_OR_RAISE(dropped, segment->Dropped(snapshot, source.overlay));
    }
    if (dropped.cardinality() < info.rows) found.pieces.push_back({segment, std::move(dropped)});
  }
  return found;
}

}  // namespace yarrow
