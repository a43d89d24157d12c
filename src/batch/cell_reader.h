// Cell readers: how one cell is read from the bytes of a row, a key or a default, one class for each kind of place and
// of encoding. RowDecoder picks a reader for each column once a schema version; nothing here looks at a type again.
//
// Internal to the batch layer. Readers check what a damaged row could get past the row's shape check (offsets, bools,
// digits of decimals, times of day, UTF-8, zeros in key text), so that what a sink is given is a value of the column's
// type.
#pragma once

#include <arrow/util/utf8.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "key/key_bytes.h"
#include "type/interval.h"
#include "yarrow/value.h"

namespace yarrow::batch {

static_assert(std::endian::native == std::endian::little, "rows are little-endian and cells are copied as they lie");

// The form in which a cell reaches a sink. Integers, floats, dates, times and timestamps are their bits in an unsigned
// integer of their width, in the machine's byte order; the rest are as their names say.
using Cell8 = uint8_t;
using Cell16 = uint16_t;
using Cell32 = uint32_t;
using Cell64 = uint64_t;
using CellBool = bool;
using CellDecimal = Int128;
using CellUuid = Uuid;              // also HUGEINT, UHUGEINT and INTERVAL, as they are stored
using CellText = std::string_view;  // text and binary; valid until the write returns

// How one output column is read from rows of one schema version.
struct ColumnOp {
  uint32_t offset = 0;  // of the cell in the row, in the key, or in the located key part
  uint32_t index = 0;   // number of the variable field, or of the key part
  uint32_t output = 0;  // which output column
  bool is_utf8 = false;
  const uint8_t* constant = nullptr;  // a default's bytes, laid out as in a row
  uint32_t constant_size = 0;
  uint64_t flip = 0;         // xor on the integers of a key: their sign bit
  uint64_t limit = 0;        // times: one more than the units in a day; of an ENUM: its labels
  Int128 decimal_limit = 0;  // decimals: 10 to the power of the precision
};

// One row as the readers see it, and what they count. A part that the plan does not read may be that of another row.
struct RowFrame {
  const uint8_t* row = nullptr;
  const uint8_t* key = nullptr;
  const uint8_t* key_end = nullptr;
  const uint32_t* key_parts = nullptr;  // offset of each key part in the key; set when the program locates them
  const uint8_t* text_ends = nullptr;   // the end offsets of the row's variable fields
  const uint8_t* text = nullptr;        // their bytes
  uint32_t text_size = 0;
  bool wide = false;               // end offsets have 4 bytes
  uint64_t bytes = 0;              // bytes_decoded with this row; readers add those of cells of variable width
  std::string* scratch = nullptr;  // for unescaped key text
};

template <class T>
inline T LoadLittle(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// Places: where the first byte of a cell of fixed width is.
struct FieldPlace {
  static const uint8_t* At(const ColumnOp& op, const RowFrame& frame) { return frame.row + op.offset; }
};
struct KeyPlace {
  static const uint8_t* At(const ColumnOp& op, const RowFrame& frame) { return frame.key + op.offset; }
};
struct LocatedKeyPlace {
  static const uint8_t* At(const ColumnOp& op, const RowFrame& frame) {
    return frame.key + op.offset + frame.key_parts[op.index];
  }
};
struct ConstantPlace {
  static const uint8_t* At(const ColumnOp& op, const RowFrame&) { return op.constant; }
};

// Readers: set the cell, or return false when its bytes cannot be a value of the column.
template <class Place, class CellT>
struct BitsReader {
  using Cell = CellT;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = LoadLittle<Cell>(Place::At(op, frame));
    return true;
  }
};

// A field of a version in which the column had a narrower type.
template <class From, class To, class CellT>
struct WideningReader {
  using Cell = CellT;
  static_assert(sizeof(To) == sizeof(Cell));
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = std::bit_cast<Cell>(static_cast<To>(LoadLittle<From>(FieldPlace::At(op, frame))));
    return true;
  }
};

template <class Place>
struct BoolReader {
  using Cell = CellBool;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    const uint8_t byte = *Place::At(op, frame);
    *cell = byte != 0;
    return byte <= 1;
  }
};

template <class Place>
struct TimeReader {
  using Cell = Cell64;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = LoadLittle<Cell>(Place::At(op, frame));
    return *cell < op.limit;  // unsigned: negative times are above it
  }
};

template <class Place>
struct TimeTzReader {
  using Cell = Cell64;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = LoadLittle<Cell>(Place::At(op, frame));
    return IsTimeTz(*cell);
  }
};

// The number of a label.
template <class Place>
struct LabelReader {
  using Cell = Cell32;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = LoadLittle<Cell>(Place::At(op, frame));
    return *cell < op.limit;
  }
};

inline bool DecimalFits(Int128 value, Int128 limit) {
  return value < limit && value > -limit;
}

template <class Place>
struct DecimalReader {
  using Cell = CellDecimal;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = LoadLittle<Int128>(Place::At(op, frame));
    return DecimalFits(*cell, op.decimal_limit);
  }
};

template <class Place>
struct UuidReader {
  using Cell = CellUuid;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    std::memcpy(cell->bytes.data(), Place::At(op, frame), sizeof(cell->bytes));
    return true;
  }
};

// Key parts: big-endian, sign bit flipped.
template <class Place>
const char* PlaceOf(const ColumnOp& op, const RowFrame& frame) {
  return reinterpret_cast<const char*>(Place::At(op, frame));
}

template <class Place, class CellT>
struct KeyBitsReader {
  using Cell = CellT;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = static_cast<Cell>(LoadBigEndian<Cell>(PlaceOf<Place>(op, frame)) ^ static_cast<Cell>(op.flip));
    return true;
  }
};

template <class Place>
struct KeyTimeReader {
  using Cell = Cell64;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = LoadBigEndian<Cell>(PlaceOf<Place>(op, frame)) ^ op.flip;
    return *cell < op.limit;
  }
};

template <class Place>
struct KeyTimeTzReader {
  using Cell = Cell64;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = LoadBigEndian<Cell>(PlaceOf<Place>(op, frame));
    return IsTimeTz(*cell);
  }
};

template <class Place>
struct KeyLabelReader {
  using Cell = Cell32;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    *cell = LoadBigEndian<Cell>(PlaceOf<Place>(op, frame));
    return *cell < op.limit;
  }
};

template <class Place, class CellT>
struct KeyFloatReader {
  using Cell = CellT;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    const Cell bits = LoadBigEndian<Cell>(PlaceOf<Place>(op, frame));
    const Cell sign = static_cast<Cell>(op.flip);
    *cell = (bits & sign) != 0 ? bits ^ sign : static_cast<Cell>(~bits);
    return true;
  }
};

template <class Place>
struct KeyDecimalReader {
  using Cell = CellDecimal;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    const char* bytes = PlaceOf<Place>(op, frame);
    const UInt128 high = LoadBigEndian<uint64_t>(bytes) ^ op.flip;
    *cell = static_cast<Int128>((high << 64) | LoadBigEndian<uint64_t>(bytes + 8));
    return DecimalFits(*cell, op.decimal_limit);
  }
};

// Whether all bytes are below 0x80. Short text is the common case: two loads that may overlap cover 4 to 16 bytes.
inline bool IsAscii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080ULL;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const size_t size = text.size();
  if (size >= 8) {
    uint64_t seen = LoadLittle<uint64_t>(bytes + size - 8);
    for (size_t at = 0; at + 8 < size; at += 8) seen |= LoadLittle<uint64_t>(bytes + at);
    return (seen & kHighBits) == 0;
  }
  if (size >= 4) {
    return ((LoadLittle<uint32_t>(bytes) | LoadLittle<uint32_t>(bytes + size - 4)) &
            static_cast<uint32_t>(kHighBits)) == 0;
  }
  return size == 0 || ((bytes[0] | bytes[size / 2] | bytes[size - 1]) & 0x80) == 0;
}

// Most text is ASCII, which needs no decoding.
inline bool IsValidUtf8(std::string_view text) {
  return IsAscii(text) || arrow::util::ValidateUTF8(text);
}

struct TextReader {
  using Cell = CellText;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    const auto end_of = [&](uint32_t i) -> uint32_t {
      return frame.wide ? LoadLittle<uint32_t>(frame.text_ends + 4 * i) : LoadLittle<uint16_t>(frame.text_ends + 2 * i);
    };
    const uint32_t begin = op.index == 0 ? 0 : end_of(op.index - 1);
    const uint32_t end = end_of(op.index);
    if (begin > end || end > frame.text_size) return false;
    *cell = {reinterpret_cast<const char*>(frame.text + begin), end - begin};
    frame.bytes += end - begin;
    return !op.is_utf8 || IsValidUtf8(*cell);
  }
};

struct ConstantTextReader {
  using Cell = CellText;
  static bool Read(const ColumnOp& op, RowFrame&, Cell* cell) {
    *cell = {reinterpret_cast<const char*>(op.constant), op.constant_size};
    return true;
  }
};

// Reads an escaped text part that starts at `begin`: `text` is a view of the key when nothing had to be unescaped, else
// of `scratch`; `size` its encoded bytes, terminator included. False when it is malformed or runs past `end`.
bool ReadKeyText(const uint8_t* begin, const uint8_t* end, std::string* scratch, std::string_view* text,
                 uint32_t* size);

template <class Place>
struct KeyTextReader {
  using Cell = CellText;
  static bool Read(const ColumnOp& op, RowFrame& frame, Cell* cell) {
    uint32_t size = 0;
    if (!ReadKeyText(Place::At(op, frame), frame.key_end, frame.scratch, cell, &size)) return false;
    frame.bytes += size;
    return !op.is_utf8 || IsValidUtf8(*cell);
  }
};

}  // namespace yarrow::batch
