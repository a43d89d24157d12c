#include "tier/manifest.h"

#include <utility>

namespace yarrow {

ColdSegments Manifest::In(const KeyRange& range) const {
  ColdSegments segments;
  index.VisitIn(range.lower, range.upper, [&](const auto& segment) {
    segments.push_back(segment);
    return true;
  });
  return segments;
}

std::vector<std::string> Manifest::Users() const {
  std::vector<std::string> users;
  // Their keys begin with the user.
  index.VisitIn({}, {}, [&](const auto& segment) {
    const std::optional<std::string>& user = segment->key().user_id;
    if (user && (users.empty() || users.back() != *user)) users.push_back(*user);
    return true;
  });
  return users;
}

arrow::Result<std::optional<ColdPlace>> FindColdRow(const SegmentIndex& segments, std::string_view key,
                                                    const std::function<FindPosition>& find,
                                                    const std::function<IsDropped>& is_dropped) {
  std::optional<uint64_t> hash;
  std::optional<ColdPlace> found;
  arrow::Status status;
  const auto look = [&](const std::shared_ptr<const ColdSegment>& segment) -> arrow::Status {
    if (!hash) hash = cold::KeyFilter::Hash(key);
    ARROW_ASSIGN_OR_RAISE(const bool possible, segment->MayContain(key, *hash));
    if (!possible) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto position, find(*segment));
    if (!position) return arrow::Status::OK();
    const ColdPlace place{segment, *position};
    ARROW_ASSIGN_OR_RAISE(const bool dropped, is_dropped(place));
    if (!dropped) found = place;
    return arrow::Status::OK();
  };
  segments.VisitAt(key, [&](const auto& segment) {
    status = look(segment);
    return status.ok() && !found;
  });
  ARROW_RETURN_NOT_OK(status);
  return found;
}

arrow::Result<std::optional<ColdPlace>> FindColdRow(const SegmentIndex& segments,
                                                    const std::shared_ptr<const RowSchema>& schema,
                                                    const std::string& key_prefix, std::string_view key,
                                                    const std::function<IsDropped>& is_dropped) {
  const auto find = [&](const ColdSegment& segment) -> arrow::Result<std::optional<uint64_t>> {
    ARROW_ASSIGN_OR_RAISE(const auto lookup, segment.Lookup(schema, key_prefix));
    return lookup->Find(key);
  };
  return FindColdRow(segments, key, find, is_dropped);
}

}  // namespace yarrow
