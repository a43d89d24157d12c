#include "key/key_codec.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "key/key_bytes.h"
#include "type/calendar.h"
#include "type/decimal.h"
#include "type/field_value.h"
#include "type/interval.h"
#include "type/stored_form.h"
#include "type/type_traits.h"
#include "type/value_check.h"

namespace yarrow {
namespace {

constexpr uint64_t kInt64SignBit = uint64_t{1} << 63;
constexpr size_t kMaxFixedWidth = 16;
// Keys of fixed width up to this are put together on the stack, then appended at once.
constexpr int32_t kMaxStackKey = 128;

// What is wrong with a part; nullptr when nothing is. Messages are made by the callers, out of the hot path.
using Flaw = const char*;

constexpr Flaw kWrongKind = "the value is not in the form of the part's type (use Value::CastTo first)";
constexpr Flaw kNotNullable = "NULL in a part that is not nullable";
constexpr Flaw kTruncated = "the key ends inside of it";

template <class Unsigned>
constexpr Unsigned SignBit() {
  return static_cast<Unsigned>(Unsigned{1} << (sizeof(Unsigned) * 8 - 1));
}

// ---- writing

template <class Unsigned>
size_t StoreBigEndian(Unsigned number, char* at) {
  number = SwapBytes(number);
  std::memcpy(at, &number, sizeof(number));
  return sizeof(number);
}

// An integer's bytes with the sign bit flipped, so that they sort as it does.
template <class Integer>
auto SortedBits(Integer number) {
  using Unsigned = std::make_unsigned_t<Integer>;
  const auto bits = static_cast<Unsigned>(number);
  return static_cast<Unsigned>(std::is_signed_v<Integer> ? bits ^ SignBit<Unsigned>() : bits);
}

template <class Real>
using BitsOf = std::conditional_t<sizeof(Real) == 4, uint32_t, uint64_t>;

template <class Real>
auto SortedBitsOfReal(Real real) {
  using Unsigned = BitsOf<Real>;
  if (real == 0) real = 0;  // -0.0
  if (std::isnan(real)) real = std::numeric_limits<Real>::quiet_NaN();
  const auto bits = std::bit_cast<Unsigned>(real);
  const bool negative = (bits & SignBit<Unsigned>()) != 0;
  return static_cast<Unsigned>(negative ? ~bits : bits ^ SignBit<Unsigned>());
}

size_t StoreDecimal(const Decimal& decimal, const ColumnType& type, char* at) {
  if (decimal.scale != type.scale || !FitsPrecision(decimal.unscaled, type.precision)) return 0;
  StoreBigEndian(static_cast<uint64_t>(decimal.unscaled >> 64) ^ kInt64SignBit, at);
  StoreBigEndian(static_cast<uint64_t>(decimal.unscaled), at + 8);
  return kMaxFixedWidth;
}

// Writes a value of a fixed-width type and gives its width; 0 when the value is not in the form of the type.
// REQUIRES: room for kMaxFixedWidth bytes at `at`.
size_t StoreFixed(const Value& value, const ColumnType& type, char* at) {
  return VisitType(type.id, [&](auto traits) -> size_t {
    using Traits = decltype(traits);
    using Stored = typename Traits::Stored;
    const auto* held = std::get_if<typename Traits::Held>(&value.variant());
    if (held == nullptr) return 0;
    if constexpr (Traits::kKind == TypeKind::kReal) {
      return StoreBigEndian(SortedBitsOfReal(static_cast<Stored>(*held)), at);
    } else if constexpr (Traits::kKind == TypeKind::kDecimal) {
      return StoreDecimal(*held, type, at);
    } else if constexpr (std::is_same_v<Stored, Uuid>) {
      const Uuid stored = ToStoredBytes(*held);
      std::memcpy(at, stored.bytes.data(), stored.bytes.size());
      return stored.bytes.size();
    } else if constexpr (Traits::kIsVariable) {
      return 0;
    } else {
      if (Traits::kKind == TypeKind::kTime && !IsTimeOfDay(static_cast<int64_t>(*held), type.unit)) return 0;
      if (Traits::kKind == TypeKind::kTimeTz && !IsTimeTz(static_cast<uint64_t>(*held))) return 0;
      if (Traits::kKind == TypeKind::kEnum && static_cast<uint64_t>(*held) >= type.labels().size()) return 0;
      const auto stored = static_cast<Stored>(*held);
      if (static_cast<typename Traits::Held>(stored) != *held) return 0;
      return StoreBigEndian(SortedBits(stored), at);
    }
  });
}

Flaw AppendPart(const Value& value, const KeyPart& part, std::string* out) {
  if (value.is_null()) {
    if (!part.nullable) return kNotNullable;
    out->push_back(kNullPart);
    return nullptr;
  }
  if (part.nullable) out->push_back(kValueFollows);
  if (part.type.is_variable()) {
    const auto* text = std::get_if<std::string>(&value.variant());
    if (text == nullptr) return kWrongKind;
    AppendEscaped(*text, out);
    return nullptr;
  }
  char bytes[kMaxFixedWidth];
  const size_t width = StoreFixed(value, part.type, bytes);
  out->append(bytes, width);
  return width == 0 ? kWrongKind : nullptr;
}

// ---- reading

// Size of the part at the front of `bytes`, its null marker included.
Flaw MeasurePart(std::string_view bytes, const KeyPart& part, size_t* size) {
  size_t marker = 0;
  if (part.nullable) {
    if (bytes.empty()) return kTruncated;
    *size = 1;
    if (bytes[0] == kNullPart) return nullptr;
    if (bytes[0] != kValueFollows) return "its null marker is neither 1 nor 2";
    marker = 1;
  }
  if (part.type.is_variable()) {
    const size_t escaped = EscapedSize(bytes.substr(marker));
    if (escaped == std::string_view::npos) return "its text does not end or has a wrong escape";
    *size = marker + escaped;
    return nullptr;
  }
  *size = marker + static_cast<size_t>(part.type.fixed_width());
  return bytes.size() < *size ? kTruncated : nullptr;
}

template <class Integer>
Integer ReadInteger(const char* bytes) {
  using Unsigned = std::make_unsigned_t<Integer>;
  const auto bits = LoadBigEndian<Unsigned>(bytes);
  return static_cast<Integer>(std::is_signed_v<Integer> ? bits ^ SignBit<Unsigned>() : bits);
}

template <class Real>
Flaw ReadReal(const char* bytes, Value* value) {
  using Unsigned = BitsOf<Real>;
  const auto stored = LoadBigEndian<Unsigned>(bytes);
  const bool negative = (stored & SignBit<Unsigned>()) == 0;
  const auto real = std::bit_cast<Real>(static_cast<Unsigned>(negative ? ~stored : stored ^ SignBit<Unsigned>()));
  const bool is_other_nan = std::isnan(real) && std::bit_cast<Unsigned>(real) !=
                                                    std::bit_cast<Unsigned>(std::numeric_limits<Real>::quiet_NaN());
  if (is_other_nan || (real == 0 && negative)) return "it is not the stored form of a number";
  *value = Value(real);
  return nullptr;
}

Flaw ReadDecimal(const char* bytes, const ColumnType& type, Value* value) {
  const auto high = static_cast<int64_t>(LoadBigEndian<uint64_t>(bytes) ^ kInt64SignBit);
  const Int128 unscaled =
      static_cast<Int128>(high) * (static_cast<Int128>(1) << 64) + LoadBigEndian<uint64_t>(bytes + 8);
  if (!FitsPrecision(unscaled, type.precision)) return "it has more digits than its type";
  *value = Value(Decimal{unscaled, type.scale});
  return nullptr;
}

Flaw ReadText(std::string_view escaped, const ColumnType& type, Value* value) {
  std::string text = Unescape(escaped);
  if (const Flaw flaw = CheckVariableBytes(type, text)) return flaw;
  *value = Value(std::move(text));
  return nullptr;
}

// REQUIRES: MeasurePart accepted the bytes.
Flaw ReadPart(std::string_view bytes, const KeyPart& part, Value* value) {
  if (part.nullable) {
    *value = Value::Null();
    if (bytes[0] == kNullPart) return nullptr;
    bytes.remove_prefix(1);
  }
  return VisitType(part.type.id, [&](auto traits) -> Flaw {
    using Traits = decltype(traits);
    using Stored = typename Traits::Stored;
    const char* data = bytes.data();
    if constexpr (Traits::kIsVariable) {
      return ReadText(bytes, part.type, value);
    } else if constexpr (Traits::kKind == TypeKind::kBool) {
      if (data[0] != 0 && data[0] != 1) return "its boolean is neither 0 nor 1";
      *value = Value(data[0] == 1);
    } else if constexpr (Traits::kKind == TypeKind::kReal) {
      return ReadReal<Stored>(data, value);
    } else if constexpr (Traits::kKind == TypeKind::kDecimal) {
      return ReadDecimal(data, part.type, value);
    } else if constexpr (std::is_same_v<Stored, Uuid>) {
      Uuid stored;
      std::memcpy(stored.bytes.data(), data, stored.bytes.size());
      *value = Value(FromStoredBytes<typename Traits::Held>(stored));
    } else {
      const auto number = ReadInteger<Stored>(data);
      *value = Value(static_cast<typename Traits::Held>(number));
      if (Traits::kKind == TypeKind::kTimeTz && !IsTimeTz(static_cast<uint64_t>(number))) return "it is no time of day";
      if (Traits::kKind == TypeKind::kEnum && static_cast<uint64_t>(number) >= part.type.labels().size()) {
        return "its ENUM has no label of that number";
      }
      const bool is_good =
          Traits::kKind != TypeKind::kTime || IsTimeOfDay(static_cast<int64_t>(number), part.type.unit);
      return is_good ? nullptr : "its time of day is not within a day";
    }
    return nullptr;
  });
}

arrow::Status EncodeError(size_t index, const KeyPart& part, const Value& value, Flaw flaw) {
  return arrow::Status::Invalid("key part ", index + 1, " (", part.type.ToString(), "): ", flaw, ": ",
                                value.ToString());
}

arrow::Status DecodeError(size_t index, const KeyPart& part, size_t offset, Flaw flaw) {
  return arrow::Status::Invalid("malformed key: part ", index + 1, " (", part.type.ToString(), ") at byte ", offset,
                                ": ", flaw);
}

arrow::Status TooLong(std::string_view key, size_t end) {
  return arrow::Status::Invalid("malformed key: its parts end at byte ", end, " but it has ", key.size(), " bytes");
}

}  // namespace

arrow::Result<KeyCodec> KeyCodec::Make(std::vector<KeyPart> parts) {
  KeyCodec codec;
  int32_t offset = 0;
  codec.fixed_offsets_.reserve(parts.size() + 1);
  for (size_t i = 0; i < parts.size(); ++i) {
    const arrow::Status status = parts[i].type.Validate();
    if (!status.ok()) return status.WithMessage("key part ", i + 1, ": ", status.message());
    if (!HasOrder(parts[i].type)) {
      return arrow::Status::TypeError("key part ", i + 1, ": values of type ", parts[i].type.ToString(),
                                      " cannot be in a key");
    }
    codec.fixed_offsets_.push_back(offset);
    const bool is_fixed = !parts[i].type.is_variable() && !parts[i].nullable;
    offset = offset < 0 || !is_fixed ? -1 : offset + parts[i].type.fixed_width();
  }
  codec.fixed_offsets_.push_back(offset);
  codec.parts_ = std::move(parts);
  return codec;
}

arrow::Status KeyCodec::Encode(std::span<const Value> values, std::string* out) const {
  if (values.size() > parts_.size()) {
    return arrow::Status::Invalid("a key of ", parts_.size(), " parts cannot take ", values.size(), " values");
  }
  if (fixed_size() >= 0 && fixed_size() <= kMaxStackKey) {
    char bytes[kMaxStackKey + kMaxFixedWidth];
    char* at = bytes;
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t width = StoreFixed(values[i], parts_[i].type, at);
      if (width == 0) return EncodeError(i, parts_[i], values[i], values[i].is_null() ? kNotNullable : kWrongKind);
      at += width;
    }
    out->append(bytes, static_cast<size_t>(at - bytes));
    return arrow::Status::OK();
  }
  const size_t start = out->size();
  for (size_t i = 0; i < values.size(); ++i) {
    if (const Flaw flaw = AppendPart(values[i], parts_[i], out)) {
      out->resize(start);
      return EncodeError(i, parts_[i], values[i], flaw);
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::vector<Value>> KeyCodec::Decode(std::string_view key) const {
  std::vector<Value> values(parts_.size());
  size_t offset = 0;
  for (size_t i = 0; i < parts_.size(); ++i) {
    size_t size = 0;
    Flaw flaw = MeasurePart(key.substr(offset), parts_[i], &size);
    if (flaw == nullptr) flaw = ReadPart(key.substr(offset, size), parts_[i], &values[i]);
    if (flaw != nullptr) return DecodeError(i, parts_[i], offset, flaw);
    offset += size;
  }
  if (offset != key.size()) return TooLong(key, offset);
  return values;
}

arrow::Status KeyCodec::Locate(std::string_view key, uint32_t* offsets) const {
  size_t offset = 0;
  for (size_t i = 0; i < parts_.size(); ++i) {
    offsets[i] = static_cast<uint32_t>(offset);
    size_t size = 0;
    const Flaw flaw = MeasurePart(key.substr(offset), parts_[i], &size);
    if (flaw != nullptr) return DecodeError(i, parts_[i], offset, flaw);
    offset += size;
  }
  offsets[parts_.size()] = static_cast<uint32_t>(offset);
  return offset == key.size() ? arrow::Status::OK() : TooLong(key, offset);
}

arrow::Result<size_t> KeyCodec::FrontSize(std::string_view bytes) const {
  size_t offset = 0;
  for (size_t i = 0; i < parts_.size(); ++i) {
    size_t size = 0;
    if (const Flaw flaw = MeasurePart(bytes.substr(offset), parts_[i], &size)) {
      return DecodeError(i, parts_[i], offset, flaw);
    }
    offset += size;
  }
  return offset;
}

arrow::Status EncodeKeyPart(const Value& value, const KeyPart& part, std::string* out) {
  const size_t start = out->size();
  const Flaw flaw = AppendPart(value, part, out);
  if (flaw == nullptr) return arrow::Status::OK();
  out->resize(start);
  return EncodeError(0, part, value, flaw);
}

arrow::Result<Value> DecodeKeyPart(std::string_view* bytes, const KeyPart& part) {
  size_t size = 0;
  Value value;
  Flaw flaw = MeasurePart(*bytes, part, &size);
  if (flaw == nullptr) flaw = ReadPart(bytes->substr(0, size), part, &value);
  if (flaw != nullptr) return DecodeError(0, part, 0, flaw);
  bytes->remove_prefix(size);
  return value;
}

}  // namespace yarrow
