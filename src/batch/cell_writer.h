// Cell writers: how one cell of a bound column gets into an encoded row or key. RowEncoder picks one for each column
// when a batch is bound.
//
// Internal to the batch layer. A writer returns false for a cell that its column does not take: NULL where that is not
// allowed, a time outside the day, a decimal of too many digits, text that is not UTF-8.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "batch/bound_column.h"
#include "batch/cell_reader.h"
#include "key/key_bytes.h"
#include "key/key_codec.h"
#include "type/interval.h"

namespace yarrow::batch {

// One input column on its way to a field or a key part.
struct EncodeOp {
  using FieldWriter = bool (*)(const EncodeOp& op, int64_t i, char* row);
  using KeyWriter = bool (*)(const EncodeOp& op, int64_t i, std::string* key);

  BoundColumn source;
  int column = 0;  // position in the table's columns
  bool nullable = true;
  bool is_utf8 = false;
  bool is_constant = false;  // text and key parts: `constant` for every row, source is unused
  std::string constant;
  FieldWriter write_field = nullptr;  // fixed fields
  KeyWriter write_key = nullptr;
  uint32_t offset = 0;     // of a fixed field in the row; number of a variable one
  uint32_t null_byte = 0;  // of the field's bit in the row
  uint8_t null_mask = 0;
  uint64_t flip = 0;         // xor on integers in keys
  uint64_t limit = 0;        // times: one more than the units in a day; of an ENUM: its labels
  Int128 decimal_limit = 0;  // decimals: 10 to the power of the precision
};

template <class T>
T LoadCell(const EncodeOp& op, int64_t i) {
  return LoadLittle<T>(op.source.values + static_cast<size_t>(i) * sizeof(T));
}

// Whether the cell, not NULL, is a value of its column's type. Bools, integers, floats and UUIDs always are.
inline bool TakesTime(const EncodeOp& op, int64_t i) {
  return LoadCell<uint64_t>(op, i) < op.limit;
}
inline bool TakesTimeTz(const EncodeOp& op, int64_t i) {
  return IsTimeTz(LoadCell<uint64_t>(op, i));
}
inline bool TakesLabel(const EncodeOp& op, int64_t i) {
  return LoadCell<uint32_t>(op, i) < op.limit;
}
inline bool TakesDecimal(const EncodeOp& op, int64_t i) {
  return DecimalFits(LoadCell<Int128>(op, i), op.decimal_limit);
}

inline void MarkNull(const EncodeOp& op, char* row) {
  row[op.null_byte] = static_cast<char>(row[op.null_byte] | op.null_mask);
}

// ---- fixed fields. REQUIRES: the field's bytes and null bit are zero.

template <class Copy>
bool WriteField(const EncodeOp& op, int64_t i, char* row) {
  if (op.source.IsNull(i)) {
    MarkNull(op, row);
    return op.nullable;
  }
  return Copy::To(op, i, row + op.offset);
}

template <class T>
struct CopyBits {
  static bool To(const EncodeOp& op, int64_t i, char* out) {
    std::memcpy(out, op.source.values + static_cast<size_t>(i) * sizeof(T), sizeof(T));
    return true;
  }
};
struct CopyBool {
  static bool To(const EncodeOp& op, int64_t i, char* out) {
    *out = op.source.Bit(i) ? 1 : 0;
    return true;
  }
};
struct CopyTime {
  static bool To(const EncodeOp& op, int64_t i, char* out) {
    return CopyBits<uint64_t>::To(op, i, out) && TakesTime(op, i);
  }
};
struct CopyTimeTz {
  static bool To(const EncodeOp& op, int64_t i, char* out) {
    return CopyBits<uint64_t>::To(op, i, out) && TakesTimeTz(op, i);
  }
};
struct CopyLabel {
  static bool To(const EncodeOp& op, int64_t i, char* out) {
    return CopyBits<uint32_t>::To(op, i, out) && TakesLabel(op, i);
  }
};
struct CopyDecimal {
  static bool To(const EncodeOp& op, int64_t i, char* out) {
    return CopyBits<Int128>::To(op, i, out) && TakesDecimal(op, i);
  }
};

// ---- key parts, in KeyCodec's encoding

template <class Append>
bool WriteKeyPart(const EncodeOp& op, int64_t i, std::string* key) {
  return !op.source.IsNull(i) && Append::To(op, i, key);
}

template <class T>
struct AppendBits {
  static bool To(const EncodeOp& op, int64_t i, std::string* key) {
    AppendBigEndian(static_cast<T>(LoadCell<T>(op, i) ^ static_cast<T>(op.flip)), key);
    return true;
  }
};
struct AppendTime {
  static bool To(const EncodeOp& op, int64_t i, std::string* key) {
    return AppendBits<uint64_t>::To(op, i, key) && TakesTime(op, i);
  }
};
struct AppendTimeTz {
  static bool To(const EncodeOp& op, int64_t i, std::string* key) {
    return AppendBits<uint64_t>::To(op, i, key) && TakesTimeTz(op, i);
  }
};
struct AppendLabel {
  static bool To(const EncodeOp& op, int64_t i, std::string* key) {
    return AppendBits<uint32_t>::To(op, i, key) && TakesLabel(op, i);
  }
};
struct AppendBool {
  static bool To(const EncodeOp& op, int64_t i, std::string* key) {
    key->push_back(op.source.Bit(i) ? '\1' : '\0');
    return true;
  }
};
struct AppendDecimal {
  static bool To(const EncodeOp& op, int64_t i, std::string* key) {
    const Int128 value = LoadCell<Int128>(op, i);
    AppendBigEndian(static_cast<uint64_t>(value >> 64) ^ op.flip, key);
    AppendBigEndian(static_cast<uint64_t>(value), key);
    return TakesDecimal(op, i);
  }
};
struct AppendUuid {
  static bool To(const EncodeOp& op, int64_t i, std::string* key) {
    key->append(reinterpret_cast<const char*>(op.source.values) + 16 * i, 16);
    return true;
  }
};
struct AppendText {
  static bool To(const EncodeOp& op, int64_t i, std::string* key) {
    const std::string_view text = op.source.Text(i);
    AppendEscaped(text, key);
    return !op.is_utf8 || IsValidUtf8(text);
  }
};
// -0.0 and NaNs are changed on the way: that is the codec's to know.
template <class Float>
struct AppendFloat {
  static bool To(const EncodeOp& op, int64_t i, std::string* key) {
    constexpr TypeId kType = sizeof(Float) == 4 ? TypeId::kFloat : TypeId::kDouble;
    return EncodeKeyPart(Value(LoadCell<Float>(op, i)), KeyPart{kType, false}, key).ok();
  }
};

EncodeOp::FieldWriter SelectFieldWriter(const ColumnType& type);  // of a type of fixed width
EncodeOp::KeyWriter SelectKeyWriter(const ColumnType& type);

}  // namespace yarrow::batch
