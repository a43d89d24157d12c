#include "cold/deleted_file.h"

#include <utility>

#include "cold/record_bytes.h"
#include "key/record_key.h"
#include "yarrow/codec.h"

namespace yarrow::cold {
namespace {

constexpr uint8_t kDeletedFileFormat = 1;

// The two kinds of keys differ in their first byte alone.
std::string WithKind(std::string_view key, RecordKind kind) {
  std::string other(key);
  other[0] = static_cast<char>(kind);
  return other;
}

}  // namespace

std::string EncodeDeletedFileKey(const ManifestKey& key) {
  return WithKind(EncodeManifestKey(key), RecordKind::kDeletedFile);
}

arrow::Result<ManifestKey> DecodeDeletedFileKey(std::string_view key) {
  if (!key.starts_with(DeletedFilePrefix())) {
    return arrow::Status::Invalid("not the key of a deleted file: ", FormatKey(key));
  }
  return DecodeManifestKey(WithKind(key, RecordKind::kManifest));
}

std::string DeletedFilePrefix() {
  return RecordPrefix(RecordKind::kDeletedFile);
}

std::string DeletedFilePrefix(uint32_t table_id) {
  return RecordPrefix(RecordKind::kDeletedFile, table_id);
}

std::string EncodeDeletedFile(int64_t deleted_at) {
  std::string bytes;
  AppendLittle(kDeletedFileFormat, &bytes);
  AppendLittle(deleted_at, &bytes);
  Seal(&bytes);
  return bytes;
}

arrow::Result<int64_t> DecodeDeletedFile(SegmentId segment_id, std::string_view stored) {
  const std::string what = "the record of the deleted file of segment " + std::to_string(segment_id);
  ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, Unseal(stored, what));
  RecordReader reader(bytes);
  const auto format = reader.Little<uint8_t>();
  const auto deleted_at = reader.Little<int64_t>();
  if (format != kDeletedFileFormat) {
    return arrow::Status::Invalid(what, " has the unknown format ", int{format},
                                  ": was it written by a newer version?");
  }
  if (!reader.ok() || !reader.rest().empty()) return arrow::Status::Invalid(what, " is damaged: wrong size");
  return deleted_at;
}

}  // namespace yarrow::cold
