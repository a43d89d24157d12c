// ChunkHashes: the size and hash of every column chunk of a file, as its footer carries them under the key
// "yarrow.chunk_hashes".
//
// Text: for each row group, for each column, in order: the chunk's bytes as 8 and its Hash64 as 16 lower-case hex
// digits. Chunks follow one another without gaps from byte 4 of the file. Frozen: on disk. A plain value.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yarrow::cold {

// Some bytes of a file, and what they hash to.
struct HashedBytes {
  uint64_t offset = 0;  // from where is said beside it
  uint64_t bytes = 0;
  uint64_t hash = 0;  // Hash64
};

class ChunkHashes {
 public:
  static constexpr const char* kMetadataKey = "yarrow.chunk_hashes";

  using Chunk = HashedBytes;  // offset in the file

  void Add(uint64_t bytes, uint64_t hash);
  const std::vector<Chunk>& chunks() const { return chunks_; }
  // Where the last chunk ends.
  uint64_t end() const { return chunks_.empty() ? kFirstOffset : chunks_.back().offset + chunks_.back().bytes; }

  std::string Encode() const;
  static arrow::Result<ChunkHashes> Decode(std::string_view text);

 private:
  static constexpr uint64_t kFirstOffset = 4;  // behind Parquet's magic bytes
  std::vector<Chunk> chunks_;
};

}  // namespace yarrow::cold
