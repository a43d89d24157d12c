#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "arrow_assert.h"
#include "random_seed.h"
#include "type/nested_bytes.h"
#include "type/type_traits.h"
#include "value_generator.h"
#include "yarrow/value.h"

namespace yarrow {
namespace {

TEST(NestedValueTest, PartsComeBack) {
  const ColumnType point = ColumnType::Struct({{"x", TypeId::kDouble}, {"name", TypeId::kUtf8}});
  ASSERT_OK_AND_ASSIGN(const Value one, Value::Nested(point, std::vector<Value>{1, "one"}));
  ASSERT_OK_AND_ASSIGN(const Value none, Value::Nested(point, std::vector<Value>{Value(), Value()}));
  const ColumnType list = ColumnType::List(point);
  ASSERT_OK_AND_ASSIGN(const Value points, Value::Nested(list, std::vector<Value>{one, Value(), none}));
  EXPECT_EQ(points.ToString(list), "[{'x': 1, 'name': one}, NULL, {'x': NULL, 'name': NULL}]");
  ASSERT_OK_AND_ASSIGN(const auto parts, points.Parts(list));
  ASSERT_EQ(parts.size(), 3);
  EXPECT_TRUE(parts[1].is_null());
  ASSERT_OK_AND_ASSIGN(const auto fields, parts[0].Parts(point));
  EXPECT_EQ(fields[0].get<double>(), 1.0);
  EXPECT_EQ(fields[1].get<std::string>(), "one");
}

TEST(NestedValueTest, MapsAndUnions) {
  const ColumnType map = ColumnType::Map(TypeId::kUtf8, TypeId::kInt32);
  ASSERT_OK_AND_ASSIGN(const Value entries, Value::Nested(map, std::vector<Value>{"a", 1, "b", Value()}));
  EXPECT_EQ(entries.ToString(map), "{a=1, b=NULL}");
  EXPECT_ERROR_HAS(Value::Nested(map, std::vector<Value>{"a"}), "has no value");
  EXPECT_ERROR_HAS(Value::Nested(map, std::vector<Value>{Value(), 1}), "key 1 of a MAP is NULL");

  const ColumnType either = ColumnType::Union({{"num", TypeId::kInt32}, {"str", TypeId::kUtf8}});
  ASSERT_OK_AND_ASSIGN(const Value text, Value::Nested(either, std::vector<Value>{1, "seven"}));
  EXPECT_EQ(text.ToString(either), "seven");
  ASSERT_OK_AND_ASSIGN(const auto parts, text.Parts(either));
  EXPECT_EQ(parts[0].get<uint64_t>(), 1);
  EXPECT_ERROR_HAS(Value::Nested(either, std::vector<Value>{2, "x"}), "members 0 to 1");
}

TEST(NestedValueTest, PartsThatDoNotFitAreNamed) {
  const ColumnType small = ColumnType::List(TypeId::kInt8);
  EXPECT_ERROR_HAS(Value::Nested(small, std::vector<Value>{1, 128}), "in a LIST, element 2: value 128");
  const ColumnType pair = ColumnType::Struct({{"a", TypeId::kInt8}, {"b", TypeId::kInt8}});
  EXPECT_ERROR_HAS(Value::Nested(pair, std::vector<Value>{1}), "has 2 fields, not 1");
  EXPECT_ERROR_HAS(Value::Nested(pair, std::vector<Value>{1, "x"}), "in a STRUCT, field b");
  EXPECT_ERROR_HAS(Value::Nested(ColumnType::Array(TypeId::kInt8, 2), std::vector<Value>{1}), "2 elements, not 1");
  EXPECT_ERROR_HAS(Value("text").CastTo(small), "make it by Value::Nested");
}

// Whatever the bytes are, nothing is read beyond them, and what is taken for a value is one.
// ColumnType(TypeId) of a nested type has no parts.
TEST(NestedValueTest, TypesWithoutPartsAreRefused) {
  const std::shared_ptr<arrow::Scalar> full =
      std::make_shared<arrow::ListScalar>(*arrow::MakeArrayOfNull(arrow::int64(), 2));
  for (const TypeId id : {TypeId::kList, TypeId::kArray, TypeId::kStruct, TypeId::kMap, TypeId::kUnion}) {
    const ColumnType type(id);
    EXPECT_EQ(type.ToArrow(), nullptr);
    EXPECT_EQ(ColumnType::List(type).ToArrow(), nullptr);
    EXPECT_ERROR_HAS(type.Validate(), "has no parts");
    EXPECT_ERROR_HAS(Value::Nested(type, {}), "has no parts");
    EXPECT_ERROR_HAS(Value("bytes").Parts(type), "its type has no parts");
    EXPECT_ERROR_HAS(Value("bytes").CastTo(type), "its type has no parts");
    EXPECT_ERROR_HAS(Value::FromScalar(*full, type), "is not");
    EXPECT_FALSE(Value("bytes").ToString(type).empty());
  }
}

TEST(NestedValueTest, DamagedBytesAreFound) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  test::ValueGenerator generator(seed);
  std::vector<ColumnType> types = test::AllColumnTypes();
  std::erase_if(types, [](const ColumnType& type) { return !type.is_nested(); });
  int found = 0;
  for (int round = 0; round < test::Rounds(20'000); ++round) {
    const ColumnType& type = types[generator.Below(types.size())];
    std::string bytes = generator.AnyValue(type).get<std::string>();
    ASSERT_EQ(CheckNestedBytes(type, bytes), nullptr);
    const size_t at = generator.Below(bytes.size());
    if (generator.OneIn(3)) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<char>(generator.Below(256));
    }
    const std::vector<char> exact(bytes.begin(), bytes.end());  // ends where its memory does
    const std::string_view view(exact.data(), exact.size());
    if (CheckNestedBytes(type, view) != nullptr) {
      ++found;
      continue;
    }
    ASSERT_OK(Value(view).Parts(type).status());
    EXPECT_NO_THROW((void)Value(view).ToString(type));
  }
  EXPECT_GT(found, 0);
}

// The layout on disk does not change.
TEST(NestedValueTest, BytesAreFrozen) {
  const ColumnType numbers = ColumnType::List(TypeId::kInt16);
  ASSERT_OK_AND_ASSIGN(const Value plain, Value::Nested(numbers, std::vector<Value>{1, 2}));
  EXPECT_EQ(plain.get<std::string>(), std::string("\x04\x01\x00\x02\x00", 5));
  ASSERT_OK_AND_ASSIGN(const Value with_null, Value::Nested(numbers, std::vector<Value>{Value(), 2}));
  EXPECT_EQ(with_null.get<std::string>(), std::string("\x05\x01\x02\x00", 4));
  const ColumnType pair = ColumnType::Struct({{"a", TypeId::kUtf8}, {"b", TypeId::kBool}});
  ASSERT_OK_AND_ASSIGN(const Value fields, Value::Nested(pair, std::vector<Value>{"xy", Value()}));
  EXPECT_EQ(fields.get<std::string>(), std::string("\x02\x02"
                                                   "xy",
                                                   4));
  const ColumnType either = ColumnType::Union({{"n", TypeId::kInt8}, {"s", TypeId::kUtf8}});
  ASSERT_OK_AND_ASSIGN(const Value tagged, Value::Nested(either, std::vector<Value>{1, "q"}));
  EXPECT_EQ(tagged.get<std::string>(), std::string("\x02\x01\x01"
                                                   "q",
                                                   4));
}

}  // namespace
}  // namespace yarrow
