#include "store/memtable_sample.h"

#include <algorithm>
#include <iterator>
#include <new>

namespace yarrow {

void MemtableSample::Remember(const WriteOp& op, uint64_t sequence) noexcept try {
  if (op.kind == WriteOp::Kind::kAbsent) return;
  std::lock_guard lock(mutex_);
  Entries& entries = partitions_[op.partition_id];
  auto found = entries.find(op.key());
  if (found == entries.end()) found = entries.emplace(op.key(), Entry()).first;
  found->second = {uint64_t{op.key_size} + op.value_size, sequence, op.kind == WriteOp::Kind::kPut};
} catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the sample lacks it
}

void MemtableSample::Drop(uint32_t partition_id, uint64_t sequence) {
  std::lock_guard lock(mutex_);
  std::erase_if(partitions_[partition_id], [&](const auto& entry) { return entry.second.sequence <= sequence; });
}

std::vector<uint64_t> MemtableSample::EstimateBytes(uint32_t partition_id,
                                                    std::span<const std::string_view> cuts) const {
  std::vector<uint64_t> sizes(cuts.size() - 1, 0);
  std::lock_guard lock(mutex_);
  const auto partition = partitions_.find(partition_id);
  if (partition == partitions_.end()) return sizes;
  auto entry = partition->second.lower_bound(cuts[0]);
  for (size_t i = 0; i < sizes.size(); ++i) {
    for (; entry != partition->second.end() && entry->first < cuts[i + 1]; ++entry) {
      sizes[i] += entry->second.bytes * kOneIn;
    }
  }
  return sizes;
}

uint64_t MemtableSample::EstimateEntries(uint32_t partition_id, std::string_view lower, std::string_view upper) const {
  std::lock_guard lock(mutex_);
  const auto partition = partitions_.find(partition_id);
  if (partition == partitions_.end() || lower >= upper) return 0;
  const auto count = std::count_if(partition->second.lower_bound(lower), partition->second.lower_bound(upper),
                                   [](const auto& entry) { return entry.second.is_put; });
  return static_cast<uint64_t>(count) * kOneIn;
}

std::vector<std::string> MemtableSample::KeysWithin(uint32_t partition_id, std::string_view lower,
                                                    std::string_view upper, size_t max_count) const {
  std::lock_guard lock(mutex_);
  const auto partition = partitions_.find(partition_id);
  if (partition == partitions_.end() || lower >= upper) return {};
  const auto first = partition->second.upper_bound(lower);
  const auto last = partition->second.lower_bound(upper);
  const size_t step = static_cast<size_t>(std::distance(first, last)) / max_count + 1;
  std::vector<std::string> keys;
  size_t i = 0;
  for (auto it = first; it != last; ++it, ++i) {
    if (i % step == step / 2) keys.push_back(it->first);
  }
  return keys;
}

}  // namespace yarrow
