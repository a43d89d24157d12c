#include "tier/removed_segments.h"

#include <algorithm>

namespace yarrow {
namespace {

std::vector<std::shared_ptr<const RemovedSegments>> RunsOf(uint32_t table_id, const WriteSet::View& writes) {
  std::vector<std::shared_ptr<const RemovedSegments>> runs;
  for (const auto& run : writes.ExternalRuns()) {
    auto removed = std::dynamic_pointer_cast<const RemovedSegments>(run);
    if (removed != nullptr && removed->table_id() == table_id) runs.push_back(std::move(removed));
  }
  return runs;
}

}  // namespace

ColdSegments RemovedSegmentsOf(uint32_t table_id, const WriteSet::View& writes) {
  ColdSegments found;
  for (const auto& run : RunsOf(table_id, writes)) {
    found.insert(found.end(), run->segments().begin(), run->segments().end());
  }
  return found;
}

bool RemovesHotRowsOf(uint32_t table_id, const WriteSet::View& writes) {
  return std::ranges::any_of(RunsOf(table_id, writes), [](const auto& run) { return run->with_hot_rows(); });
}

}  // namespace yarrow
