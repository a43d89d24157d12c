#include "store/commit_table.h"

#include <algorithm>

namespace yarrow {

namespace {

bool Contains(const WriteRange& range, uint32_t partition_id, std::string_view key) {
  return range.partition_id == partition_id && range.lower <= key && key < range.upper;
}

}  // namespace

void CommitTable::Record(uint64_t key_hash, uint64_t sequence) {
  uint64_t& last = last_commit_.At(key_hash);
  if (last == 0) order_.emplace_back(key_hash, sequence);
  last = std::max(last, sequence);
  newest_ = std::max(newest_, sequence);
}

void CommitTable::RecordRange(const WriteRange& range, uint64_t sequence) {
  range_bytes_ += sizeof(RangeCommit) + range.lower.size() + range.upper.size();
  ranges_.push_back({range, sequence});
  newest_ = std::max(newest_, sequence);
}

uint64_t CommitTable::memory_bytes() const {
  return last_commit_.memory_bytes() + order_.size() * sizeof(order_[0]) + range_bytes_;
}

void CommitTable::EnforceBudget() {
  // The slots of the hash map stay when entries go, so they are counted by entries here: four 16-byte slots each at
  // worst, right after the map has grown.
  constexpr uint64_t kBytesPerPoint = 4 * 16 + sizeof(order_[0]);
  while (!order_.empty() && order_.size() * kBytesPerPoint + range_bytes_ > budget_bytes_) {
    const uint64_t evicted = PopPoint();
    floor_ = std::max(floor_, evicted);
  }
  while (!ranges_.empty() && range_bytes_ > budget_bytes_) {
    floor_ = std::max(floor_, ranges_.front().sequence);
    PopRange();
  }
}

void CommitTable::DropUpTo(uint64_t sequence) {
  // Commits are recorded as they resolve, not strictly by sequence: one that sits behind a newer one stays a bit
  // longer.
  while (!order_.empty() && order_.front().second <= sequence) PopPoint();
  while (!ranges_.empty() && ranges_.front().sequence <= sequence) PopRange();
}

void CommitTable::Clear() {
  last_commit_.Clear();
  order_.clear();
  ranges_.clear();
  range_bytes_ = 0;
}

uint64_t CommitTable::PopPoint() {
  const auto [hash, sequence] = order_.front();
  order_.pop_front();
  const uint64_t last = last_commit_.Find(hash);
  if (last == sequence) {
    last_commit_.Erase(hash);
    return sequence;
  }
  order_.emplace_back(hash, last);  // committed again since: its turn comes later
  return 0;
}

void CommitTable::PopRange() {
  const WriteRange& range = ranges_.front().range;
  range_bytes_ -= sizeof(RangeCommit) + range.lower.size() + range.upper.size();
  ranges_.pop_front();
}

uint64_t CommitTable::LastCommit(uint64_t key_hash, uint32_t partition_id, std::string_view key) const {
  uint64_t last = last_commit_.Find(key_hash);
  for (const RangeCommit& commit : ranges_) {
    if (commit.sequence > last && Contains(commit.range, partition_id, key)) last = commit.sequence;
  }
  return last;
}

}  // namespace yarrow
