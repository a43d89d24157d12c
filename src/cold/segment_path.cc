#include "cold/segment_path.h"

#include <charconv>

#include "cold/sha256.h"

namespace yarrow::cold {
namespace {

constexpr std::string_view kSuffix = ".parquet";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr size_t kDigits = 20;
constexpr size_t kMaxUserName = 200;
constexpr size_t kKeptOfLongUserName = 100;

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::filesystem::path TableFolder(uint32_t table_id) {
  return std::filesystem::path(kColdFolder) / std::to_string(table_id);
}

std::string UserFolderName(std::string_view user_id) {
  constexpr char kUpperHexDigits[] = "0123456789ABCDEF";
  std::string name;
  for (const char c : user_id) {
    const auto byte = static_cast<uint8_t>(c);
    if (IsPlain(c)) {
      name += c;
    } else {
      name += {'%', kUpperHexDigits[byte >> 4], kUpperHexDigits[byte & 15]};
    }
  }
  if (name.size() > kMaxUserName) name = name.substr(0, kKeptOfLongUserName) + '~' + ToHex(Sha256Of(user_id));
  return "u-" + name;
}

std::filesystem::path SegmentPath(const ManifestKey& key) {
  const std::filesystem::path folder = TableFolder(key.table_id);
  const std::string name = SegmentFileName(key.segment_id);
  return key.user_id.has_value() ? folder / UserFolderName(*key.user_id) / name : folder / name;
}

bool IsFolderName(std::string_view name) {
  return name.starts_with("u-") || name.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string SegmentFileName(SegmentId segment_id) {
  std::string digits = std::to_string(segment_id);
  return std::string(kDigits - digits.size(), '0').append(digits).append(kSuffix);
}

std::optional<SegmentId> ParseSegmentFileName(std::string_view name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  SegmentId id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, id);
  if (error != std::errc() || end != name.data() + kDigits) return std::nullopt;
  return id;
}

std::filesystem::path TemporaryPath(const std::filesystem::path& path) {
  return path.parent_path() / ("." + path.filename().string() + std::string(kTemporarySuffix));
}

bool IsTemporaryName(std::string_view name) {
  return name.starts_with('.') && name.ends_with(kTemporarySuffix);
}

}  // namespace yarrow::cold
