#include "write/cold_rows.h"

#include <utility>
#include <vector>

namespace yarrow {

using arrow::Status;

Status ColdRows::FindManifest() {
  const size_t external_runs = writes_ == nullptr ? 0 : writes_->external_runs();
  if (external_runs_ == external_runs) return Status::OK();
  const WriteSet::View writes = writes_ == nullptr ? overlay_ : writes_->GetView();
  if (table_.cold()->MayHaveSegments(writes)) {
    ARROW_ASSIGN_OR_RAISE(manifest_, table_.cold()->At(snapshot_, writes));
  }
  last_.reset();
  external_runs_ = external_runs;
  return Status::OK();
}

arrow::Result<std::optional<ColdPlace>> ColdRows::Find(std::string_view key) {
  ARROW_RETURN_NOT_OK(FindManifest());
  if (!manifest_) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto place, FindInLast(key));
  if (place) return place;
  ARROW_ASSIGN_OR_RAISE(
      place, FindColdRow(
                 manifest_->index, key, [&](const ColdSegment& segment) { return FindPosition(segment, key); },
                 [&](const ColdPlace& found) { return IsDropped(found); }));
  last_ = place ? place->segment : nullptr;
  return place;
}

// Of two rows with one key at most one is there, so where one is found no other segment need be asked.
arrow::Result<std::optional<ColdPlace>> ColdRows::FindInLast(std::string_view key) {
  if (!last_ || !last_->Spans(key)) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto position, FindPosition(*last_, key));
  if (!position) return std::nullopt;
  ColdPlace place{last_, *position};
  ARROW_ASSIGN_OR_RAISE(const bool dropped, IsDropped(place));
  if (dropped) return std::nullopt;
  return place;
}

void ColdRows::Unbind(Visited* visited) {
  if (!visited->rows) return;
  used_.erase(visited->use);
  visited->rows.reset();
}

// False when all that are bound are in use: then the others are looked up one by one.
bool ColdRows::MakeRoom() {
  if (used_.size() < kMostPages) return true;
  Visited& last = visited_.at(used_.back());
  if (lookups_ - last.last_use < kFewLookupsElsewhere) return false;
  Unbind(&last);
  return true;
}

Status ColdRows::Bind(cold::SegmentId id, std::shared_ptr<const cold::SegmentLookup> lookup, Visited* visited) {
  ARROW_ASSIGN_OR_RAISE(auto rows, cold::PageRows::Make(std::move(lookup), *visited->page));
  visited->rows = std::move(rows);
  visited->lookup.reset();
  visited->use = used_.insert(used_.begin(), id);
  return Status::OK();
}

arrow::Result<std::optional<uint64_t>> ColdRows::FindPosition(const ColdSegment& segment, std::string_view key) {
  const cold::SegmentId id = segment.key().segment_id;
  Visited& visited = visited_[id];
  ++lookups_;
  ++visited.lookups;
  if (!segment.Spans(key)) return std::nullopt;
  std::shared_ptr<const cold::SegmentLookup> lookup;
  if (visited.rows) {
    lookup = visited.rows->lookup();
  } else {
    ARROW_ASSIGN_OR_RAISE(lookup, segment.Lookup(table_.row_schema(), table_.key_prefix()));
  }
  const std::optional<size_t> page = lookup->segment()->FindPage(key);
  const bool again = visited.page == page;
  if (!again) Unbind(&visited);
  visited.page = page;
  if (!visited.rows) {
    if (!again || !MakeRoom()) {
      visited.lookup = std::move(lookup);
      return visited.lookup->Find(key);
    }
    ARROW_RETURN_NOT_OK(Bind(id, std::move(lookup), &visited));
  }
  visited.last_use = lookups_;
  used_.splice(used_.begin(), used_, visited.use);
  return visited.rows->Find(key);
}

arrow::Result<bool> ColdRows::IsDropped(const ColdPlace& place) {
  if (writes_ != nullptr) {
    std::string_view value;
    ARROW_ASSIGN_OR_RAISE(const auto written,
                          writes_->Get(table_.entry().partition, place.segment->OverrideKey(place.position), &value));
    if (written == WriteSet::Found::kPut) return true;
  }
  Visited& visited = visited_.at(place.segment->key().segment_id);
  if (visited.lookups <= kFewLookups) return place.segment->IsDropped(place.position, snapshot_, overlay_);
  if (!visited.dropped) {
    ARROW_ASSIGN_OR_RAISE(visited.dropped, place.segment->Dropped(snapshot_, overlay_));
  }
  return visited.dropped->Contains(place.position);
}

arrow::Result<std::string_view> ColdRows::Read(const ColdPlace& place) {
  Visited& visited = visited_.at(place.segment->key().segment_id);
  if (visited.rows) {
    ARROW_RETURN_NOT_OK(visited.rows->Read(place.position, &key_, &row_));
    return row_;
  }
  ARROW_ASSIGN_OR_RAISE(const std::vector<Value> values, visited.lookup->ReadRow(place.position));
  auto slot = table_.LeaseEncoder();
  ARROW_RETURN_NOT_OK(slot->encoder.EncodeValues(values, &key_, &row_));
  return row_;
}

}  // namespace yarrow
