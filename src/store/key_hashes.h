// KeyHashes: the hashes of many keys, to be asked for single ones and for what two have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <vector>

namespace yarrow {

// Sorted, each once. Hashes are spread evenly, so the high bits of one say about where it lies: a lookup costs the same
// however many there are. Eight bytes a key and half a byte of index. Immutable, so safe to share between threads.
class KeyHashes {
 public:
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();

  // In any order, and more than once. The list is emptied on the way: what it takes is given back.
  explicit KeyHashes(std::deque<uint64_t> hashes);

  bool Contains(uint64_t hash) const { return Find(hash) != kNone; }
  // Its position among the sorted ones, or kNone.
  size_t Find(uint64_t hash) const;

  size_t size() const { return sorted_.size(); }
  std::span<const uint64_t> sorted() const { return sorted_; }
  uint64_t memory_bytes() const { return sorted_.capacity() * sizeof(uint64_t) + starts_.capacity() * sizeof(size_t); }

 private:
  static constexpr size_t kHashesPerBucket = 16;
  void FindStarts();

  std::vector<uint64_t> sorted_;
  std::vector<size_t> starts_;  // of each bucket in sorted_, and its end behind the last one
  unsigned shift_ = 0;          // of a hash, to its bucket
};

}  // namespace yarrow
