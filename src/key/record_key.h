// The one key space of a database: what kind of record a key belongs to, and to which table or index.
//
// Key = kind (1 byte), object id (4 bytes big-endian), then for user tables the user id (a text key part), then the key
// columns. Frozen: on disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace yarrow {

// Never renumber, never reuse.
enum class RecordKind : uint8_t {
  kRow = 2,
  kIndexEntry = 3,
  kManifest = 4,
  kOverride = 5,
  kJob = 6,
  kSetting = 7,
  kKeyFilter = 8,
  kDeletedFile = 9,
};

inline constexpr size_t kRecordPrefixSize = 5;

std::string RecordPrefix(RecordKind kind, uint32_t object_id);
// Of all objects.
std::string RecordPrefix(RecordKind kind);
// The object id in a key. 0 (no object has it) for a key too short to have one.
uint32_t RecordObjectId(std::string_view key);
// The prefix of one user's rows in a user table, or of their entries in an index of it.
std::string UserRecordPrefix(RecordKind kind, uint32_t object_id, std::string_view user_id);

}  // namespace yarrow
