// Keys of the records that the cold tier keeps in RocksDB, in the partition `rows`. Frozen: on disk.
//
//   manifest entry   kind kManifest (1 byte), table id (4, big-endian), in user tables the user id as a text key part,
//                    segment id (8, big-endian)
//   key filter       kind kKeyFilter, table id, segment id (8, big-endian)
//   override         kind kOverride, table id, segment id, position of the row in the segment (8, big-endian);
//                    the value is empty: the entry says that the row is there no more
//
// A segment id is given out once in a table, whoever's rows it holds. Pure functions, thread-safe.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace yarrow::cold {

using SegmentId = uint64_t;

struct ManifestKey {
  uint32_t table_id = 0;
  std::optional<std::string> user_id;  // of user tables
  SegmentId segment_id = 0;
  friend bool operator==(const ManifestKey&, const ManifestKey&) = default;
};
std::string EncodeManifestKey(const ManifestKey& key);
// Invalid, showing the key, when it is none. No table is needed to tell the two kinds apart: a user id has 2 bytes or
// more.
arrow::Result<ManifestKey> DecodeManifestKey(std::string_view key);
// What the manifest keys of a whole table start with, and of one user in it.
std::string ManifestPrefix(uint32_t table_id);
std::string ManifestPrefix(uint32_t table_id, std::string_view user_id);

std::string EncodeKeyFilterKey(uint32_t table_id, SegmentId segment_id);
std::string KeyFilterPrefix(uint32_t table_id);
// Of which segment it is; it does not tell the user.
arrow::Result<ManifestKey> DecodeKeyFilterKey(std::string_view key);

struct OverrideKey {
  uint32_t table_id = 0;
  SegmentId segment_id = 0;
  uint64_t position = 0;
  friend bool operator==(const OverrideKey&, const OverrideKey&) = default;
};
std::string EncodeOverrideKey(const OverrideKey& key);
arrow::Result<OverrideKey> DecodeOverrideKey(std::string_view key);
// What the override keys of one segment start with; they follow in the order of the positions.
std::string OverridePrefix(uint32_t table_id, SegmentId segment_id);

}  // namespace yarrow::cold
