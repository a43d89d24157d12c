#include "cold/key_filter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cold/record_bytes.h"

namespace yarrow::cold {
namespace {

constexpr uint32_t kKeyFilterFormat = 1;
constexpr size_t kHeaderSize = 16;
constexpr size_t kBlockSize = 32;
constexpr size_t kWords = 8;

// Odd numbers of Parquet's definition, one for each word of a block.
constexpr uint32_t kSalts[kWords] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                     0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

size_t BlockOffset(uint64_t hash, uint32_t block_count) {
  return kHeaderSize + kBlockSize * static_cast<size_t>(((hash >> 32) * block_count) >> 32);
}

uint32_t BitOf(uint64_t hash, size_t word) {
  return uint32_t{1} << ((static_cast<uint32_t>(hash) * kSalts[word]) >> 27);
}

}  // namespace

uint64_t KeyFilter::Hash(std::string_view key) {
  return Hash64(key);
}

KeyFilter::KeyFilter(std::string stored) : stored_(std::move(stored)) {
  std::memcpy(&block_count_, stored_.data() + 4, sizeof(block_count_));
}

KeyFilter KeyFilter::Build(std::span<const uint64_t> hashes) {
  constexpr uint64_t kBlockBits = kBlockSize * 8;
  const uint64_t block_count =
      std::clamp<uint64_t>((hashes.size() * kBitsPerKey + kBlockBits - 1) / kBlockBits, 1, UINT32_MAX);
  std::string stored;
  stored.reserve(kHeaderSize + block_count * kBlockSize + sizeof(uint64_t));
  AppendLittle(kKeyFilterFormat, &stored);
  AppendLittle(static_cast<uint32_t>(block_count), &stored);
  AppendLittle(static_cast<uint64_t>(hashes.size()), &stored);
  stored.append(block_count * kBlockSize, '\0');
  for (const uint64_t hash : hashes) {
    char* block = stored.data() + BlockOffset(hash, static_cast<uint32_t>(block_count));
    uint32_t words[kWords];
    std::memcpy(words, block, kBlockSize);
    for (size_t i = 0; i < kWords; ++i) words[i] |= BitOf(hash, i);
    std::memcpy(block, words, kBlockSize);
  }
  Seal(&stored);
  return KeyFilter(std::move(stored));
}

arrow::Result<KeyFilter> KeyFilter::Decode(std::string stored, std::string_view what) {
  ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, Unseal(stored, what));
  RecordReader reader(bytes);
  const auto format = reader.Little<uint32_t>();
  const auto block_count = reader.Little<uint32_t>();
  reader.Little<uint64_t>();
  if (!reader.ok() || format != kKeyFilterFormat) {
    return arrow::Status::Invalid(what, " has the unknown format ", format, ": was it written by a newer version?");
  }
  if (block_count == 0 || reader.rest().size() != block_count * kBlockSize) {
    return arrow::Status::Invalid(what, " is damaged: ", block_count, " blocks in ", reader.rest().size(), " bytes");
  }
  return KeyFilter(std::move(stored));
}

bool KeyFilter::MayContain(uint64_t hash) const {
  uint32_t words[kWords];
  std::memcpy(words, stored_.data() + BlockOffset(hash, block_count_), kBlockSize);
  uint32_t missing = 0;
  for (size_t i = 0; i < kWords; ++i) missing |= ~words[i] & BitOf(hash, i);
  return missing == 0;
}

uint64_t KeyFilter::key_count() const {
  uint64_t count;
  std::memcpy(&count, stored_.data() + 8, sizeof(count));
  return count;
}

}  // namespace yarrow::cold
