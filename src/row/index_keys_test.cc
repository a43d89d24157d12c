#include "row/index_keys.h"

#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "row/row_layout.h"
#include "row/row_reader.h"

namespace yarrow {
namespace {

const std::string kRowPrefix("\2\0\0\0\1", 5);
const std::string kEntryPrefix("\3\0\0\0\7", 5);

std::shared_ptr<const RowSchema> Schema() {
  RowSchema::Options options;
  options.table_name = "main.t";
  options.columns = {{.id = 1, .name = "id", .type = TypeId::kInt64, .nullable = false, .default_value = {}},
                     {.id = 2, .name = "a", .type = TypeId::kUtf8, .nullable = true, .default_value = {}},
                     {.id = 3, .name = "b", .type = TypeId::kInt32, .nullable = true, .default_value = {}}};
  options.key_column_ids = {1};
  options.key_prefix_size = kRowPrefix.size();
  options.versions = {{1, {2, 3}, {TypeId::kUtf8, TypeId::kInt32}}};
  return RowSchema::Make(options).ValueOrDie();
}

class IndexKeysTest : public testing::Test {
 protected:
  IndexEntry EntryOf(const IndexKeys& keys, int64_t id, const Value& a, const Value& b) {
    key_ = kRowPrefix;
    EXPECT_OK(schema_->key_codec().Encode(std::vector<Value>{Value(id)}, &key_));
    RowWriter writer(&schema_->current().layout);
    writer.Reset();
    if (!a.is_null()) EXPECT_OK(writer.Set(0, a));
    if (!b.is_null()) EXPECT_OK(writer.Set(1, b));
    EXPECT_OK(writer.Finish(/*deleted=*/false, &row_));
    IndexEntry entry;
    EXPECT_OK(keys.MakeEntry(key_, row_, &entry));
    return entry;
  }
  IndexKeys Keys(bool unique) const { return IndexKeys::Make(schema_, {1, 2}, unique, kEntryPrefix).ValueOrDie(); }

  const std::shared_ptr<const RowSchema> schema_ = Schema();
  std::string key_, row_;  // that EntryOf made last
};

TEST_F(IndexKeysTest, EntriesOfAnIndexEndWithTheKeyOfTheRow) {
  const IndexKeys keys = Keys(/*unique=*/false);
  const IndexEntry entry = EntryOf(keys, 5, Value("x"), Value(int64_t{1}));
  const std::string row_key = key_.substr(kRowPrefix.size());
  EXPECT_EQ(entry.key, kEntryPrefix + std::string("\1x\0\1\1\x80\0\0\1", 9) + row_key);
  EXPECT_EQ(entry.value, "");
  EXPECT_FALSE(entry.is_unique);
  ASSERT_OK_AND_ASSIGN(const auto found, keys.RowKey(entry.key, entry.value));
  EXPECT_EQ(found, row_key);
  EXPECT_EQ(keys.Describe(entry.key), "a: x, b: 1");
  EXPECT_NE(entry.key, EntryOf(keys, 6, Value("x"), Value(int64_t{1})).key);
}

TEST_F(IndexKeysTest, RowsOfTheSameValuesMeetInOneEntryOfAUniqueIndex) {
  const IndexKeys keys = Keys(/*unique=*/true);
  const IndexEntry entry = EntryOf(keys, 5, Value("x"), Value(int64_t{1}));
  const std::string row_key = key_.substr(kRowPrefix.size());
  EXPECT_TRUE(entry.is_unique);
  EXPECT_EQ(entry.value, row_key);
  EXPECT_EQ(entry.key, EntryOf(keys, 6, Value("x"), Value(int64_t{1})).key);
  EXPECT_NE(entry.key, EntryOf(keys, 5, Value("x"), Value(int64_t{2})).key);
}

TEST_F(IndexKeysTest, ANullMakesNoTwoRowsTheSameAndSortsLast) {
  const IndexKeys keys = Keys(/*unique=*/true);
  const IndexEntry one = EntryOf(keys, 5, Value("x"), Value::Null()),
                   other = EntryOf(keys, 6, Value("x"), Value::Null());
  EXPECT_FALSE(one.is_unique);
  EXPECT_EQ(one.value, "");
  EXPECT_NE(one.key, other.key);
  EXPECT_GT(one.key, EntryOf(keys, 9, Value("x"), Value(int64_t{INT32_MAX})).key);
  EXPECT_LT(one.key, EntryOf(keys, 1, Value("y"), Value(int64_t{INT32_MIN})).key);
  ASSERT_OK_AND_ASSIGN(const auto found, keys.RowKey(other.key, other.value));
  EXPECT_EQ(std::string(found), key_.substr(kRowPrefix.size()).replace(7, 1, "\6"));
}

TEST_F(IndexKeysTest, BytesThatAreNoEntryAreAnError) {
  EXPECT_FALSE(Keys(false).RowKey(kEntryPrefix + "\3", "").ok());
}

TEST(IndexKeys, ATypeWithoutOrderIsRefused) {
  RowSchema::Options options;
  options.table_name = "main.t";
  options.columns = {
      {.id = 1, .name = "id", .type = TypeId::kInt64, .nullable = false, .default_value = {}},
      {.id = 2, .name = "l", .type = ColumnType::List(TypeId::kInt64), .nullable = true, .default_value = {}}};
  options.key_column_ids = {1};
  options.versions = {{1, {2}, {ColumnType::List(TypeId::kInt64)}}};
  const auto schema = RowSchema::Make(options).ValueOrDie();
  EXPECT_TRUE(IndexKeys::Make(schema, {1}, false, "").status().IsTypeError());
}

// The sum of a text's length and a number; none for a text "bad".
class LengthAndNumber : public RowExpression {
 public:
  arrow::Result<Value> Evaluate(std::span<const Value> arguments) const override {
    if (arguments[0].is_null() || arguments[1].is_null()) return Value::Null();
    const auto text = arguments[1].get<std::string>();
    if (text == "bad") return arrow::Status::Invalid("a bad text");
    return Value(static_cast<int64_t>(text.size()) + arguments[0].get<int64_t>());
  }
  arrow::Result<std::vector<Value>> EvaluateRows(const std::shared_ptr<const RowSchema>& schema,
                                                 std::span<const int> positions,
                                                 std::span<const StoredRow> rows) const override {
    std::vector<Value> values;
    for (const StoredRow& row : rows) {
      ARROW_ASSIGN_OR_RAISE(const CheckedRow checked, CheckedRow::Make(*schema, row.key, row.row));
      std::vector<Value> arguments;
      for (const int position : positions) arguments.push_back(checked.Read(position).ValueOrDie());
      ARROW_ASSIGN_OR_RAISE(Value value, Evaluate(arguments));
      values.push_back(std::move(value));
    }
    return values;
  }
};

TEST_F(IndexKeysTest, APartMayBeAnExpressionOfSeveralColumns) {
  ExpressionParts expressions;
  expressions.parts = {
      {.sql = "length(a) + b", .type = TypeId::kInt64, .value = std::make_shared<LengthAndNumber>(), .number = 3}};
  expressions.arguments = {2, 1};
  ASSERT_OK_AND_ASSIGN(const IndexKeys keys,
                       IndexKeys::Make(schema_, {3, 1}, /*unique=*/true, kEntryPrefix, expressions));
  EXPECT_EQ(keys.ReadColumns(), (std::vector<int>{1, 2}));
  EXPECT_EQ(keys.ColumnNames(), "length(a) + b, a");
  const IndexEntry entry = EntryOf(keys, 5, Value("xyz"), Value(int64_t{4}));
  const StoredRow stored{key_, row_};
  ASSERT_OK_AND_ASSIGN(const IndexKeys::Computed computed, keys.Compute(std::vector<StoredRow>{stored, stored}));
  ASSERT_EQ(computed.size(), 1u);
  ASSERT_EQ(computed[0].size(), 2u);
  EXPECT_EQ(computed[0][1].get<int64_t>(), 7);
  IndexEntry second;
  ASSERT_OK(keys.MakeEntry(stored, {{Value(int64_t{9}), Value(int64_t{7})}}, /*at=*/1, &second));
  EXPECT_EQ(second, entry);
  EXPECT_TRUE(entry.is_unique);
  EXPECT_EQ(keys.Describe(entry.key), "length(a) + b: 7, a: xyz");
  EXPECT_EQ(entry.key, EntryOf(keys, 6, Value("xyz"), Value(int64_t{4})).key);
  EXPECT_NE(entry.key, EntryOf(keys, 6, Value("xyz"), Value(int64_t{5})).key);
  EXPECT_FALSE(EntryOf(keys, 5, Value("xyz"), Value::Null()).is_unique);

  EntryOf(keys, 5, Value("x"), Value(int64_t{1}));
  RowWriter writer(&schema_->current().layout);
  writer.Reset();
  ASSERT_OK(writer.Set(0, Value("bad")));
  ASSERT_OK(writer.Set(1, Value(int64_t{1})));
  std::string row;
  ASSERT_OK(writer.Finish(/*deleted=*/false, &row));
  IndexEntry none;
  EXPECT_ERROR_HAS(keys.MakeEntry(key_, row, &none), "a bad text");
  EXPECT_ERROR_HAS(keys.Compute(std::vector<StoredRow>{{key_, row}}), "a bad text");
}

TEST(RowExpression, NeedsACompiler) {
  const RowExpressionSpec spec{.sql = "lower(a)", .type = TypeId::kUtf8, .arguments = {{"a", TypeId::kUtf8}}};
  const auto expression = OpenRowExpression(spec);
  EXPECT_EQ(OpenRowExpression(spec), expression);
  const std::vector<Value> arguments = {Value("X")};
  EXPECT_TRUE(expression->Evaluate(arguments).status().IsNotImplemented());
  SetRowExpressionCompiler([](const RowExpressionSpec&) -> arrow::Result<std::shared_ptr<const RowExpression>> {
    return arrow::Status::Invalid("no such function");
  });
  EXPECT_ERROR_HAS(expression->Evaluate(arguments), "no such function");
  SetRowExpressionCompiler([](const RowExpressionSpec&) -> arrow::Result<std::shared_ptr<const RowExpression>> {
    return std::make_shared<LengthAndNumber>();
  });
  const std::vector<Value> both = {Value(int64_t{1}), Value("X")};
  ASSERT_OK_AND_ASSIGN(const Value value, expression->Evaluate(both));
  EXPECT_EQ(value.get<int64_t>(), 2);
  SetRowExpressionCompiler(nullptr);
}

TEST_F(IndexKeysTest, EntriesThatHaveTheColumnsOfARow) {
  for (const bool unique : {false, true}) {
    const IndexKeys keys = IndexKeys::Make(schema_, {2, 1}, unique, kEntryPrefix).ValueOrDie();
    EXPECT_TRUE(keys.Cover(std::vector<int>{0, 1, 2}));
    RowWriter writer(&schema_->current().layout);
    for (const Value& a : {Value("x"), Value(std::string("\0y", 2)), Value::Null()}) {
      for (const Value& b : {Value(int64_t{-1}), Value::Null()}) {
        const IndexEntry entry = EntryOf(keys, 5, a, b);
        std::string row;
        ASSERT_OK(keys.MakeRow(entry.key, &writer, &row));
        ASSERT_OK_AND_ASSIGN(const CheckedRow read, CheckedRow::Make(*schema_, key_, row));
        EXPECT_TRUE(CompareValues(read.Read(0).ValueOrDie(), Value(int64_t{5})) == 0);
        EXPECT_TRUE(CompareValues(read.Read(1).ValueOrDie(), a) == 0);
        EXPECT_TRUE(CompareValues(read.Read(2).ValueOrDie(), b) == 0);
      }
    }
  }
  const IndexKeys one = IndexKeys::Make(schema_, {1}, /*unique=*/false, kEntryPrefix).ValueOrDie();
  EXPECT_TRUE(one.Cover(std::vector<int>{0, 1}));
  EXPECT_FALSE(one.Cover(std::vector<int>{0, 2}));
  std::string row;
  RowWriter writer(&schema_->current().layout);
  EXPECT_TRUE(one.MakeRow(kEntryPrefix + "\1x", &writer, &row).IsInvalid());
}

// A key part has no -0.0.
TEST(IndexKeysOfFloats, AreNotTheRow) {
  RowSchema::Options options;
  options.table_name = "main.t";
  options.columns = {{.id = 1, .name = "id", .type = TypeId::kInt64, .nullable = false, .default_value = {}},
                     {.id = 2, .name = "d", .type = TypeId::kDouble, .nullable = true, .default_value = {}}};
  options.key_column_ids = {1};
  options.key_prefix_size = kRowPrefix.size();
  options.versions = {{1, {2}, {TypeId::kDouble}}};
  const auto schema = RowSchema::Make(options).ValueOrDie();
  const IndexKeys keys = IndexKeys::Make(schema, {1}, /*unique=*/false, kEntryPrefix).ValueOrDie();
  EXPECT_TRUE(keys.Cover(std::vector<int>{0}));
  EXPECT_FALSE(keys.Cover(std::vector<int>{0, 1}));
}

}  // namespace
}  // namespace yarrow
