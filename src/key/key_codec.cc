#include "key/key_codec.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "key/key_bytes.h"
#include "type/calendar.h"
#include "type/decimal.h"
#include "type/value_check.h"

namespace yarrow {
namespace {

constexpr char kValueFollows = '\x01';
constexpr char kNullPart = '\x02';
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

template <class Signed>
size_t StoreSigned(const Value& value, char* at) {
  using Unsigned = std::make_unsigned_t<Signed>;
  const auto* number = std::get_if<int64_t>(&value.variant());
  if (number == nullptr || static_cast<Signed>(*number) != *number) return 0;
  return StoreBigEndian(static_cast<Unsigned>(static_cast<Unsigned>(*number) ^ SignBit<Unsigned>()), at);
}

template <class Unsigned>
size_t StoreUnsigned(const Value& value, char* at) {
  const auto* number = std::get_if<uint64_t>(&value.variant());
  if (number == nullptr || static_cast<Unsigned>(*number) != *number) return 0;
  return StoreBigEndian(static_cast<Unsigned>(*number), at);
}

template <class Real, class Unsigned>
size_t StoreReal(const Value& value, char* at) {
  const auto* number = std::get_if<double>(&value.variant());
  if (number == nullptr) return 0;
  Real real = static_cast<Real>(*number);
  if (real == 0) real = 0;  // -0.0
  if (std::isnan(real)) real = std::numeric_limits<Real>::quiet_NaN();
  const auto bits = std::bit_cast<Unsigned>(real);
  const bool negative = (bits & SignBit<Unsigned>()) != 0;
  return StoreBigEndian(static_cast<Unsigned>(negative ? ~bits : bits ^ SignBit<Unsigned>()), at);
}

size_t StoreTime(const Value& value, const ColumnType& type, char* at) {
  const auto* units = std::get_if<int64_t>(&value.variant());
  return units != nullptr && IsTimeOfDay(*units, type.unit) ? StoreSigned<int64_t>(value, at) : 0;
}

size_t StoreDecimal(const Value& value, const ColumnType& type, char* at) {
  const auto* decimal = std::get_if<Decimal>(&value.variant());
  if (decimal == nullptr || decimal->scale != type.scale || !FitsPrecision(decimal->unscaled, type.precision)) return 0;
  StoreBigEndian(static_cast<uint64_t>(decimal->unscaled >> 64) ^ kInt64SignBit, at);
  StoreBigEndian(static_cast<uint64_t>(decimal->unscaled), at + 8);
  return kMaxFixedWidth;
}

size_t StoreBool(const Value& value, char* at) {
  const auto* truth = std::get_if<bool>(&value.variant());
  if (truth == nullptr) return 0;
  *at = *truth ? 1 : 0;
  return 1;
}

size_t StoreUuid(const Value& value, char* at) {
  const auto* uuid = std::get_if<Uuid>(&value.variant());
  if (uuid == nullptr) return 0;
  std::memcpy(at, uuid->bytes.data(), uuid->bytes.size());
  return uuid->bytes.size();
}

// Writes a value of a fixed-width type and gives its width; 0 when the value is not in the form of the type.
// REQUIRES: room for kMaxFixedWidth bytes at `at`.
size_t StoreFixed(const Value& value, const ColumnType& type, char* at) {
  switch (type.id) {
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return StoreSigned<int64_t>(value, at);
    case TypeId::kInt32:
    case TypeId::kDate32:
      return StoreSigned<int32_t>(value, at);
    case TypeId::kInt16:
      return StoreSigned<int16_t>(value, at);
    case TypeId::kInt8:
      return StoreSigned<int8_t>(value, at);
    case TypeId::kUInt64:
      return StoreUnsigned<uint64_t>(value, at);
    case TypeId::kUInt32:
      return StoreUnsigned<uint32_t>(value, at);
    case TypeId::kUInt16:
      return StoreUnsigned<uint16_t>(value, at);
    case TypeId::kUInt8:
      return StoreUnsigned<uint8_t>(value, at);
    case TypeId::kBool:
      return StoreBool(value, at);
    case TypeId::kFloat:
      return StoreReal<float, uint32_t>(value, at);
    case TypeId::kDouble:
      return StoreReal<double, uint64_t>(value, at);
    case TypeId::kDecimal128:
      return StoreDecimal(value, type, at);
    case TypeId::kTime64:
      return StoreTime(value, type, at);
    case TypeId::kUuid:
      return StoreUuid(value, at);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      break;
  }
  return 0;
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

template <class Signed>
Value ReadSigned(const char* bytes) {
  using Unsigned = std::make_unsigned_t<Signed>;
  return Value(static_cast<Signed>(LoadBigEndian<Unsigned>(bytes) ^ SignBit<Unsigned>()));
}

template <class Real, class Unsigned>
Flaw ReadReal(const char* bytes, Value* value) {
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
  if (type.id == TypeId::kUtf8 && !IsUtf8(text)) return "its text is not valid UTF-8";
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
  const char* data = bytes.data();
  switch (part.type.id) {
    case TypeId::kBool:
      if (data[0] != 0 && data[0] != 1) return "its boolean is neither 0 nor 1";
      *value = Value(data[0] == 1);
      return nullptr;
    case TypeId::kInt8:
      *value = ReadSigned<int8_t>(data);
      return nullptr;
    case TypeId::kInt16:
      *value = ReadSigned<int16_t>(data);
      return nullptr;
    case TypeId::kInt32:
    case TypeId::kDate32:
      *value = ReadSigned<int32_t>(data);
      return nullptr;
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      *value = ReadSigned<int64_t>(data);
      return nullptr;
    case TypeId::kTime64:
      *value = ReadSigned<int64_t>(data);
      return IsTimeOfDay(value->get<int64_t>(), part.type.unit) ? nullptr : "its time of day is not within a day";
    case TypeId::kUInt8:
      *value = Value(LoadBigEndian<uint8_t>(data));
      return nullptr;
    case TypeId::kUInt16:
      *value = Value(LoadBigEndian<uint16_t>(data));
      return nullptr;
    case TypeId::kUInt32:
      *value = Value(LoadBigEndian<uint32_t>(data));
      return nullptr;
    case TypeId::kUInt64:
      *value = Value(LoadBigEndian<uint64_t>(data));
      return nullptr;
    case TypeId::kFloat:
      return ReadReal<float, uint32_t>(data, value);
    case TypeId::kDouble:
      return ReadReal<double, uint64_t>(data, value);
    case TypeId::kDecimal128:
      return ReadDecimal(data, part.type, value);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return ReadText(bytes, part.type, value);
    case TypeId::kUuid: {
      Uuid uuid;
      std::memcpy(uuid.bytes.data(), data, uuid.bytes.size());
      *value = Value(uuid);
      return nullptr;
    }
  }
  return kWrongKind;
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
