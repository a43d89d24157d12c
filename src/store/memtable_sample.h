// MemtableSample: which keys are in the memtables, roughly.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/write_set.h"

namespace yarrow {

// RocksDB estimates a memtable range from a few steps of a skip list, often several times too high or too low
// (measured: 0 for half of 20,000 rows). So one key in 64, chosen by its hash and hence the same one however often it
// is written, is remembered until its memtable is flushed. Thread-safe.
class MemtableSample {
 public:
  static constexpr uint64_t kOneIn = 64;

  // Notes committed writes. Costs a look at each hash unless a key is chosen.
  void Add(std::span<const WriteOp> ops, std::span<const uint64_t> hashes, uint64_t sequence) {
    for (size_t i = 0; i < hashes.size(); ++i) {
      if (hashes[i] >> 58 == 0) Remember(ops[i], sequence);
    }
  }
  // The memtables of the partition up to `sequence` are files now.
  void Drop(uint32_t partition_id, uint64_t sequence);

  // Estimated bytes of each gap between neighbouring `cuts` (ascending): one figure less than cuts.
  std::vector<uint64_t> EstimateBytes(uint32_t partition_id, std::span<const std::string_view> cuts) const;
  // Estimated keys with a value of [lower, upper).
  uint64_t EstimateEntries(uint32_t partition_id, std::string_view lower, std::string_view upper) const;
  // At most `max_count` sampled keys strictly within (lower, upper), evenly chosen, ascending.
  std::vector<std::string> KeysWithin(uint32_t partition_id, std::string_view lower, std::string_view upper,
                                      size_t max_count) const;

 private:
  struct Entry {
    uint64_t bytes = 0;
    uint64_t sequence = 0;
    bool is_put = false;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  void Remember(const WriteOp& op, uint64_t sequence) noexcept;

  mutable std::mutex mutex_;
  std::map<uint32_t, Entries> partitions_;
};

}  // namespace yarrow
