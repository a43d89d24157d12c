#include "key/key_codec.h"

#include <cmath>
#include <optional>

#include "arrow_assert.h"
#include "key/key_bytes.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "random_seed.h"
#include "value_generator.h"

namespace yarrow {
namespace {

using test::ValueGenerator;
using Key = std::vector<Value>;

std::string Bytes(std::initializer_list<int> bytes) {
  return std::string(bytes.begin(), bytes.end());
}

std::string Encoded(const KeyCodec& codec, std::span<const Value> values) {
  std::string key;
  EXPECT_OK(codec.Encode(values, &key));
  return key;
}

// Bytes in a block of exactly their size, so that ASan sees any read beyond them.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
  operator std::string_view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

std::weak_ordering CompareKeys(std::span<const Value> a, std::span<const Value> b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (const auto order = CompareValues(a[i], b[i]); std::is_neq(order)) return order;
  }
  return std::weak_ordering::equivalent;
}

std::vector<KeyPart> AnyParts(ValueGenerator* generator) {
  std::vector<KeyPart> parts(1 + generator->Below(4));
  for (KeyPart& part : parts) part = {generator->AnyKeyType(), generator->OneIn(3)};
  return parts;
}

Key AnyKey(const std::vector<KeyPart>& parts, ValueGenerator* generator) {
  Key key;
  for (const KeyPart& part : parts) {
    key.push_back(part.nullable ? generator->AnyValueOrNull(part.type) : generator->AnyValue(part.type));
  }
  return key;
}

// Another key that has some of its parts in common.
Key Neighbour(const Key& key, const std::vector<KeyPart>& parts, ValueGenerator* generator) {
  Key other = AnyKey(parts, generator);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!generator->OneIn(3)) other[i] = key[i];
  }
  return other;
}

void ExpectBytes(const KeyPart& part, const Value& value, const std::string& expected) {
  SCOPED_TRACE(part.type.ToString());
  std::string bytes;
  ASSERT_OK(EncodeKeyPart(value, part, &bytes));
  EXPECT_EQ(bytes, expected);
  std::string_view rest = bytes;
  ASSERT_OK_AND_ASSIGN(const Value back, DecodeKeyPart(&rest, part));
  EXPECT_TRUE(std::is_eq(CompareValues(back, value)));
  EXPECT_TRUE(rest.empty());
}

TEST(KeyCodecTest, BytesOnDisk) {
  const ColumnType decimal = ColumnType::Decimal(38, 2);
  ExpectBytes({TypeId::kBool}, Value(true), Bytes({1}));
  ExpectBytes({TypeId::kInt8}, Value(-1), Bytes({0x7F}));
  ExpectBytes({TypeId::kInt16}, Value(1), Bytes({0x80, 1}));
  ExpectBytes({TypeId::kInt32}, Value(INT32_MIN), Bytes({0, 0, 0, 0}));
  ExpectBytes({TypeId::kDate32}, Value(-2), Bytes({0x7F, 0xFF, 0xFF, 0xFE}));
  ExpectBytes({TypeId::kInt64}, Value(0x0102), Bytes({0x80, 0, 0, 0, 0, 0, 1, 2}));
  ExpectBytes({ColumnType::Time(TimeUnit::kMicro)}, Value(3), Bytes({0x80, 0, 0, 0, 0, 0, 0, 3}));
  ExpectBytes({ColumnType::Timestamp(TimeUnit::kNano)}, Value(-1), Bytes({0x7F, 255, 255, 255, 255, 255, 255, 255}));
  ExpectBytes({TypeId::kUInt8}, Value(200u), Bytes({200}));
  ExpectBytes({TypeId::kUInt16}, Value(0x0102u), Bytes({1, 2}));
  ExpectBytes({TypeId::kUInt32}, Value(0x01020304u), Bytes({1, 2, 3, 4}));
  ExpectBytes({TypeId::kUInt64}, Value(uint64_t{5}), Bytes({0, 0, 0, 0, 0, 0, 0, 5}));
  ExpectBytes({TypeId::kFloat}, Value(1.0), Bytes({0xBF, 0x80, 0, 0}));
  ExpectBytes({TypeId::kFloat}, Value(-1.0), Bytes({0x40, 0x7F, 0xFF, 0xFF}));
  ExpectBytes({TypeId::kDouble}, Value(-0.0), Bytes({0x80, 0, 0, 0, 0, 0, 0, 0}));
  ExpectBytes({TypeId::kDouble}, Value(-std::nan("7")), Bytes({0xFF, 0xF8, 0, 0, 0, 0, 0, 0}));
  ExpectBytes({decimal}, Value(Decimal{-2, 2}),
              Bytes({0x7F, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0xFE}));
  ExpectBytes({TypeId::kUtf8}, Value(std::string("a\0b", 3)), Bytes({'a', 0, 0xFF, 'b', 0, 1}));
  ExpectBytes({TypeId::kBinary}, Value(""), Bytes({0, 1}));
  ExpectBytes({TypeId::kUuid}, Value(Uuid{{9, 8}}), Bytes({9, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  ExpectBytes({TypeId::kBool, true}, Value(false), Bytes({1, 0}));
  ExpectBytes({TypeId::kBool, true}, Value::Null(), Bytes({2}));
}

TEST(KeyCodecTest, RecordPrefixBytes) {
  EXPECT_EQ(RecordPrefix(RecordKind::kRow, 0x01020304), Bytes({2, 1, 2, 3, 4}));
  EXPECT_EQ(RecordPrefix(RecordKind::kSetting, 7), Bytes({7, 0, 0, 0, 7}));
  EXPECT_EQ(RecordPrefix(RecordKind::kRow, 1).size(), kRecordPrefixSize);
  EXPECT_EQ(UserRecordPrefix(RecordKind::kRow, 1, "u"), Bytes({2, 0, 0, 0, 1, 'u', 0, 1}));
  // No user's prefix is that of another user's rows.
  EXPECT_FALSE(PrefixRange(UserRecordPrefix(RecordKind::kRow, 1, "u"))
                   .Contains(UserRecordPrefix(RecordKind::kRow, 1, std::string("u\0", 2))));
  EXPECT_FALSE(
      PrefixRange(UserRecordPrefix(RecordKind::kRow, 1, "u")).Contains(UserRecordPrefix(RecordKind::kRow, 1, "u2")));
}

TEST(KeyCodecTest, OrderOfBytesIsOrderOfValues) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (const ColumnType& type : test::AllKeyTypes()) {
    const KeyPart part{type, true};
    for (int round = 0; round < test::Rounds(2'000); ++round) {
      const Value a = generator.AnyValueOrNull(type);
      const Value b = generator.AnyValueOrNull(type);
      std::string a_key;
      std::string b_key;
      ASSERT_OK(EncodeKeyPart(a, part, &a_key));
      ASSERT_OK(EncodeKeyPart(b, part, &b_key));
      ASSERT_EQ(a_key <=> b_key, CompareValues(a, b))
          << type.ToString() << ": " << a.ToString(type) << ", " << b.ToString(type);
    }
  }
}

TEST(KeyCodecTest, CompositeKeysSortReadBackAndAreLocated) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (int round = 0; round < test::Rounds(20'000); ++round) {
    const std::vector<KeyPart> parts = AnyParts(&generator);
    ASSERT_OK_AND_ASSIGN(const KeyCodec codec, KeyCodec::Make(parts));
    const Key values = AnyKey(parts, &generator);
    const Key other = Neighbour(values, parts, &generator);
    const std::string key = Encoded(codec, values);
    ASSERT_EQ(key <=> Encoded(codec, other), CompareKeys(values, other));

    const ExactBytes exact(key);
    ASSERT_OK_AND_ASSIGN(const Key decoded, codec.Decode(exact));
    ASSERT_EQ(decoded.size(), values.size());
    ASSERT_TRUE(std::is_eq(CompareKeys(decoded, values)));

    std::vector<uint32_t> offsets(parts.size() + 1);
    ASSERT_OK(codec.Locate(exact, offsets.data()));
    for (size_t i = 0; i <= parts.size(); ++i) {
      ASSERT_EQ(offsets[i], Encoded(codec, std::span(values).first(i)).size());
      const bool is_fixed = std::all_of(parts.begin(), parts.begin() + static_cast<int64_t>(i),
                                        [](const KeyPart& p) { return !p.nullable && !p.type.is_variable(); });
      ASSERT_EQ(codec.fixed_offset(i), is_fixed ? static_cast<int32_t>(offsets[i]) : -1);
    }
    ASSERT_EQ(codec.fixed_size(), codec.fixed_offset(parts.size()));
  }
}

TEST(KeyCodecTest, PrefixRangeHoldsJustTheKeysThatStartSo) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (int round = 0; round < test::Rounds(20'000); ++round) {
    const std::vector<KeyPart> parts = AnyParts(&generator);
    ASSERT_OK_AND_ASSIGN(const KeyCodec codec, KeyCodec::Make(parts));
    const Key values = AnyKey(parts, &generator);
    const std::string other_key = Encoded(codec, Neighbour(values, parts, &generator));
    ASSERT_OK_AND_ASSIGN(const Key other, codec.Decode(other_key));
    for (size_t n = 0; n <= parts.size(); ++n) {
      const std::string prefix = Encoded(codec, std::span(values).first(n));
      const bool starts_so = std::is_eq(CompareKeys(std::span(values).first(n), std::span(other).first(n)));
      ASSERT_EQ(PrefixRange(prefix).Contains(other_key), starts_so);
    }
  }
}

TEST(KeyCodecTest, EveryTruncationAndExtensionIsAnError) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (int round = 0; round < test::Rounds(5'000); ++round) {
    const std::vector<KeyPart> parts = AnyParts(&generator);
    ASSERT_OK_AND_ASSIGN(const KeyCodec codec, KeyCodec::Make(parts));
    const std::string key = Encoded(codec, AnyKey(parts, &generator));
    std::vector<uint32_t> offsets(parts.size() + 1);
    for (size_t size = 0; size < key.size(); ++size) {
      const ExactBytes truncated(std::string_view(key).substr(0, size));
      EXPECT_ERROR_HAS(codec.Decode(truncated), "malformed key: part ");
      EXPECT_ERROR_HAS(codec.Locate(truncated, offsets.data()), "malformed key: part ");
    }
    const ExactBytes extended(key + '\x01');
    EXPECT_ERROR_HAS(codec.Decode(extended), "its parts end at byte " + std::to_string(key.size()));
    EXPECT_ERROR_HAS(codec.Locate(extended, offsets.data()), "its parts end at byte");
  }
}

// Whatever bytes decode are those that encode gives: no two keys stand for the same values.
TEST(KeyCodecTest, DamagedKeysAreErrorsOrOtherKeys) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  int decoded_count = 0;
  for (int round = 0; round < test::Rounds(50'000); ++round) {
    const std::vector<KeyPart> parts = AnyParts(&generator);
    ASSERT_OK_AND_ASSIGN(const KeyCodec codec, KeyCodec::Make(parts));
    std::string key = generator.OneIn(4) ? generator.AnyBytes(40) : Encoded(codec, AnyKey(parts, &generator));
    for (uint64_t n = generator.Below(4); n > 0 && !key.empty(); --n) {
      key[generator.Below(key.size())] ^= static_cast<char>(1 << generator.Below(8));
    }
    const ExactBytes exact(key);
    std::vector<uint32_t> offsets(parts.size() + 1);
    const arrow::Status located = codec.Locate(exact, offsets.data());
    const auto values = codec.Decode(exact);
    if (!values.ok()) continue;
    ++decoded_count;
    ASSERT_OK(located);
    ASSERT_EQ(Encoded(codec, *values), key);
    for (size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].type.id == TypeId::kTimestamp) continue;  // any number is one that was stored once
      ASSERT_OK((*values)[i].CastTo(parts[i].type).status());
    }
  }
  EXPECT_GT(decoded_count, 1'000);
}

TEST(KeyCodecTest, WhatCannotBeAKeyIsAnErrorAndWritesNothing) {
  ASSERT_OK_AND_ASSIGN(const KeyCodec codec, KeyCodec::Make({{TypeId::kInt8}, {TypeId::kUtf8}}));
  std::string key = "before";
  EXPECT_ERROR_HAS(codec.Encode(Key{Value(1), Value::Null()}, &key), "key part 2 (VARCHAR): NULL");
  EXPECT_ERROR_HAS(codec.Encode(Key{Value(1), Value(2)}, &key), "key part 2 (VARCHAR)");
  EXPECT_ERROR_HAS(codec.Encode(Key{Value(128)}, &key), "key part 1 (TINYINT)");
  EXPECT_ERROR_HAS(codec.Encode(Key{Value(1u)}, &key), "key part 1 (TINYINT)");
  EXPECT_ERROR_HAS(codec.Encode(Key{Value(1), Value("a"), Value(2)}, &key), "2 parts cannot take 3 values");
  EXPECT_EQ(key, "before");
  const ColumnType decimal = ColumnType::Decimal(3, 1);
  EXPECT_ERROR_HAS(EncodeKeyPart(Value(Decimal{1, 2}), {decimal}, &key), "DECIMAL(3,1)");
  EXPECT_ERROR_HAS(EncodeKeyPart(Value(Decimal{1000, 1}), {decimal}, &key), "100.0");
  EXPECT_ERROR_HAS(EncodeKeyPart(Value(-1), {ColumnType::Time(TimeUnit::kMicro)}, &key), "TIME");
  EXPECT_EQ(key, "before");
  EXPECT_ERROR_HAS(KeyCodec::Make({{TypeId::kInt8}, {ColumnType::Decimal(0, 0)}}), "key part 2: a decimal");
}

TEST(KeyBytesTest, HeadsSortAsTheirBytes) {
  EXPECT_EQ(LoadHead(std::string_view("\x01\x02\x03\x04\x05\x06\x07\x08\x09")), 0x0102030405060708u);
  EXPECT_EQ(LoadHead("\xff"), 0xff00000000000000u);
  EXPECT_EQ(LoadHead(""), 0u);
}

}  // namespace
}  // namespace yarrow
