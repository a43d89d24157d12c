#include "key/record_key.h"

#include "key/key_bytes.h"

namespace yarrow {

std::string RecordPrefix(RecordKind kind) {
  return std::string(1, static_cast<char>(kind));
}

std::string RecordPrefix(RecordKind kind, uint32_t object_id) {
  std::string prefix(1, static_cast<char>(kind));
  AppendBigEndian(object_id, &prefix);
  return prefix;
}

uint32_t RecordObjectId(std::string_view key) {
  return key.size() < kRecordPrefixSize ? 0 : LoadBigEndian<uint32_t>(key.data() + 1);
}

std::string UserRecordPrefix(RecordKind kind, uint32_t object_id, std::string_view user_id) {
  std::string prefix = RecordPrefix(kind, object_id);
  AppendEscaped(user_id, &prefix);
  return prefix;
}

}  // namespace yarrow
