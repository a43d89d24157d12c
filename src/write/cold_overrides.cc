#include "write/cold_overrides.h"

#include <string>
#include <utility>

#include "write/run_writer.h"

namespace yarrow {

using arrow::Status;

Status ColdOverrides::Add(const ColdPlace& place) {
  OfSegment& segment = segments_[place.segment->key().segment_id];
  if (segment.segment == nullptr) segment.segment = place.segment;
  ++count_;
  return segment.positions.Add(place.position);
}

Status ColdOverrides::WriteTo(const TableImpl& table, WriteSet* writes) {
  // Whoever replaces or deletes a row writes its key as well, by which it is judged.
  RunWriter run(table, writes, count_ > kMostInMemory, SstFiles::Parts::kHulls);
  for (auto& [id, of_segment] : segments_) {
    Status status;
    of_segment.positions.Finish().VisitDropped(0, of_segment.segment->info().rows, [&](uint64_t position) {
      if (status.ok()) status = run.Put(of_segment.segment->OverrideKey(position), {});
    });
    ARROW_RETURN_NOT_OK(status);
  }
  segments_.clear();
  return run.Finish();
}

}  // namespace yarrow
