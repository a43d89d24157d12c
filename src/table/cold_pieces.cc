#include "table/cold_pieces.h"

#include <algorithm>
#include <utility>

#include "cold/predicate_bounds.h"

namespace yarrow {
namespace {

bool IsInRanges(const cold::SegmentInfo& info, const std::vector<KeyRange>& ranges) {
  return std::ranges::any_of(ranges, [&](const KeyRange& range) {
    return info.last_key >= range.lower && (range.upper.empty() || info.first_key() < range.upper);
  });
}

}  // namespace

uint64_t ColdPieces::rows() const {
  uint64_t rows = 0;
  for (const ColdPiece& piece : pieces) rows += piece.segment->info().rows - piece.dropped.cardinality();
  return rows;
}

bool AreSingleKeys(const std::vector<KeyRange>& ranges) {
  return std::ranges::all_of(ranges, [](const KeyRange& range) { return range.upper == KeySuccessor(range.lower); });
}

arrow::Result<ColdPieces> FindColdPieces(const ScanPlan& plan, const Snapshot& snapshot) {
  const ScanSource& source = plan.source;
  const bool single_keys = ReadsSingleKeys(plan);
  ARROW_ASSIGN_OR_RAISE(const auto manifest, source.cold->At(snapshot));
  ColdPieces found;
  for (const auto& segment : manifest->Of(source.user)) {
    const cold::SegmentInfo& info = segment->info();
    ++found.segments;
    found.row_groups += info.row_groups.size();
    if (!IsInRanges(info, plan.ranges) || !cold::MayMatch(info, *source.row_schema, plan.tested)) continue;
    cold::DeletionVector dropped;
    if (!single_keys) {
      ARROW_ASSIGN_OR_RAISE(dropped, segment->Dropped(snapshot, source.overlay));
    }
    if (dropped.cardinality() < info.rows) found.pieces.push_back({segment, std::move(dropped)});
  }
  return found;
}

}  // namespace yarrow
