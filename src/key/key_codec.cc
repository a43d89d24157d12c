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

template <class Signed>
Flaw AppendSigned(const Value& value, std::string* out) {
  using Unsigned = std::make_unsigned_t<Signed>;
  const auto* number = std::get_if<int64_t>(&value.variant());
  if (number == nullptr || static_cast<Signed>(*number) != *number) return kWrongKind;
  AppendBigEndian(static_cast<Unsigned>(static_cast<Unsigned>(*number) ^ SignBit<Unsigned>()), out);
  return nullptr;
}

template <class Unsigned>
Flaw AppendUnsigned(const Value& value, std::string* out) {
  const auto* number = std::get_if<uint64_t>(&value.variant());
  if (number == nullptr || static_cast<Unsigned>(*number) != *number) return kWrongKind;
  AppendBigEndian(static_cast<Unsigned>(*number), out);
  return nullptr;
}

template <class Real, class Unsigned>
Flaw AppendReal(const Value& value, std::string* out) {
  const auto* number = std::get_if<double>(&value.variant());
  if (number == nullptr) return kWrongKind;
  Real real = static_cast<Real>(*number);
  if (real == 0) real = 0;  // -0.0
  if (std::isnan(real)) real = std::numeric_limits<Real>::quiet_NaN();
  const auto bits = std::bit_cast<Unsigned>(real);
  const bool negative = (bits & SignBit<Unsigned>()) != 0;
  AppendBigEndian(static_cast<Unsigned>(negative ? ~bits : bits ^ SignBit<Unsigned>()), out);
  return nullptr;
}

Flaw AppendTime(const Value& value, const ColumnType& type, std::string* out) {
  const auto* units = std::get_if<int64_t>(&value.variant());
  if (units == nullptr || !IsTimeOfDay(*units, type.unit)) return kWrongKind;
  return AppendSigned<int64_t>(value, out);
}

Flaw AppendDecimal(const Value& value, const ColumnType& type, std::string* out) {
  const auto* decimal = std::get_if<Decimal>(&value.variant());
  if (decimal == nullptr || decimal->scale != type.scale || !FitsPrecision(decimal->unscaled, type.precision)) {
    return kWrongKind;
  }
  AppendBigEndian(static_cast<uint64_t>(decimal->unscaled >> 64) ^ kInt64SignBit, out);
  AppendBigEndian(static_cast<uint64_t>(decimal->unscaled), out);
  return nullptr;
}

Flaw AppendBool(const Value& value, std::string* out) {
  const auto* truth = std::get_if<bool>(&value.variant());
  if (truth == nullptr) return kWrongKind;
  out->push_back(*truth ? '\1' : '\0');
  return nullptr;
}

Flaw AppendText(const Value& value, std::string* out) {
  const auto* text = std::get_if<std::string>(&value.variant());
  if (text == nullptr) return kWrongKind;
  AppendEscaped(*text, out);
  return nullptr;
}

Flaw AppendUuid(const Value& value, std::string* out) {
  const auto* uuid = std::get_if<Uuid>(&value.variant());
  if (uuid == nullptr) return kWrongKind;
  out->append(reinterpret_cast<const char*>(uuid->bytes.data()), uuid->bytes.size());
  return nullptr;
}

Flaw AppendPart(const Value& value, const KeyPart& part, std::string* out) {
  if (value.is_null()) {
    if (!part.nullable) return kNotNullable;
    out->push_back(kNullPart);
    return nullptr;
  }
  if (part.nullable) out->push_back(kValueFollows);
  switch (part.type.id) {
    case TypeId::kBool:
      return AppendBool(value, out);
    case TypeId::kInt8:
      return AppendSigned<int8_t>(value, out);
    case TypeId::kInt16:
      return AppendSigned<int16_t>(value, out);
    case TypeId::kInt32:
    case TypeId::kDate32:
      return AppendSigned<int32_t>(value, out);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return AppendSigned<int64_t>(value, out);
    case TypeId::kTime64:
      return AppendTime(value, part.type, out);
    case TypeId::kUInt8:
      return AppendUnsigned<uint8_t>(value, out);
    case TypeId::kUInt16:
      return AppendUnsigned<uint16_t>(value, out);
    case TypeId::kUInt32:
      return AppendUnsigned<uint32_t>(value, out);
    case TypeId::kUInt64:
      return AppendUnsigned<uint64_t>(value, out);
    case TypeId::kFloat:
      return AppendReal<float, uint32_t>(value, out);
    case TypeId::kDouble:
      return AppendReal<double, uint64_t>(value, out);
    case TypeId::kDecimal128:
      return AppendDecimal(value, part.type, out);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return AppendText(value, out);
    case TypeId::kUuid:
      return AppendUuid(value, out);
  }
  return kWrongKind;
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
