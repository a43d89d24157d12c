// Order-preserving encoding of composite keys: memcmp order of the bytes is SQL order of the values.
//
// Encoded key = the parts one after the other, without separators. A part is, by type:
//   bool                    1 byte, 0 or 1
//   unsigned integers       big-endian, 1 to 8 bytes
//   signed integers, date32, time64, timestamp
//                           big-endian with the sign bit flipped
//   float, double           the IEEE bits big-endian; negative: all bits flipped, else: sign bit flipped. -0.0 is
//   stored
//                           as 0.0 and every NaN as one positive quiet NaN, which sorts above infinity
//   decimal128              16 bytes big-endian with the sign bit flipped (the scale is the column's)
//   uuid                    its 16 bytes
//   text, binary            the bytes, each 0x00 written as 0x00 0xFF, then the terminator 0x00 0x01
// A nullable part has one byte before it: 0x01 value follows, 0x02 NULL (nothing follows): NULLs sort last.
//
// No part is a prefix of another of the same type, so the encoding of the first n parts is a prefix range of keys.
// Frozen: on disk. Thread-safe: immutable after Make.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "yarrow/value.h"

namespace yarrow {

// The byte before the value of a nullable part, and in the place of a NULL.
inline constexpr char kValueFollows = '\x01';
inline constexpr char kNullPart = '\x02';

struct KeyPart {
  ColumnType type;
  bool nullable = false;
};

class KeyCodec {
 public:
  KeyCodec() = default;
  static arrow::Result<KeyCodec> Make(std::vector<KeyPart> parts);

  const std::vector<KeyPart>& parts() const { return parts_; }

  // Appends the encoding of `values` to `out`. Fewer values than parts give the prefix that all keys starting with them
  // share. REQUIRES: each value is in the exact form of its part's type (Value::CastTo). Errors name the part's number:
  // NULL in a part that is not nullable, a value of the wrong kind or out of its type's range; `out` is then unchanged.
  arrow::Status Encode(std::span<const Value> values, std::string* out) const;

  // Reads back all parts. Invalid, saying which part and byte, when `key` is truncated, malformed or too long.
  arrow::Result<std::vector<Value>> Decode(std::string_view key) const;

  // Finds where each part lies, without decoding: offsets[i] is the first byte of part i (of its null marker if
  // nullable), offsets[parts] == key.size(). `offsets` has room for parts+1 numbers. Checks the structure of the whole
  // key.
  arrow::Status Locate(std::string_view key, uint32_t* offsets) const;

  // How many bytes all parts take at the front of `bytes`, which may go on behind them.
  arrow::Result<size_t> FrontSize(std::string_view bytes) const;

  // Offset of part i when all parts before it have a fixed width and are not nullable, else -1.
  int32_t fixed_offset(size_t part) const { return fixed_offsets_[part]; }
  // Width of the whole key when every part is fixed and not nullable, else -1.
  int32_t fixed_size() const { return fixed_offsets_.empty() ? 0 : fixed_offsets_.back(); }

 private:
  std::vector<KeyPart> parts_;
  std::vector<int32_t> fixed_offsets_;  // parts + 1 entries
};

// Single parts, for decoders and predicates that work on one column of a key.
arrow::Status EncodeKeyPart(const Value& value, const KeyPart& part, std::string* out);
// Reads one part at the front of `bytes` and removes it from there.
arrow::Result<Value> DecodeKeyPart(std::string_view* bytes, const KeyPart& part);

}  // namespace yarrow
