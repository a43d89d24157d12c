#include "cold/segment_key.h"

#include "key/key_bytes.h"
#include "key/record_key.h"
#include "yarrow/codec.h"

namespace yarrow::cold {
namespace {

constexpr size_t kIdSize = sizeof(uint64_t);

bool HasKind(std::string_view key, RecordKind kind) {
  return key.size() >= kRecordPrefixSize && static_cast<RecordKind>(key[0]) == kind;
}

}  // namespace

std::string ManifestPrefix(uint32_t table_id) {
  return RecordPrefix(RecordKind::kManifest, table_id);
}

std::string ManifestPrefix(uint32_t table_id, std::string_view user_id) {
  std::string prefix = ManifestPrefix(table_id);
  AppendEscaped(user_id, &prefix);
  return prefix;
}

std::string EncodeManifestKey(const ManifestKey& key) {
  std::string bytes =
      key.user_id.has_value() ? ManifestPrefix(key.table_id, *key.user_id) : ManifestPrefix(key.table_id);
  AppendBigEndian(key.segment_id, &bytes);
  return bytes;
}

arrow::Result<ManifestKey> DecodeManifestKey(std::string_view key) {
  const auto refuse = [key] { return arrow::Status::Invalid("not the key of a manifest entry: ", FormatKey(key)); };
  if (!HasKind(key, RecordKind::kManifest) || key.size() < kRecordPrefixSize + kIdSize) return refuse();
  ManifestKey decoded;
  decoded.table_id = RecordObjectId(key);
  decoded.segment_id = LoadBigEndian<uint64_t>(key.data() + key.size() - kIdSize);
  const std::string_view user = key.substr(kRecordPrefixSize, key.size() - kRecordPrefixSize - kIdSize);
  if (!user.empty()) {
    if (EscapedSize(user) != user.size()) return refuse();
    decoded.user_id = Unescape(user);
  }
  return decoded;
}

std::string KeyFilterPrefix(uint32_t table_id) {
  return RecordPrefix(RecordKind::kKeyFilter, table_id);
}

std::string EncodeKeyFilterKey(uint32_t table_id, SegmentId segment_id) {
  std::string bytes = KeyFilterPrefix(table_id);
  AppendBigEndian(segment_id, &bytes);
  return bytes;
}

arrow::Result<ManifestKey> DecodeKeyFilterKey(std::string_view key) {
  if (!HasKind(key, RecordKind::kKeyFilter) || key.size() != kRecordPrefixSize + kIdSize) {
    return arrow::Status::Invalid("not the key of a key filter: ", FormatKey(key));
  }
  return ManifestKey{.table_id = RecordObjectId(key),
                     .user_id = {},
                     .segment_id = LoadBigEndian<uint64_t>(key.data() + kRecordPrefixSize)};
}

std::string OverridePrefix(uint32_t table_id, SegmentId segment_id) {
  std::string prefix = RecordPrefix(RecordKind::kOverride, table_id);
  AppendBigEndian(segment_id, &prefix);
  return prefix;
}

std::string EncodeOverrideKey(const OverrideKey& key) {
  std::string bytes = OverridePrefix(key.table_id, key.segment_id);
  AppendBigEndian(key.position, &bytes);
  return bytes;
}

arrow::Result<OverrideKey> DecodeOverrideKey(std::string_view key) {
  if (!HasKind(key, RecordKind::kOverride) || key.size() != kRecordPrefixSize + 2 * kIdSize) {
    return arrow::Status::Invalid("not the key of an override: ", FormatKey(key));
  }
  const char* ids = key.data() + kRecordPrefixSize;
  return OverrideKey{RecordObjectId(key), LoadBigEndian<uint64_t>(ids), LoadBigEndian<uint64_t>(ids + kIdSize)};
}

}  // namespace yarrow::cold
