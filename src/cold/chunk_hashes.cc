#include "cold/chunk_hashes.h"

#include "cold/hex_text.h"

namespace yarrow::cold {
namespace {

constexpr size_t kSizeDigits = 8;
constexpr size_t kHashDigits = 16;

}  // namespace

void ChunkHashes::Add(uint64_t bytes, uint64_t hash) {
  chunks_.push_back({end(), bytes, hash});
}

std::string ChunkHashes::Encode() const {
  std::string text;
  for (const Chunk& chunk : chunks_) {
    AppendHex(chunk.bytes, kSizeDigits, &text);
    AppendHex(chunk.hash, kHashDigits, &text);
  }
  return text;
}

arrow::Result<ChunkHashes> ChunkHashes::Decode(std::string_view text) {
  constexpr size_t kDigits = kSizeDigits + kHashDigits;
  ChunkHashes hashes;
  for (; text.size() >= kDigits; text.remove_prefix(kDigits)) {
    uint64_t bytes = 0;
    uint64_t hash = 0;
    if (!ReadHex(text.substr(0, kSizeDigits), &bytes) || !ReadHex(text.substr(kSizeDigits, kHashDigits), &hash)) break;
    hashes.Add(bytes, hash);
  }
  if (!text.empty()) return arrow::Status::Invalid("the hashes of the column chunks are damaged");
  return hashes;
}

}  // namespace yarrow::cold
