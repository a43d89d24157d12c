#include "write/cold_overrides.h"

#include <string>
#include <utility>

#include "store/file_run.h"

namespace yarrow {

using arrow::Status;

Status ColdOverrides::Add(const ColdPlace& place) {
  OfSegment& segment = segments_[place.segment->key().segment_id];
  if (segment.segment == nullptr) segment.segment = place.segment;
  ++count_;
  return segment.positions.Add(place.position);
}

Status ColdOverrides::WriteTo(const TableImpl& table, WriteSet* writes) {
  constexpr uint64_t kFew = 10'000;
  const Partition partition = table.entry().partition;
  // Whoever replaces or deletes a row writes its key as well, by which it is judged.
  const auto run = count_ > kFew ? std::make_shared<FileRun>(table.database().store(), partition, SstFiles::kFileBytes,
                                                             SstFiles::Parts::kHulls)
                                 : nullptr;
  for (auto& [id, of_segment] : segments_) {
    Status status;
    of_segment.positions.Finish().VisitDropped(0, of_segment.segment->info().rows, [&](uint64_t position) {
      const std::string key = of_segment.segment->OverrideKey(position);
      if (run == nullptr) {
        writes->Put(partition, key, {});
      } else if (status.ok()) {
        status = run->Put(key, {});
      }
    });
    ARROW_RETURN_NOT_OK(status);
  }
  segments_.clear();
  if (run == nullptr) return writes->status();
  ARROW_RETURN_NOT_OK(run->Finish());
  writes->AddRun(run);
  return Status::OK();
}

}  // namespace yarrow
