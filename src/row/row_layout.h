// The bytes of an encoded row, and where each field lies in them.
//
//   offset  size        what
//   0       1           format, 1
//   1       1           flags: bit 0 deleted, bit 1 wide offsets; the others are 0
//   2       4           schema version, little-endian
//   6       (n+7)/8     null bitmap over the n stored fields: bit i%8 of byte i/8 is 1 when field i is NULL; padding bits 0
//   ...     by type     fixed-width section: the fixed fields in field order, little-endian, unaligned; bool is 0 or 1;
//                       decimal128 is 16 bytes little-endian, uuid its 16 bytes; a NULL field is all zeros
//   ...     2 or 4 x v  end offsets of the v variable fields, little-endian, 2 bytes each (4 with the wide flag), counted from
//                       the first byte after this section; a NULL field has its predecessor's end
//   ...     ...         the bytes of the variable fields; the last end offset is their number, and the row ends there
//
// Any field is found without looking at the others. Frozen: on disk.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "yarrow/value.h"

namespace yarrow {

inline constexpr uint8_t kRowFormat = 1;
inline constexpr uint8_t kRowDeleted = 1 << 0;
inline constexpr uint8_t kRowWideOffsets = 1 << 1;
inline constexpr size_t kRowHeaderSize = 6;

// Tests the deleted bit on the encoded bytes. REQUIRES: row.size() >= 2.
inline bool IsDeletedRow(std::string_view row) { return (static_cast<uint8_t>(row[1]) & kRowDeleted) != 0; }

// Where the fields of one schema version lie. Immutable, thread-safe.
class RowLayout {
 public:
  RowLayout() = default;
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
  uint32_t min_size(uint8_t flags) const { return offsets_start_ + variable_count_ * (flags & kRowWideOffsets ? 4 : 2); }

 private:
  uint32_t schema_version_ = 0;
  std::vector<ColumnType> fields_;
  std::vector<uint32_t> places_;
  uint32_t variable_count_ = 0;
  uint32_t offsets_start_ = 0;
};

// The schema version an encoded row says it has, or Invalid when the header itself is damaged (too short, unknown format
// or flags).
arrow::Result<uint32_t> RowSchemaVersion(std::string_view row);

// Checks header, size, padding, NULL fields' zeros, bool bytes, order and end of the offsets, UTF-8 of text: after it, every
// access is in bounds. Says what is wrong and where.
arrow::Status ValidateRow(const RowLayout& layout, std::string_view row);
// The part of it that a scan pays for each row (header, version, least size, last end offset == size): enough for every
// fixed field and the last offset to be in bounds; single variable fields are checked as they are read. Inline, hot.
bool CheckRowShape(const RowLayout& layout, std::string_view row);

// One field of an encoded row whose shape was checked.
inline bool IsNullField(std::string_view row, size_t field) {
  return (static_cast<uint8_t>(row[kRowHeaderSize + field / 8]) >> (field % 8)) & 1;
}
// Sets `out` to the bytes of a variable field; false when its offsets are damaged (out of order or bounds).
bool VariableField(const RowLayout& layout, std::string_view row, size_t field, std::string_view* out);
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
  const RowLayout* layout_;
  std::string head_;  // header, bitmap, fixed section
  std::vector<std::string> variable_;
};

}  // namespace yarrow
