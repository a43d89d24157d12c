#include "flush/change_recorder.h"

#include <algorithm>
#include <new>
#include <utility>

#include "store/store_commits.h"

namespace yarrow::flush {

ChangeRecorder::ChangeRecorder(std::shared_ptr<Store> store, Partition partition, KeyRange range)
    : store_(std::move(store)), partition_id_(partition.id()), range_(std::move(range)) {
  store_->commits().AddListener(this);
}

ChangeRecorder::~ChangeRecorder() {
  store_->commits().RemoveListener(this);
}

bool ChangeRecorder::IsMine(uint32_t partition_id, std::string_view key) const {
  return partition_id == partition_id_ && range_.Contains(key);
}

void ChangeRecorder::OnAnnounce(const CommitView& commit) noexcept {
  std::lock_guard lock(mutex_);
  try {
    Announce(commit);
  } catch (const std::bad_alloc&) {
    is_lost_ = true;
  }
}

void ChangeRecorder::Announce(const CommitView& commit) {
  for (const WriteOp& op : commit.ops()) {
    if (IsMine(op.partition_id, op.key())) ++changed_[std::string(op.key())].in_flight;
  }
  for (const WriteRange& range : commit.ranges()) {
    const bool overlaps = range.lower < range_.upper && range_.lower < range.upper;
    if (range.partition_id == partition_id_ && overlaps) ranges_.push_back({&commit, {range.lower, range.upper}});
  }
}

void ChangeRecorder::OnResolve(const CommitView& commit, const CommitOutcome& outcome) noexcept {
  std::lock_guard lock(mutex_);
  for (const WriteOp& op : commit.ops()) {
    if (!IsMine(op.partition_id, op.key())) continue;
    const auto at = changed_.find(op.key());
    if (at == changed_.end()) continue;  // announced before this was made, or a second time in one batch
    if (at->second.in_flight > 0) --at->second.in_flight;
    if (outcome.committed) at->second.last = std::max(at->second.last, outcome.last_sequence);
  }
  if (!outcome.committed) {
    std::erase_if(ranges_, [&](const RangeChange& change) { return change.commit == &commit; });
    return;
  }
  for (RangeChange& change : ranges_) {
    if (change.commit == &commit) change = {nullptr, std::move(change.range), outcome.last_sequence};
  }
}

arrow::Result<std::vector<std::string>> ChangeRecorder::Take(uint64_t sequence) {
  std::lock_guard lock(mutex_);
  if (is_lost_) return arrow::Status::OutOfMemory("no memory to note what is written while rows move");
  std::vector<std::string> keys;
  for (const auto& [key, changes] : changed_) {
    if (changes.in_flight > 0 || changes.last > sequence) keys.push_back(key);
  }
  std::erase_if(changed_, [](const auto& entry) { return entry.second.in_flight == 0; });
  return keys;
}

bool ChangeRecorder::IsTouched(const KeyRange& range, uint64_t sequence) const {
  std::lock_guard lock(mutex_);
  return std::ranges::any_of(ranges_, [&](const RangeChange& change) {
    return change.last > sequence && change.range.lower < range.upper && range.lower < change.range.upper;
  });
}

}  // namespace yarrow::flush
