#include "store/key_hashes.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace yarrow {

KeyHashes::KeyHashes(std::vector<uint64_t> hashes) : sorted_(std::move(hashes)) {
  std::ranges::sort(sorted_);
  const auto repeated = std::ranges::unique(sorted_);
  sorted_.erase(repeated.begin(), repeated.end());
  const size_t buckets = std::bit_ceil(std::max<size_t>(sorted_.size() / kHashesPerBucket, 2));
  shift_ = 64 - static_cast<unsigned>(std::countr_zero(buckets));
  starts_.resize(buckets + 1);
  size_t at = 0;
  for (size_t bucket = 0; bucket < buckets; ++bucket) {
    while (at < sorted_.size() && sorted_[at] >> shift_ < bucket) ++at;
    starts_[bucket] = at;
  }
  starts_[buckets] = sorted_.size();
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
