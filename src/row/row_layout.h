// The bytes of an encoded row, and where each field lies in them.
//
//   offset  size        what
//   0       1           format, 1
//   1       1           flags: bit 0 deleted, bit 1 wide offsets; the others are 0
//   2       4           schema version, little-endian
//   6       (n+7)/8     null bitmap over the n stored fields: bit i%8 of byte i/8 is 1 when field i is NULL; padding
//   bits 0
//   ...     by type     fixed-width section: the fixed fields in field order, little-endian, unaligned; bool is 0 or 1;
//                       decimal128 is 16 bytes little-endian, uuid its 16 bytes; a NULL field is all zeros
//   ...     2 or 4 x v  end offsets of the v variable fields, little-endian, 2 bytes each (4 with the wide flag),
//   counted from
//                       the first byte after this section; a NULL field has its predecessor's end
//   ...     ...         the bytes of the variable fields; the last end offset is their number, and the row ends there
//
// Any field is found without looking at the others. Frozen: on disk.
//
// The checks below guard against bytes that are no row of the layout: whatever the bytes are, reading them stays in
// bounds and gives values of the right types. A flipped bit inside a payload that gives another legal value cannot be
// seen here; RocksDB's block checksums cover those.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "yarrow/value.h"

namespace yarrow {

inline constexpr uint8_t kRowFormat = 1;
inline constexpr uint8_t kRowDeleted = 1 << 0;
inline constexpr uint8_t kRowWideOffsets = 1 << 1;
inline constexpr size_t kRowHeaderSize = 6;
inline constexpr size_t kMaxFields = 1 << 20;
inline constexpr size_t kMaxRowSize = (size_t{1} << 31) - 1;

// Tests the deleted bit on the encoded bytes. REQUIRES: row.size() >= 2.
inline bool IsDeletedRow(std::string_view row) {
  return (static_cast<uint8_t>(row[1]) & kRowDeleted) != 0;
}

// Where the fields of one schema version lie. Immutable, thread-safe.
class RowLayout {
 public:
  RowLayout() = default;
  // CapacityError for more than kMaxFields fields; Invalid for a type whose parameters are out of range.
  static arrow::Result<RowLayout> Make(uint32_t schema_version, std::vector<ColumnType> fields);

  uint32_t schema_version() const { return schema_version_; }
  size_t field_count() const { return fields_.size(); }
  const ColumnType& type(size_t field) const { return fields_[field]; }
  bool is_variable(size_t field) const { return fields_[field].is_variable(); }
  // Absolute byte offset of a fixed field. REQUIRES: !is_variable(field).
  uint32_t fixed_offset(size_t field) const { return places_[field]; }
  // Number of a variable field among the variable ones. REQUIRES: is_variable(field).
  uint32_t variable_index(size_t field) const { return places_[field]; }
  uint32_t variable_count() const { return variable_count_; }
  // Absolute offset of the end-offsets section.
  uint32_t offsets_start() const { return offsets_start_; }
  // Least size of a row, by flags.
  uint32_t min_size(uint8_t flags) const {
    return offsets_start_ + (variable_count_ << ((flags & kRowWideOffsets) != 0 ? 2 : 1));
  }

 private:
  uint32_t schema_version_ = 0;
  std::vector<ColumnType> fields_;
  std::vector<uint32_t> places_;
  uint32_t variable_count_ = 0;
  uint32_t offsets_start_ = 0;
};

// The schema version an encoded row says it has, or Invalid when the header itself is damaged (too short, unknown
// format or flags).
arrow::Result<uint32_t> RowSchemaVersion(std::string_view row);

// Checks header, size, padding, NULL fields' zeros, bool bytes, decimals' digits, times within a day, order and end of
// the offsets, UTF-8 of text: after it, every access is in bounds. Says what is wrong and where.
arrow::Status ValidateRow(const RowLayout& layout, std::string_view row);

// The part of it that a scan pays for each row (header, version, least size, last end offset == size): enough for every
// fixed field and the last offset to be in bounds; single variable fields are checked as they are read.
inline bool CheckRowShape(const RowLayout& layout, std::string_view row);

// One field of an encoded row whose shape was checked.
inline bool IsNullField(std::string_view row, size_t field) {
  return (static_cast<uint8_t>(row[kRowHeaderSize + field / 8]) >> (field % 8)) & 1;
}

// Sets `out` to the bytes of a variable field; false when its offsets are damaged (out of order or bounds).
// REQUIRES: CheckRowShape(layout, row), layout.is_variable(field).
inline bool VariableField(const RowLayout& layout, std::string_view row, size_t field, std::string_view* out);

// The field's value in the exact form of its type, or Invalid when its bytes are none. REQUIRES: CheckRowShape(layout,
// row).
arrow::Result<Value> ReadField(const RowLayout& layout, std::string_view row, size_t field);

// Writes one row after the other; reuses its buffers. Not thread-safe.
class RowWriter {
 public:
  explicit RowWriter(const RowLayout* layout);  // which must outlive it
  void Reset();                                 // all fields NULL
  // REQUIRES: sizes and kinds as the layout says; each field set at most once after Reset, in any order.
  void SetFixed(size_t field, const void* little_endian_bytes);
  void SetVariable(size_t field, std::string_view bytes);
  arrow::Status Set(size_t field, const Value& value);  // exact form of the field's type
  // Replaces `out`. CapacityError when the row has 2 GiB or more.
  arrow::Status Finish(bool deleted, std::string* out);

 private:
  void MarkNotNull(size_t field);

  struct Span {
    size_t start = 0;  // in bytes_
    size_t size = 0;
  };

  const RowLayout* layout_;
  std::string blank_;        // header, bitmap with every field NULL, fixed section of zeros
  std::string head_;         // the same, of the current row
  std::string bytes_;        // of the variable fields, in the order in which they were set
  std::vector<Span> spans_;  // one a variable field
  size_t payload_size_ = 0;  // of bytes_, or what it would be in a row that is too large
  uint32_t next_in_order_ = 0;
  bool in_order_ = true;  // bytes_ is in field order
};

// ---- inline

// The end offset at position `index` of a row with these flags. REQUIRES: the row has the layout's least size.
inline uint32_t LoadEndOffset(const RowLayout& layout, std::string_view row, uint8_t flags, uint32_t index) {
  const char* offsets = row.data() + layout.offsets_start();
  if ((flags & kRowWideOffsets) != 0) {
    uint32_t end;
    std::memcpy(&end, offsets + size_t{4} * index, sizeof(end));
    return end;
  }
  uint16_t end;
  std::memcpy(&end, offsets + size_t{2} * index, sizeof(end));
  return end;
}

inline bool CheckRowShape(const RowLayout& layout, std::string_view row) {
  if (row.size() < layout.offsets_start()) return false;  // which is never below the header's size
  const auto format = static_cast<uint8_t>(row[0]);
  const auto flags = static_cast<uint8_t>(row[1]);
  uint32_t version;
  std::memcpy(&version, row.data() + 2, sizeof(version));
  const size_t least = layout.min_size(flags);
  const bool header_ok = (format == kRowFormat) & ((flags & ~(kRowDeleted | kRowWideOffsets)) == 0) &
                         (version == layout.schema_version()) & (row.size() >= least);
  if (!header_ok) return false;
  const uint32_t variable_count = layout.variable_count();
  const size_t payload = variable_count == 0 ? 0 : LoadEndOffset(layout, row, flags, variable_count - 1);
  return payload == row.size() - least;
}

inline bool VariableField(const RowLayout& layout, std::string_view row, size_t field, std::string_view* out) {
  const auto flags = static_cast<uint8_t>(row[1]);
  const uint32_t index = layout.variable_index(field);
  const size_t start = index == 0 ? 0 : LoadEndOffset(layout, row, flags, index - 1);
  const size_t end = LoadEndOffset(layout, row, flags, index);
  const size_t least = layout.min_size(flags);
  if ((start > end) | (end > row.size() - least)) return false;
  *out = std::string_view(row.data() + least + start, end - start);
  return true;
}

}  // namespace yarrow
