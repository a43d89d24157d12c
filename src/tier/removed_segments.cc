#include "tier/removed_segments.h"

namespace yarrow {

ColdSegments RemovedSegmentsOf(uint32_t table_id, const WriteSet::View& writes) {
  ColdSegments found;
  for (const auto& run : writes.ExternalRuns()) {
    const auto removed = std::dynamic_pointer_cast<const RemovedSegments>(run);
    if (removed == nullptr || removed->table_id() != table_id) continue;
    found.insert(found.end(), removed->segments().begin(), removed->segments().end());
  }
  return found;
}

}  // namespace yarrow
