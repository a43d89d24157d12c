// The runs a WriteSet is made of: one open run that is appended to, and sealed runs, sorted and immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/write_set.h"

namespace yarrow {

// Order of ops in a sealed run.
inline int CompareOpKeys(uint32_t a_partition, std::string_view a_key, uint32_t b_partition, std::string_view b_key) {
  if (a_partition != b_partition) return a_partition < b_partition ? -1 : 1;
  return a_key.compare(b_key);
}
inline int CompareOps(const WriteOp& a, const WriteOp& b) {
  return CompareOpKeys(a.partition_id, a.key(), b.partition_id, b.key());
}

// Bytes that stay where they are; freed together.
class ByteArena {
 public:
  // Copies key and value, one behind the other, and returns an op that points to the copies.
  WriteOp Store(uint32_t partition_id, WriteOp::Kind kind, std::string_view key, std::string_view value);
  void Reserve(size_t bytes);

 private:
  char* Allocate(size_t bytes);

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t block_bytes_ = 256;  // of the next block
};

// Sorted by (partition, key), no key twice. Immutable once made.
class WriteRun {
 public:
  WriteRun(ByteArena arena, std::vector<WriteOp> ops);

  // The newer op of a key wins.
  static std::shared_ptr<const WriteRun> Merge(const WriteRun& older, const WriteRun& newer);

  const std::vector<WriteOp>& ops() const { return ops_; }
  uint64_t byte_size() const { return byte_size_; }

  // Index of the first op at or after (partition, key).
  size_t LowerBound(uint32_t partition_id, std::string_view key) const;
  // Index behind the last op of the partition.
  size_t PartitionEnd(uint32_t partition_id) const;
  const WriteOp* Find(uint32_t partition_id, std::string_view key) const;

 private:
  ByteArena arena_;
  std::vector<WriteOp> ops_;
  uint64_t byte_size_ = 0;
};

// Ops in the order they were made.
class OpenRun {
 public:
  void Append(uint32_t partition_id, WriteOp::Kind kind, std::string_view key, std::string_view value);
  // The latest op of the key. Indexes the run at first use.
  const WriteOp* Find(uint32_t partition_id, std::string_view key);

  const std::vector<WriteOp>& ops() const { return ops_; }
  uint64_t byte_size() const { return byte_size_; }

  // Sorts and drops overwritten ops; leaves this run empty.
  std::shared_ptr<const WriteRun> Seal();

 private:
  ByteArena arena_;
  std::vector<WriteOp> ops_;
  uint64_t byte_size_ = 0;
  std::unordered_multimap<uint64_t, size_t> index_;  // hash of the key -> position in ops_
  size_t indexed_ = 0;                               // ops_ below this are in index_
};

// Sorts by (partition, key) and keeps the last op of each key.
void SortAndDeduplicate(std::vector<WriteOp>* ops);

// 64-bit hash of a key of a partition; the same within a process, never stored.
inline uint64_t HashKey(uint32_t partition_id, std::string_view key) {
  const uint64_t hash = std::hash<std::string_view>{}(key) ^ (partition_id * 0x9e3779b97f4a7c15ull);
  return hash * 0xff51afd7ed558ccdull ^ hash >> 32;
}

}  // namespace yarrow
