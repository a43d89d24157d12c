#include "tier/new_segments.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "cold/segment_lookup.h"
#include "store/home_process.h"

namespace yarrow {

using arrow::Status;

UncommittedSegment::~UncommittedSegment() {
  if (is_kept_ || !HomeProcess::IsHome()) return;
  ARROW_UNUSED(tier_->files->Remove(path_));
}

NewSegments::NewSegments(Partition rows, uint32_t table_id, std::shared_ptr<const RowSchema> row_schema,
                         std::string key_prefix, KeySummary keys, std::vector<Made> made)
    : ExternalRun(rows, std::move(keys)),
      table_id_(table_id),
      row_schema_(std::move(row_schema)),
      key_prefix_(std::move(key_prefix)),
      made_(std::move(made)) {}

ColdSegments NewSegments::segments() const {
  ColdSegments segments;
  for (const Made& made : made_) segments.push_back(made.segment);
  return segments;
}

uint64_t NewSegments::rows() const {
  return std::accumulate(made_.begin(), made_.end(), uint64_t{0},
                         [](uint64_t sum, const Made& made) { return sum + made.segment->info().rows; });
}

uint64_t NewSegments::file_bytes() const {
  return std::accumulate(made_.begin(), made_.end(), uint64_t{0},
                         [](uint64_t sum, const Made& made) { return sum + made.segment->info().bytes; });
}

void NewSegments::AddManifestEntries(WriteSet* writes) const {
  for (const Made& made : made_) made.segment->AddManifestEntry(*made.key_filter, writes);
}

void NewSegments::Keep() const {
  for (const Made& made : made_) {
    made.file->Keep();
    made.segment->SetNew(false);
  }
}

arrow::Result<std::optional<std::string>> NewSegments::FindKey(
    const std::function<bool(std::string_view key)>& is_it) const {
  std::string key;
  for (const Made& made : made_) {
    ARROW_ASSIGN_OR_RAISE(const auto lookup, made.segment->Lookup(row_schema_, key_prefix_));
    for (size_t page = 0; page < lookup->segment()->pages().size(); ++page) {
      ARROW_ASSIGN_OR_RAISE(const auto keys, lookup->ReadKeys(page));
      for (int64_t row = 0; row < keys.rows(); ++row) {
        ARROW_RETURN_NOT_OK(keys.Encode(row, &key));
        if (is_it(key)) return key;
      }
    }
  }
  return std::nullopt;
}

std::vector<std::shared_ptr<const NewSegments>> NewSegmentsOf(uint32_t table_id, const WriteSet::View& writes) {
  std::vector<std::shared_ptr<const NewSegments>> found;
  for (const auto& run : writes.ExternalRuns()) {
    auto segments = std::dynamic_pointer_cast<const NewSegments>(run);
    if (segments != nullptr && segments->table_id() == table_id) found.push_back(std::move(segments));
  }
  return found;
}

std::set<cold::SegmentId> NewSegmentIdsOf(uint32_t table_id, const WriteSet::View& writes) {
  std::set<cold::SegmentId> ids;
  for (const auto& run : NewSegmentsOf(table_id, writes)) {
    for (const auto& segment : run->segments()) ids.insert(segment->key().segment_id);
  }
  return ids;
}

}  // namespace yarrow
