// Values for randomised tests of this layer and those below it: any column type, and its edge and random values.
#pragma once

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/type_traits.h"
#include "type/value_check.h"
#include "yarrow/value.h"

namespace yarrow::test {

// At least one type of each id, and each parameter that matters.
inline std::vector<ColumnType> AllColumnTypes() {
  std::vector<ColumnType> types = {
      TypeId::kBool,   TypeId::kInt8,   TypeId::kInt16,  TypeId::kInt32,  TypeId::kInt64,
      TypeId::kUInt8,  TypeId::kUInt16, TypeId::kUInt32, TypeId::kUInt64, TypeId::kFloat,
      TypeId::kDouble, TypeId::kUtf8,   TypeId::kBinary, TypeId::kDate32, TypeId::kUuid,
  };
  for (const auto& [precision, scale] : {std::pair{1, 0}, {9, 2}, {18, 18}, {20, 5}, {38, 0}, {38, 10}, {38, 38}}) {
    types.push_back(ColumnType::Decimal(precision, scale));
  }
  types.push_back(ColumnType::Time(TimeUnit::kMicro));
  types.push_back(ColumnType::Time(TimeUnit::kNano));
  for (const TimeUnit unit : {TimeUnit::kSecond, TimeUnit::kMilli, TimeUnit::kMicro, TimeUnit::kNano}) {
    types.push_back(ColumnType::Timestamp(unit));
    types.push_back(ColumnType::Timestamp(unit, "UTC"));
  }
  types.push_back(ColumnType::Timestamp(TimeUnit::kMicro, "Europe/Kyiv"));
  for (const TypeId id : {TypeId::kHugeint, TypeId::kUHugeint, TypeId::kInterval, TypeId::kTimeTz, TypeId::kBit,
                          TypeId::kBignum, TypeId::kJson, TypeId::kGeometry}) {
    types.push_back(id);
  }
  types.push_back(ColumnType::Enum({"b", "a", "", "it's"}));
  const std::vector<ColumnType> flat = types;
  types.push_back(ColumnType::List(TypeId::kInt32));
  types.push_back(ColumnType::List(ColumnType::List(TypeId::kUtf8)));
  types.push_back(ColumnType::Array(TypeId::kDouble, 3));
  types.push_back(ColumnType::Map(TypeId::kUtf8, ColumnType::List(TypeId::kBool)));
  types.push_back(ColumnType::Union({{"num", TypeId::kInt64}, {"Tag", TypeId::kUtf8}}));
  types.push_back(ColumnType::Variant());
  std::vector<TypeMember> members;
  for (const ColumnType& type : flat) members.push_back({"f " + std::to_string(members.size()), type});
  types.push_back(ColumnType::Struct(members));
  types.push_back(ColumnType::List(ColumnType::Struct(
      {{"a", ColumnType::Array(ColumnType::Struct({{"x", TypeId::kUuid}}), 2)}, {"m", types.back()}})));
  return types;
}

// Those that can be in a key.
inline std::vector<ColumnType> AllKeyTypes() {
  std::vector<ColumnType> types = AllColumnTypes();
  std::erase_if(types, [](const ColumnType& type) { return !HasOrder(type); });
  return types;
}

// Not thread-safe.
class ValueGenerator {
 public:
  explicit ValueGenerator(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  ColumnType AnyType() {
    static const std::vector<ColumnType> types = AllColumnTypes();
    return types[Below(types.size())];
  }

  ColumnType AnyKeyType() {
    static const std::vector<ColumnType> types = AllKeyTypes();
    return types[Below(types.size())];
  }

  // In the exact form of the type, never NULL; often an edge case, often near another one.
  Value AnyValue(const ColumnType& type) {
    switch (type.id) {
      case TypeId::kBool:
        return Value(OneIn(2));
      case TypeId::kFloat:
        return Value(static_cast<double>(AnyReal<float, uint32_t>()));
      case TypeId::kDouble:
        return Value(AnyReal<double, uint64_t>());
      case TypeId::kDecimal128: {
        const Int128 limit = PowerOfTen(type.precision) - 1;
        return Value(Decimal{AnyInteger(-limit, limit), type.scale});
      }
      case TypeId::kUtf8:
        return Value(AnyText());
      case TypeId::kBinary:
        return Value(AnyBytes());
      case TypeId::kUuid:
        return Value(AnyUuid());
      case TypeId::kJson:
        return Value(AnyText());
      case TypeId::kGeometry: {  // a point
        std::string bytes("\1\1\0\0\0", 5);
        for (int i = 0; i < 2; ++i) {
          const double number = AnyReal<double, uint64_t>();
          bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
        }
        return Value(bytes);
      }
      default:
        break;
    }
    if (type.id > TypeId::kUuid) return AnyOtherValue(type);
    const IntegerRange range = RangeOf(type);
    const Int128 number = AnyInteger(range.least, range.greatest);
    const bool is_unsigned = type.id >= TypeId::kUInt8 && type.id <= TypeId::kUInt64;
    return is_unsigned ? Value(static_cast<uint64_t>(number)) : Value(static_cast<int64_t>(number));
  }

  // Of the types that Parquet lacks, and the nested ones.
  Value AnyOtherValue(const ColumnType& type) {
    switch (type.id) {
      case TypeId::kHugeint:
        return Value(static_cast<Int128>(AnyWords()));
      case TypeId::kUHugeint:
        return Value(AnyWords());
      case TypeId::kInterval:
        return Value(Interval{static_cast<int32_t>(AnyInteger(INT32_MIN, INT32_MAX)),
                              static_cast<int32_t>(AnyInteger(INT32_MIN, INT32_MAX)),
                              static_cast<int64_t>(AnyInteger(INT64_MIN / 1000, INT64_MAX / 1000))});
      case TypeId::kTimeTz: {
        const auto zone = static_cast<uint64_t>(AnyInteger(0, 115'198));
        const auto micros = static_cast<uint64_t>(AnyInteger(0, UnitsPerDay(TimeUnit::kMicro)));
        return Value((micros + zone * 1'000'000) << 24 | zone);
      }
      case TypeId::kBit:
        return Value::Parse(AnyDigits("01", 20), type).ValueOrDie();
      case TypeId::kBignum:
        return Value::Parse((OneIn(2) ? "-" : "") + AnyDigits("0123456789", OneIn(3) ? 60 : 4), type).ValueOrDie();
      case TypeId::kEnum:
        return Value(Below(type.labels().size()));
      case TypeId::kVariant:
        return AnyValue(LayoutOf(type));
      default:
        return Value::Nested(type, AnyParts(type)).ValueOrDie();
    }
  }

  std::vector<Value> AnyParts(const ColumnType& type) {
    const std::vector<TypeMember>& members = type.members();
    std::vector<Value> parts;
    switch (type.id) {
      case TypeId::kStruct:
        for (const TypeMember& member : members) parts.push_back(AnyValueOrNull(member.type));
        return parts;
      case TypeId::kUnion:
        parts.emplace_back(Below(members.size()));
        parts.push_back(AnyValueOrNull(members[parts[0].get<uint64_t>()].type));
        return parts;
      case TypeId::kMap:
        for (uint64_t n = Below(4); n > 0; --n) {
          parts.push_back(AnyValue(members[0].type));
          parts.push_back(AnyValueOrNull(members[1].type));
        }
        return parts;
      default:
        break;
    }
    const bool has_nulls = OneIn(2);
    for (uint64_t n = type.id == TypeId::kArray ? type.array_size() : Below(5); n > 0; --n) {
      parts.push_back(has_nulls ? AnyValueOrNull(members[0].type) : AnyValue(members[0].type));
    }
    return parts;
  }

  Value AnyValueOrNull(const ColumnType& type) { return OneIn(5) ? Value::Null() : AnyValue(type); }

  Int128 AnyInteger(Int128 least, Int128 greatest) {
    Int128 number = 0;
    switch (Below(5)) {
      case 0:
        return least;
      case 1:
        return greatest;
      case 2:
        number = static_cast<Int128>(Below(7)) - 3;
        break;
      case 3:
        number = static_cast<Int128>(1) << Below(127);
        break;
      default:
        number = static_cast<Int128>(Bits()) * (static_cast<Int128>(1) << 62) + Bits();
        break;
    }
    if (OneIn(2)) number = -number;
    if (number >= least && number <= greatest) return number;
    // Unsigned: there may be more values than the greatest one says.
    __extension__ typedef unsigned __int128 Unsigned;
    const Unsigned size = static_cast<Unsigned>(greatest) - static_cast<Unsigned>(least) + 1;
    return static_cast<Int128>(static_cast<Unsigned>(least) + static_cast<Unsigned>(number) % size);
  }

  // Few letters, zeros and 0xFF among them, so that equal texts and prefixes are common.
  std::string AnyBytes(size_t max_size = 12) {
    constexpr char kBytes[] = {'a', 'b', '\x00', '\x01', '\xFF', '\x7F', '\\', '\''};
    std::string bytes(OneIn(4) ? 0 : Below(max_size + 1), '\0');
    for (char& byte : bytes) byte = OneIn(8) ? static_cast<char>(Below(256)) : kBytes[Below(std::size(kBytes))];
    return bytes;
  }

  std::string AnyText(size_t max_letters = 8) {
    static const std::string letters[] = {"a", "b", "Z", " ", "'", std::string(1, '\0'), "\x01", "\x7F", "é", "€", "😀"};
    std::string text;
    for (size_t n = OneIn(4) ? 0 : Below(max_letters + 1); n > 0; --n) text += letters[Below(std::size(letters))];
    return text;
  }

 private:
  uint64_t Bits() { return random_(); }

  UInt128 AnyWords() {
    const UInt128 edges[] = {0, 1, ~UInt128{0}, UInt128{1} << 127, (UInt128{1} << 127) - 1, UInt128{1} << 64};
    if (OneIn(2)) return edges[Below(std::size(edges))];
    return static_cast<UInt128>(Bits()) << 64 | Bits();
  }

  std::string AnyDigits(std::string_view digits, size_t most) {
    std::string text(1 + Below(most), '0');
    for (char& c : text) c = digits[Below(digits.size())];
    return text;
  }

  template <class Real, class Unsigned>
  Real AnyReal() {
    constexpr Real kEdges[] = {Real(0.0),
                               Real(-0.0),
                               1,
                               -1,
                               Real(0.1),
                               std::numeric_limits<Real>::quiet_NaN(),
                               std::numeric_limits<Real>::infinity(),
                               -std::numeric_limits<Real>::infinity(),
                               std::numeric_limits<Real>::max(),
                               std::numeric_limits<Real>::lowest(),
                               std::numeric_limits<Real>::min(),
                               std::numeric_limits<Real>::denorm_min(),
                               -std::numeric_limits<Real>::denorm_min()};
    if (OneIn(2)) return kEdges[Below(std::size(kEdges))];
    const auto real = std::bit_cast<Real>(static_cast<Unsigned>(Bits()));
    return std::isnan(real) ? std::numeric_limits<Real>::quiet_NaN() : real;
  }

  Uuid AnyUuid() {
    Uuid uuid;
    for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(OneIn(3) ? Below(256) : Below(2) * 255);
    return uuid;
  }

  std::mt19937_64 random_;
};

}  // namespace yarrow::test
