#include "store/key_hashes.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace yarrow {

// Each goes to its bucket at once, so that only buckets are left to be sorted.
KeyHashes::KeyHashes(std::deque<uint64_t> hashes) {
  const size_t buckets = std::bit_ceil(std::max<size_t>(hashes.size() / kHashesPerBucket, 2));
  shift_ = 64 - static_cast<unsigned>(std::countr_zero(buckets));
  starts_.resize(buckets + 1);
  for (const uint64_t hash : hashes) ++starts_[(hash >> shift_) + 1];
  for (size_t bucket = 0; bucket < buckets; ++bucket) starts_[bucket + 1] += starts_[bucket];
  sorted_.resize(hashes.size());
  std::vector<size_t> ends = starts_;
  for (; !hashes.empty(); hashes.pop_front()) sorted_[ends[hashes.front() >> shift_]++] = hashes.front();
  for (size_t bucket = 0; bucket < buckets; ++bucket) {
    std::sort(sorted_.begin() + static_cast<std::ptrdiff_t>(starts_[bucket]),
              sorted_.begin() + static_cast<std::ptrdiff_t>(starts_[bucket + 1]));
  }
  const auto repeated = std::ranges::unique(sorted_);
  if (!repeated.empty()) {
    sorted_.erase(repeated.begin(), repeated.end());
    FindStarts();
  }
}

void KeyHashes::FindStarts() {
  size_t at = 0;
  for (size_t bucket = 0; bucket + 1 < starts_.size(); ++bucket) {
    while (at < sorted_.size() && sorted_[at] >> shift_ < bucket) ++at;
    starts_[bucket] = at;
  }
  starts_.back() = sorted_.size();
}

size_t KeyHashes::Find(uint64_t hash) const {
  const size_t bucket = hash >> shift_;
  const size_t end = starts_[bucket + 1];
  for (size_t i = starts_[bucket]; i < end; ++i) {
    if (sorted_[i] >= hash) return sorted_[i] == hash ? i : kNone;
  }
  return kNone;
}

}  // namespace yarrow
