// KeyFilter: tells that a key is not in a segment, without opening the segment's file.
//
// A split-block bloom filter (Putze, Sanders, Singler: "Cache-, Hash- and Space-Efficient Bloom Filters", in the form
// that Parquet's format document BloomFilter.md gives it) over the XXH64 of whole encoded keys. Parquet's own class
// rounds to powers of two, which is up to twice the memory; this one has 10 bits for each key, 1.3 % false
// positives. A lookup touches one block of 32 bytes.
//
// Stored form (the value of a kKeyFilter record). Frozen: on disk.
//   offset  size         what
//   0       4            format, 1, little-endian
//   4       4            number of blocks b, little-endian, at least 1
//   8       8            number of keys, little-endian
//   16      32 x b       blocks: eight little-endian words each
//   ...     8            Hash64 of all bytes before it
//
// Immutable, thread-safe.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace yarrow::cold {

class KeyFilter {
 public:
  static constexpr uint64_t kBitsPerKey = 10;

  // Of a whole encoded key. Hash once, ask any number of filters.
  static uint64_t Hash(std::string_view key);

  // The order of the hashes does not matter.
  static KeyFilter Build(std::span<const uint64_t> hashes);
  // Invalid, naming `what` (of which segment it is), for damaged bytes.
  static arrow::Result<KeyFilter> Decode(std::string stored, std::string_view what);

  // False: no such key is in the segment.
  bool MayContain(uint64_t hash) const;

  uint64_t key_count() const;
  const std::string& stored() const { return stored_; }
  size_t memory_bytes() const { return sizeof(KeyFilter) + stored_.capacity(); }

 private:
  explicit KeyFilter(std::string stored);
  std::string stored_;
  uint32_t block_count_ = 0;
};

}  // namespace yarrow::cold
