#include "store/key_hashes.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace yarrow {

// By their high bits into parts first, which give back what the list took; then part after part is sorted. So there is
// never more than one copy of them.
KeyHashes::KeyHashes(std::deque<uint64_t> hashes) {
  constexpr unsigned kPartBits = 8;
  constexpr size_t kFew = 4096;
  const size_t buckets = std::bit_ceil(std::max<size_t>(hashes.size() / kHashesPerBucket, 2));
  shift_ = 64 - static_cast<unsigned>(std::countr_zero(buckets));
  sorted_.reserve(hashes.size());
  starts_.resize(buckets + 1);
  const bool are_few = hashes.size() <= kFew;
  std::vector<std::deque<uint64_t>> parts(are_few ? 1 : size_t{1} << kPartBits);
  if (are_few) parts.front().swap(hashes);
  for (; !hashes.empty(); hashes.pop_front()) parts[hashes.front() >> (64 - kPartBits)].push_back(hashes.front());
  for (std::deque<uint64_t>& part : parts) {
    const auto begin = sorted_.insert(sorted_.end(), part.begin(), part.end());
    std::deque<uint64_t>().swap(part);
    std::sort(begin, sorted_.end());
  }
  sorted_.erase(std::unique(sorted_.begin(), sorted_.end()), sorted_.end());
  FindStarts();
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
