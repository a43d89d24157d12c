// Cutting the key ranges of a scan into pieces for its threads.
#pragma once

#include <cstdint>
#include <vector>

#include "key/key_range.h"
#include "scan/scan_plan.h"

namespace yarrow {

// Ranges that one thread reads at a stretch; ascending, disjoint.
using Morsel = std::vector<KeyRange>;

// What is read of the pieces.
enum class CutFor { kBothTiers, kHotRows };

// Pieces of about equal size that together are the plan's ranges, in the order of the scan. More pieces than threads,
// so that a thread that finishes early finds more to do; few enough that starting one costs nothing beside reading it.
std::vector<Morsel> CutIntoMorsels(const ScanPlan& plan, CutFor what = CutFor::kBothTiers);

// About that many pieces or fewer, for work that takes one after the other. Ascending.
std::vector<Morsel> CutIntoStretches(const ScanPlan& plan, uint64_t pieces);

// Cuts ascending, disjoint ranges at ascending points, those inside a range and those between two alike. Ascending; no
// morsel and no range is empty.
std::vector<Morsel> CutAtPoints(std::vector<KeyRange> ranges, const std::vector<std::string>& points);

}  // namespace yarrow
