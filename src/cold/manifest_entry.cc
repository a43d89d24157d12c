#include "cold/manifest_entry.h"

#include <algorithm>

#include "cold/record_bytes.h"
#include "key/key_codec.h"

namespace yarrow::cold {
namespace {

constexpr uint8_t kManifestFormat = 1;

enum BoundFlags : uint8_t { kHasNan = 1, kMinExact = 2, kMaxExact = 4, kHasMin = 8, kHasMax = 16, kAllFlags = 31 };

void AppendBound(const std::optional<Value>& bound, const ColumnType& type, std::string* out) {
  if (!bound.has_value()) return;
  std::string part;
  // A bound is in the exact form of its type, so that it encodes.
  if (EncodeKeyPart(*bound, {type, false}, &part).ok()) AppendText(part, out);
}

// Whether its numbers do not say all of a type. The coordinate system of a GEOMETRY is nothing of the segment's.
bool HasTypeName(const ColumnType& type) {
  return type.id == TypeId::kEnum || type.is_nested();
}

void AppendColumn(const ColumnStatistics& column, std::string* out) {
  AppendVarint(column.column_id, out);
  AppendLittle(static_cast<uint8_t>(column.type.id), out);
  AppendLittle(static_cast<uint8_t>(column.type.precision), out);
  AppendLittle(static_cast<uint8_t>(column.type.scale), out);
  AppendLittle(static_cast<uint8_t>(column.type.unit), out);
  AppendText(column.type.timezone, out);
  if (HasTypeName(column.type)) AppendText(column.type.ToString(), out);
  AppendVarint(column.null_count, out);
  const int flags = (column.has_nan ? kHasNan : 0) | (column.min_is_exact ? kMinExact : 0) |
                    (column.max_is_exact ? kMaxExact : 0) | (column.min.has_value() ? kHasMin : 0) |
                    (column.max.has_value() ? kHasMax : 0);
  AppendLittle(static_cast<uint8_t>(flags), out);
  AppendBound(column.min, column.type, out);
  AppendBound(column.max, column.type, out);
}

void ReadBound(bool is_there, const ColumnType& type, RecordReader* reader, std::optional<Value>* out) {
  if (!is_there) return;
  std::string_view part = reader->Text();
  auto value = DecodeKeyPart(&part, {type, false});
  if (!value.ok() || !part.empty()) return reader->Fail();
  *out = *std::move(value);
}

ColumnStatistics ReadColumn(RecordReader* reader) {
  ColumnStatistics column;
  column.column_id = static_cast<uint32_t>(reader->Varint());
  column.type.id = static_cast<TypeId>(reader->Little<uint8_t>());
  column.type.precision = reader->Little<uint8_t>();
  column.type.scale = reader->Little<uint8_t>();
  column.type.unit = static_cast<TimeUnit>(reader->Little<uint8_t>());
  column.type.timezone = reader->Text();
  if (HasTypeName(column.type)) {
    const auto type = ColumnType::Parse(reader->Text());
    if (type.ok()) column.type = *type;  // else it is not valid
  }
  column.null_count = reader->Varint();
  const auto flags = reader->Little<uint8_t>();
  if (!reader->ok() || !column.type.Validate().ok() || (flags & ~kAllFlags) != 0) {
    reader->Fail();
    return column;
  }
  column.has_nan = (flags & kHasNan) != 0;
  column.min_is_exact = (flags & kMinExact) != 0;
  column.max_is_exact = (flags & kMaxExact) != 0;
  ReadBound((flags & kHasMin) != 0, column.type, reader, &column.min);
  ReadBound((flags & kHasMax) != 0, column.type, reader, &column.max);
  return column;
}

void ReadRowGroups(RecordReader* reader, SegmentInfo* info) {
  uint64_t first_row = 0;
  for (uint64_t left = reader->Count(2); left > 0 && reader->ok(); --left) {
    RowGroupInfo group;
    group.first_row = first_row;
    group.rows = reader->Varint();
    group.first_key = reader->Text();
    first_row += group.rows;
    if (group.rows == 0) reader->Fail();
    if (!info->row_groups.empty() && group.first_key <= info->row_groups.back().first_key) reader->Fail();
    info->row_groups.push_back(std::move(group));
  }
  info->last_key = reader->Text();
  if (info->row_groups.empty() || first_row != info->rows) return reader->Fail();
  if (info->last_key < info->row_groups.back().first_key) reader->Fail();
}

}  // namespace

std::optional<size_t> SegmentInfo::FindRowGroup(std::string_view key) const {
  const auto after = std::ranges::upper_bound(row_groups, key, {}, &RowGroupInfo::first_key);
  if (after == row_groups.begin() || key > last_key) return std::nullopt;
  return static_cast<size_t>(after - row_groups.begin()) - 1;
}

const ColumnStatistics* SegmentInfo::FindColumn(uint32_t column_id) const {
  const auto found = std::ranges::find(columns, column_id, &ColumnStatistics::column_id);
  return found == columns.end() ? nullptr : &*found;
}

std::string EncodeManifestEntry(const ManifestEntry& entry) {
  const SegmentInfo& info = entry.info;
  std::string stored;
  AppendLittle(kManifestFormat, &stored);
  AppendLittle(static_cast<uint8_t>(info.layout), &stored);
  AppendLittle(info.schema_version, &stored);
  AppendLittle(entry.level, &stored);
  AppendLittle(info.rows, &stored);
  AppendLittle(info.bytes, &stored);
  stored.append(reinterpret_cast<const char*>(info.sha256.data()), info.sha256.size());
  AppendLittle(info.footer_bytes, &stored);
  AppendLittle(info.footer_hash, &stored);
  AppendVarint(info.row_groups.size(), &stored);
  for (const RowGroupInfo& group : info.row_groups) {
    AppendVarint(group.rows, &stored);
    AppendText(group.first_key, &stored);
  }
  AppendText(info.last_key, &stored);
  AppendVarint(info.columns.size(), &stored);
  for (const ColumnStatistics& column : info.columns) AppendColumn(column, &stored);
  Seal(&stored);
  return stored;
}

arrow::Result<ManifestEntry> DecodeManifestEntry(SegmentId segment_id, std::string_view stored) {
  const std::string what = "the manifest entry of segment " + std::to_string(segment_id);
  ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, Unseal(stored, what));
  RecordReader reader(bytes);
  const auto format = reader.Little<uint8_t>();
  if (format != kManifestFormat) {
    return arrow::Status::Invalid(what, " has the unknown format ", static_cast<int>(format),
                                  ": was it written by a newer version?");
  }
  ManifestEntry entry;
  entry.segment_id = segment_id;
  SegmentInfo& info = entry.info;
  info.layout = static_cast<SegmentLayout>(reader.Little<uint8_t>());
  info.schema_version = reader.Little<uint32_t>();
  entry.level = reader.Little<uint32_t>();
  info.rows = reader.Little<uint64_t>();
  info.bytes = reader.Little<uint64_t>();
  const std::string_view digest = reader.Take(info.sha256.size());
  std::ranges::copy(digest, reinterpret_cast<char*>(info.sha256.data()));
  info.footer_bytes = reader.Little<uint32_t>();
  info.footer_hash = reader.Little<uint64_t>();
  ReadRowGroups(&reader, &info);
  for (uint64_t left = reader.Count(8); left > 0 && reader.ok(); --left) info.columns.push_back(ReadColumn(&reader));
  const bool layout_is_known = info.layout == SegmentLayout::kScan || info.layout == SegmentLayout::kLookup;
  if (!reader.ok() || !reader.rest().empty() || !layout_is_known || info.footer_bytes > info.bytes) {
    return arrow::Status::Invalid(what, " is damaged: its fields do not fit its ", stored.size(), " bytes");
  }
  return entry;
}

}  // namespace yarrow::cold
