// The record of a segment's file that no manifest entry names any more, in the partition `rows`. Frozen: on disk.
//
//   key     kind kDeletedFile (1 byte), then what follows the kind in the segment's manifest key
//   value   format, 1 (1 byte); when it was taken out of the manifest, microseconds since 1970 UTC (8, little-endian);
//           Hash64 of the bytes before it (8)
//
// It is written by the commit that removes the manifest entry, and removed when the file is. So a crash in between
// neither forgets the file nor lets it be taken for one that never was in a manifest. Pure functions, thread-safe.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "cold/segment_key.h"

namespace yarrow::cold {

std::string EncodeDeletedFileKey(const ManifestKey& key);
// Invalid, showing the key, when it is none.
arrow::Result<ManifestKey> DecodeDeletedFileKey(std::string_view key);
// What the keys of all tables start with, and of one.
std::string DeletedFilePrefix();
std::string DeletedFilePrefix(uint32_t table_id);

std::string EncodeDeletedFile(int64_t deleted_at);
// When it was deleted. Invalid, naming the segment, for bytes that are damaged or of a newer version.
arrow::Result<int64_t> DecodeDeletedFile(SegmentId segment_id, std::string_view stored);

}  // namespace yarrow::cold
