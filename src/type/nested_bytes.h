// The bytes of values of nested types, as they lie in rows and in the arrays of batches.
//
// A value of a MAP lies as the LIST of STRUCTs of key and value, one of a UNION as a STRUCT of its tag and its members,
// of which all but the tagged one are NULL, one of a VARIANT as the STRUCT that DuckDB has for it (LayoutOf gives these
// layouts). Then:
//
//   LIST, ARRAY   varint of 2 x elements + 1 if any is NULL, else + 0; if so a null bitmap; the elements that are not
//                 NULL, in order
//   STRUCT        a null bitmap of the fields; the fields that are not NULL, in order
//   fixed width   the bytes that a row has for the type
//   text, bytes   varint of the number of bytes; the bytes
//
// A null bitmap has bit i%8 of byte i/8 set where element i is NULL; padding bits are 0. A varint is LEB128: 7 bits a
// byte, the lowest first, the top bit set in all but the last byte. A value ends where its last part does, so that the
// bytes of a whole one need no length. Frozen: on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "yarrow/type.h"

namespace yarrow {

inline size_t NullBitmapSize(uint64_t bits) {
  return static_cast<size_t>((bits + 7) / 8);
}

inline void AppendVarint(uint64_t number, std::string* out) {
  for (; number >= 0x80; number >>= 7) out->push_back(static_cast<char>(number | 0x80));
  out->push_back(static_cast<char>(number));
}
inline void AppendListHead(uint64_t elements, bool has_null, std::string* out) {
  AppendVarint(elements << 1 | (has_null ? 1 : 0), out);
}
// All bits 0. Returns where the bitmap begins.
inline size_t AppendNullBitmap(uint64_t bits, std::string* out) {
  const size_t begin = out->size();
  out->append(NullBitmapSize(bits), '\0');
  return begin;
}
inline void SetNullBit(size_t bitmap, uint64_t i, std::string* out) {
  char& byte = (*out)[bitmap + i / 8];
  byte = static_cast<char>(byte | 1 << i % 8);
}
inline void AppendBytes(std::string_view bytes, std::string* out) {
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

// A null bitmap in some bytes; without one nothing is NULL.
class NullBits {
 public:
  NullBits() = default;
  explicit NullBits(const char* bits) : bits_(bits) {}
  bool has_bits() const { return bits_ != nullptr; }
  bool IsNull(uint64_t i) const { return bits_ != nullptr && (static_cast<uint8_t>(bits_[i / 8]) >> (i % 8) & 1) != 0; }

 private:
  const char* bits_ = nullptr;
};

// Reads parts one after the other. Each Read returns false, and reads nothing, where the bytes end too early.
class NestedReader {
 public:
  explicit NestedReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  const char* position() const { return rest_.data(); }

  bool ReadListHead(uint64_t* elements, NullBits* nulls) {
    uint64_t head = 0;
    if (!ReadVarint(&head)) return false;
    *elements = head >> 1;
    *nulls = NullBits();
    // An element takes a byte, or a bit if it is NULL: more cannot be there.
    if ((head & 1) == 0) return *elements <= rest_.size();
    return *elements / 8 <= rest_.size() && ReadNullBitmap(*elements, nulls);
  }
  bool ReadNullBitmap(uint64_t bits, NullBits* nulls) {
    const char* begin = nullptr;
    if (!ReadFixed(NullBitmapSize(bits), &begin)) return false;
    *nulls = NullBits(begin);
    return true;
  }
  bool ReadFixed(size_t width, const char** bytes) {
    if (rest_.size() < width) return false;
    *bytes = rest_.data();
    rest_.remove_prefix(width);
    return true;
  }
  bool ReadBytes(std::string_view* bytes) {
    uint64_t size = 0;
    const std::string_view before = rest_;
    if (!ReadVarint(&size) || rest_.size() < size) {
      rest_ = before;
      return false;
    }
    *bytes = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(static_cast<size_t>(size));
    return true;
  }

 private:
  bool ReadVarint(uint64_t* number) {
    *number = 0;
    for (size_t i = 0; i < rest_.size() && i < 9; ++i) {
      const auto byte = static_cast<uint8_t>(rest_[i]);
      *number |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
      if (byte < 0x80) {
        rest_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }

  std::string_view rest_;
};

// Whether the bytes are a whole value of the nested type: nullptr, or what is wrong.
const char* CheckNestedBytes(const ColumnType& type, std::string_view bytes);

// Goes to the end of the value of any type that is next; what is wrong, or nullptr.
const char* SkipValue(const ColumnType& type, NestedReader* reader);

}  // namespace yarrow
