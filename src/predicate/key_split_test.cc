#include <gtest/gtest.h>

#include <algorithm>

#include "arrow_assert.h"
#include "predicate/row_predicate.h"

namespace yarrow {
namespace {

using Op = Predicate::Op;

const std::string kPrefix("\2\0\0\0\1", 5);

std::shared_ptr<const RowSchema> Schema(const std::vector<ColumnType>& key) {
  RowSchema::Options options;
  options.table_name = "main.t";
  options.key_prefix_size = kPrefix.size();
  for (size_t i = 0; i <= key.size(); ++i) {
    RowColumn column;
    column.id = static_cast<uint32_t>(i + 1);
    column.name = std::string(1, static_cast<char>('a' + i));
    column.type = i < key.size() ? key[i] : ColumnType(TypeId::kInt64);
    column.nullable = i == key.size();
    if (i < key.size()) options.key_column_ids.push_back(column.id);
    options.columns.push_back(column);
  }
  RowVersion version{1, RowSchema::StoredColumnIds(options.columns, options.key_column_ids), {}};
  for (const uint32_t id : version.column_ids) version.types.push_back(options.columns[id - 1].type);
  options.versions = {version};
  return RowSchema::Make(options).ValueOrDie();
}

// A key, whole or of the leading columns.
std::string Key(const RowSchema& schema, const std::vector<Value>& values) {
  std::string key = kPrefix;
  EXPECT_OK(schema.key_codec().Encode(values, &key));
  return key;
}

Predicate Is(int column, Op op, Value value) {
  return Predicate::Compare(column, op, std::move(value));
}

class IntTextKey : public ::testing::Test {
 protected:
  KeySplit Split(const Predicate& predicate, size_t max_ranges = 10000) const {
    auto split = SplitOnKey(predicate, *schema_, kPrefix, max_ranges);
    EXPECT_OK(split.status());
    return split.ok() ? *split : KeySplit{};
  }
  std::string Rest(const KeySplit& split) const { return split.rest.ToString({"a", "b", "c"}); }
  KeyRange Point(int64_t a, const char* b) const {
    const std::string key = Key(*schema_, {Value(a), Value(b)});
    return {key, KeySuccessor(key)};
  }
  KeyRange Starting(int64_t a) const { return PrefixRange(Key(*schema_, {Value(a)})); }

  const std::shared_ptr<const RowSchema> schema_ = Schema({TypeId::kInt64, TypeId::kUtf8});
};

TEST_F(IntTextKey, NothingToSplit) {
  KeySplit split = Split(Predicate::True());
  EXPECT_EQ(split.ranges, std::vector<KeyRange>{PrefixRange(kPrefix)});
  EXPECT_TRUE(Split(Predicate::False()).ranges.empty());
  split = Split(Is(2, Op::kEq, int64_t{1}));
  EXPECT_EQ(split.ranges, std::vector<KeyRange>{PrefixRange(kPrefix)});
  EXPECT_EQ(Rest(split), "c = 1");
}

TEST_F(IntTextKey, WholeKeyIsAPoint) {
  const KeySplit split =
      Split(Predicate::And({Is(1, Op::kEq, "x"), Is(0, Op::kEq, int64_t{7}), Is(2, Op::kLt, int64_t{1})}));
  EXPECT_EQ(split.ranges, std::vector<KeyRange>{Point(7, "x")});
  EXPECT_EQ(Rest(split), "c < 1");
}

TEST_F(IntTextKey, ListsMultiply) {
  const KeySplit split = Split(Predicate::And(
      {Predicate::In(0, {Value(int64_t{8}), Value(int64_t{7})}), Predicate::In(1, {Value("x"), Value("")})}));
  EXPECT_EQ(split.ranges, (std::vector<KeyRange>{Point(7, ""), Point(7, "x"), Point(8, ""), Point(8, "x")}));
  EXPECT_EQ(Rest(split), "true");
}

TEST_F(IntTextKey, RangeAfterEquality) {
  const KeySplit split = Split(Predicate::And({Is(0, Op::kEq, int64_t{7}), Is(1, Op::kGt, "b"), Is(1, Op::kLe, "d")}));
  const std::string low = Key(*schema_, {Value(int64_t{7}), Value("b")});
  const std::string high = Key(*schema_, {Value(int64_t{7}), Value("d")});
  EXPECT_EQ(split.ranges, (std::vector<KeyRange>{{PrefixSuccessor(low), PrefixSuccessor(high)}}));
  EXPECT_EQ(Rest(split), "true");
}

TEST_F(IntTextKey, NothingNarrowsBehindARange) {
  const KeySplit split = Split(Predicate::And({Is(0, Op::kGe, int64_t{7}), Is(1, Op::kEq, "b")}));
  EXPECT_EQ(split.ranges, (std::vector<KeyRange>{{Key(*schema_, {Value(int64_t{7})}), PrefixSuccessor(kPrefix)}}));
  EXPECT_EQ(Rest(split), "b = 'b'");
}

TEST_F(IntTextKey, SecondColumnAloneIsARowTest) {
  const KeySplit split = Split(Is(1, Op::kEq, "b"));
  EXPECT_EQ(split.ranges, std::vector<KeyRange>{PrefixRange(kPrefix)});
  EXPECT_EQ(Rest(split), "b = 'b'");
}

TEST_F(IntTextKey, OrUnitesRanges) {
  const auto pair = [](int64_t a, const char* b) { return Predicate::And({Is(0, Op::kEq, a), Is(1, Op::kEq, b)}); };
  KeySplit split = Split(Predicate::Or({pair(9, "y"), pair(7, "x")}));
  EXPECT_EQ(split.ranges, (std::vector<KeyRange>{Point(7, "x"), Point(9, "y")}));
  EXPECT_EQ(Rest(split), "true");
  // One branch says nothing of the key: all keys.
  split = Split(Predicate::Or({pair(9, "y"), Is(2, Op::kEq, int64_t{1})}));
  EXPECT_EQ(split.ranges, std::vector<KeyRange>{PrefixRange(kPrefix)});
  // A branch is only narrowed by the key: the OR stays.
  split =
      Split(Predicate::Or({pair(9, "y"), Predicate::And({Is(0, Op::kEq, int64_t{7}), Is(2, Op::kEq, int64_t{1})})}));
  EXPECT_EQ(split.ranges, (std::vector<KeyRange>{Starting(7), Point(9, "y")}));
  EXPECT_NE(Rest(split), "true");
}

TEST_F(IntTextKey, OrBesideEquality) {
  const Predicate ends = Predicate::Or({Is(1, Op::kLt, "b"), Is(1, Op::kEq, "m")});
  const KeySplit split = Split(Predicate::And({Is(0, Op::kEq, int64_t{7}), ends}));
  ASSERT_EQ(split.ranges.size(), 2u);
  EXPECT_EQ(split.ranges[0],
            (KeyRange{Key(*schema_, {Value(int64_t{7})}), Key(*schema_, {Value(int64_t{7}), Value("b")})}));
  EXPECT_EQ(split.ranges[1], Point(7, "m"));
  EXPECT_EQ(Rest(split), "true");
}

TEST_F(IntTextKey, ValuesNarrowFurtherBesideRanges) {
  const Predicate ends = Predicate::Or({Is(0, Op::kGe, int64_t{7}), Is(0, Op::kEq, int64_t{1})});
  const KeySplit split = Split(Predicate::And({ends, Is(1, Op::kEq, "x")}));
  ASSERT_EQ(split.ranges.size(), 2u);
  EXPECT_EQ(split.ranges[0], Point(1, "x"));
  EXPECT_EQ(split.ranges[1].lower, Key(*schema_, {Value(int64_t{7})}));
  EXPECT_EQ(Rest(split), "b = 'x'");
}

TEST_F(IntTextKey, OrOverSeveralKeyColumnsNarrowsAnAnd) {
  const auto pair = [](int64_t a, const char* b) { return Predicate::And({Is(0, Op::kEq, a), Is(1, Op::kEq, b)}); };
  const Predicate either = Predicate::Or({pair(9, "y"), pair(7, "x")});
  KeySplit split = Split(Predicate::And({Is(2, Op::kEq, int64_t{1}), either}));
  EXPECT_EQ(split.ranges, (std::vector<KeyRange>{Point(7, "x"), Point(9, "y")}));
  EXPECT_EQ(Rest(split), "c = 1");
  split = Split(Predicate::And({Is(0, Op::kLt, int64_t{8}), either}));
  EXPECT_EQ(split.ranges, (std::vector<KeyRange>{Point(7, "x")}));
  EXPECT_EQ(Rest(split), "true");
}

TEST_F(IntTextKey, ContradictionsHaveNoRange) {
  EXPECT_TRUE(Split(Predicate::And({Is(0, Op::kGt, int64_t{7}), Is(0, Op::kLt, int64_t{7})})).ranges.empty());
  EXPECT_TRUE(Split(Predicate::IsNull(0)).ranges.empty());
  EXPECT_TRUE(Split(Predicate::And({Is(2, Op::kEq, int64_t{1}), Predicate::IsNull(1)})).ranges.empty());
  EXPECT_TRUE(Split(Is(0, Op::kEq, Value::Null())).ranges.empty());
}

TEST_F(IntTextKey, PrefixOfText) {
  const KeySplit split =
      Split(Predicate::And({Is(0, Op::kEq, int64_t{7}), Predicate::StartsWith(1, std::string("a\0", 2))}));
  ASSERT_EQ(split.ranges.size(), 1u);
  EXPECT_EQ(Rest(split), "true");
  const auto has = [&](std::string text) {
    return split.ranges[0].Contains(Key(*schema_, {Value(int64_t{7}), Value(std::move(text))}));
  };
  EXPECT_TRUE(has(std::string("a\0", 2)));
  EXPECT_TRUE(has(std::string("a\0z", 3)));
  EXPECT_TRUE(has(std::string("a\0\0", 3)));
  EXPECT_FALSE(has("a"));
  EXPECT_FALSE(has("a\1"));
  EXPECT_FALSE(has("b"));
}

TEST_F(IntTextKey, TooManyRangesAreJoined) {
  std::vector<Value> values;
  for (int64_t i = 0; i < 50; ++i) values.emplace_back(2 * i);
  const Predicate list = Predicate::In(0, values);
  EXPECT_EQ(Split(list).ranges.size(), 50u);
  KeySplit split = Split(list, 49);
  EXPECT_EQ(split.ranges, (std::vector<KeyRange>{{Starting(0).lower, Starting(98).upper}}));
  EXPECT_EQ(split.rest.values().size(), 50u);
  // The first column still narrows when only the product is too much.
  split = Split(Predicate::And({list, Predicate::In(1, {Value("x"), Value("y")})}), 60);
  EXPECT_EQ(split.ranges.size(), 50u);
  EXPECT_EQ(Rest(split), "b IN ('x', 'y')");
}

TEST(KeySplit, BoundsAtTheEndsOfAType) {
  const auto schema = Schema({TypeId::kUInt8, TypeId::kInt32});
  const auto ranges = [&](Op op, uint64_t value) {
    return SplitOnKey(Is(0, op, value), *schema, kPrefix).ValueOrDie().ranges;
  };
  EXPECT_TRUE(ranges(Op::kGt, 255).empty());
  EXPECT_EQ(ranges(Op::kLe, 255), std::vector<KeyRange>{PrefixRange(kPrefix)});
  EXPECT_EQ(ranges(Op::kGe, 255), std::vector<KeyRange>{PrefixRange(kPrefix + "\xFF")});
  EXPECT_EQ(ranges(Op::kLt, 255), (std::vector<KeyRange>{{kPrefix, kPrefix + "\xFF"}}));
}

TEST(KeySplit, NeighboursStayPoints) {
  const auto schema = Schema({TypeId::kUInt8});
  const Predicate list = Predicate::In(0, {Value(uint64_t{4}), Value(uint64_t{5}), Value(uint64_t{6})});
  const KeySplit split = SplitOnKey(list, *schema, kPrefix).ValueOrDie();
  EXPECT_EQ(split.ranges.size(), 3u);
}

// -0.0 and 0.0 are one key, and equal in SQL; the row tells them apart, which nothing asks for.
TEST(KeySplit, FloatKeys) {
  const auto schema = Schema({TypeId::kDouble});
  const KeySplit zero = SplitOnKey(Is(0, Op::kEq, -0.0), *schema, kPrefix).ValueOrDie();
  EXPECT_EQ(zero.ranges.front().lower, Key(*schema, {Value(0.0)}));
  EXPECT_EQ(zero.rest.kind(), Predicate::Kind::kTrue);
}

TEST(KeySplit, PrefixAtTheEndOfTheKeySpace) {
  const auto schema = Schema({TypeId::kInt64});
  const std::string last(5, '\xFF');
  const KeySplit split = SplitOnKey(Is(0, Op::kGe, int64_t{0}), *schema, last).ValueOrDie();
  ASSERT_EQ(split.ranges.size(), 1u);
  EXPECT_TRUE(split.ranges[0].upper.empty());
}

// Entries of an index on (c, b) of a table with the key (a, b): all parts may be NULL, and NULLs are last.
class IndexOnTwoColumns : public ::testing::Test {
 protected:
  KeySplit Split(const Predicate& predicate) const {
    const auto keys = IndexKeys::Make(schema_, {2, 1}, /*unique=*/false, kPrefix);
    EXPECT_OK(keys.status());
    auto split = SplitOnIndex(predicate, *keys, /*max_ranges=*/10000);
    EXPECT_OK(split.status());
    return split.ok() ? *split : KeySplit{};
  }
  std::string Bytes(const std::vector<Value>& values) const {
    std::string bytes = kPrefix;
    const std::vector<KeyPart> parts = {{TypeId::kInt64, true}, {TypeId::kUtf8, true}};
    for (size_t i = 0; i < values.size(); ++i) EXPECT_OK(EncodeKeyPart(values[i], parts[i], &bytes));
    return bytes;
  }

  const std::shared_ptr<const RowSchema> schema_ = Schema({TypeId::kInt64, TypeId::kUtf8});
};

TEST_F(IndexOnTwoColumns, ValuesArePrefixesOfEntries) {
  const KeySplit one = Split(Is(2, Op::kEq, Value(int64_t{5})));
  EXPECT_EQ(one.ranges, std::vector<KeyRange>{PrefixRange(Bytes({Value(int64_t{5})}))});
  EXPECT_EQ(one.rest.kind(), Predicate::Kind::kTrue);
  const KeySplit both = Split(Predicate::And({Is(2, Op::kEq, Value(int64_t{5})), Is(1, Op::kEq, Value("x"))}));
  EXPECT_EQ(both.ranges, std::vector<KeyRange>{PrefixRange(Bytes({Value(int64_t{5}), Value("x")}))});
  EXPECT_EQ(both.rest.kind(), Predicate::Kind::kTrue);
  const KeySplit other = Split(Is(0, Op::kEq, Value(int64_t{5})));
  EXPECT_EQ(other.ranges, std::vector<KeyRange>{PrefixRange(kPrefix)});
  EXPECT_EQ(other.rest.kind(), Predicate::Kind::kCompare);
}

TEST_F(IndexOnTwoColumns, NullsAreARangeOfTheirOwn) {
  const std::string nulls = Bytes({Value::Null()});
  const std::string five = Bytes({Value(int64_t{5})});
  EXPECT_EQ(Split(Predicate::IsNull(2)).ranges, std::vector<KeyRange>{PrefixRange(nulls)});
  EXPECT_EQ(Split(Predicate::IsNotNull(2)).ranges, (std::vector<KeyRange>{{kPrefix, nulls}}));
  EXPECT_EQ(Split(Is(2, Op::kGe, Value(int64_t{5}))).ranges, (std::vector<KeyRange>{{five, nulls}}));
  EXPECT_EQ(Split(Is(2, Op::kGt, Value(INT64_MAX))).ranges, std::vector<KeyRange>());
  EXPECT_EQ(Split(Is(2, Op::kLt, Value(int64_t{5}))).ranges, (std::vector<KeyRange>{{kPrefix, five}}));
  const KeySplit unequal = Split(Is(2, Op::kNe, Value(int64_t{5})));
  EXPECT_EQ(unequal.ranges, std::vector<KeyRange>{PrefixRange(kPrefix)});
  EXPECT_EQ(unequal.rest.kind(), Predicate::Kind::kCompare);
}

TEST_F(IndexOnTwoColumns, PrefixesOfTextHaveTheByteOfValuesInFront) {
  const KeySplit split = Split(Predicate::And({Predicate::IsNull(2), Predicate::StartsWith(1, "ab")}));
  const std::string nulls = Bytes({Value::Null()});
  EXPECT_EQ(split.ranges, std::vector<KeyRange>{PrefixRange(nulls + "\1ab")});
  EXPECT_EQ(split.rest.kind(), Predicate::Kind::kTrue);
}

}  // namespace
}  // namespace yarrow
