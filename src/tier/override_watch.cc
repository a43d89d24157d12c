#include "tier/override_watch.h"

#include <algorithm>
#include <new>
#include <utility>

#include "cold/segment_key.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "store/store_commits.h"

namespace yarrow {
namespace {

const KeyRange& AllOverrides() {
  static const KeyRange range = PrefixRange(RecordPrefix(RecordKind::kOverride));
  return range;
}

}  // namespace

OverrideWatch::OverrideWatch(std::shared_ptr<Store> store, Partition rows)
    : store_(std::move(store)), partition_id_(rows.id()) {
  store_->commits().AddListener(this);
}

OverrideWatch::~OverrideWatch() {
  store_->commits().RemoveListener(this);
}

std::optional<uint64_t> OverrideWatch::VersionAt(std::string_view prefix, uint64_t sequence) const {
  std::lock_guard lock(mutex_);
  const auto at = of_segment_.find(prefix);
  const Changes own = at == of_segment_.end() ? Changes() : at->second;
  if (is_lost_ || own.announced != own.resolved || of_all_.announced != of_all_.resolved) return std::nullopt;
  if (std::max(own.last, of_all_.last) > sequence) return std::nullopt;
  return own.announced + of_all_.announced;
}

OverrideWatch::Changes& OverrideWatch::ChangesOf(std::string_view prefix) {
  const auto at = of_segment_.find(prefix);
  return at == of_segment_.end() ? of_segment_[std::string(prefix)] : at->second;
}

template <class Use>
void OverrideWatch::ForEach(const CommitView& commit, const Use& use) {
  const size_t prefix_size = cold::OverridePrefix(0, 0).size();
  for (const WriteOp& op : commit.ops()) {
    if (op.partition_id != partition_id_ || !AllOverrides().Contains(op.key())) continue;
    use(ChangesOf(op.key().substr(0, prefix_size)));
  }
  for (const WriteRange& range : commit.ranges()) {
    if (range.partition_id != partition_id_) continue;
    const bool overlaps =
        range.lower < AllOverrides().upper && (range.upper.empty() || AllOverrides().lower < range.upper);
    if (!overlaps) continue;
    const std::string_view prefix = std::string_view(range.lower).substr(0, prefix_size);
    const bool of_one = prefix.size() == prefix_size && range.upper.starts_with(prefix);
    use(of_one ? ChangesOf(prefix) : of_all_);
  }
}

template <class Use>
void OverrideWatch::Note(const CommitView& commit, const Use& use) noexcept {
  std::lock_guard lock(mutex_);
  try {
    ForEach(commit, use);
  } catch (const std::bad_alloc&) {
    is_lost_ = true;
  }
}

void OverrideWatch::OnAnnounce(const CommitView& commit) noexcept {
  Note(commit, [](Changes& changes) { ++changes.announced; });
}

void OverrideWatch::OnResolve(const CommitView& commit, const CommitOutcome& outcome) noexcept {
  Note(commit, [&](Changes& changes) {
    ++changes.resolved;
    if (outcome.committed) changes.last = std::max(changes.last, outcome.last_sequence);
  });
}

}  // namespace yarrow
