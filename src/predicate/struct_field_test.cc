// Fields of structs are tested as columns of their types are.
#include "predicate/struct_field.h"

#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "predicate/normal_form.h"
#include "predicate_table.h"
#include "random_seed.h"
#include "type/type_traits.h"

namespace yarrow::test {
namespace {

using Op = Predicate::Op;

class StructFields : public ::testing::Test {
 protected:
  static ColumnType StructOf(const std::vector<ColumnType>& types) {
    std::vector<TypeMember> members;
    for (size_t i = 0; i < types.size(); ++i) members.push_back({"f" + std::to_string(i), types[i]});
    return ColumnType::Struct(std::move(members));
  }
  Value MaybeNull(const ColumnType& type) { return OneIn(random_, 4) ? Value() : RandomValue(type, random_); }

  // A leaf over column 0.
  Predicate RandomLeaf(const ColumnType& type) {
    const auto value = [&] { return RandomValue(type, random_); };
    const bool is_bytes = KindOf(type) == TypeKind::kText || KindOf(type) == TypeKind::kBinary;
    switch (Below(random_, HasOrder(type) ? 6 : 2)) {
      case 0:
        return Predicate::IsNull(0);
      case 1:
        return Predicate::IsNotNull(0);
      case 2:
        return Predicate::In(0, {value(), value(), value()});
      case 3:
        if (is_bytes) return Predicate::StartsWith(0, value().get<std::string>().substr(0, 1));
        [[fallthrough]];
      default:
        return Predicate::Compare(0, static_cast<Op>(Below(random_, 6)), value());
    }
  }

  void ExpectAsColumn() {
    std::vector<ColumnType> types;
    std::vector<Value> values;
    for (size_t i = 1 + Below(random_, 10); i > 0; --i) {
      types.push_back(RandomType(random_));
      values.push_back(MaybeNull(types.back()));
    }
    const size_t field = Below(random_, types.size());
    const Predicate leaf = OneIn(random_, 2) ? RandomLeaf(types[field]) : Predicate::Not(RandomLeaf(types[field]));
    const Predicate of_column = NormalForm(leaf);
    ColumnType type = StructOf(types);
    ASSERT_OK_AND_ASSIGN(Value value, Value::Nested(type, values));
    Predicate of_field = Predicate::Field(0, static_cast<int>(field), leaf);
    const bool is_deep = OneIn(random_, 2), is_null = is_deep && OneIn(random_, 4);
    if (is_deep) {  // in a struct behind another field
      const ColumnType outer = StructOf({TypeId::kUtf8, type});
      const std::vector<Value> parts = {MaybeNull(TypeId::kUtf8), is_null ? Value() : value};
      ASSERT_OK_AND_ASSIGN(value, Value::Nested(outer, parts));
      of_field = Predicate::Field(0, 1, of_field);
      type = outer;
    }
    const Predicate normal = NormalForm(of_field);
    if (of_column.kind() == Predicate::Kind::kTrue || of_column.kind() == Predicate::Kind::kFalse) {
      EXPECT_EQ(normal.kind(), of_column.kind());
      return;
    }
    ASSERT_OK_AND_ASSIGN(const auto test, StructFieldTest::Make(normal, type));
    const bool holds = LeafHolds(of_column, is_null ? Value() : values[field]);
    EXPECT_EQ(test->Run(value.get<std::string>()), holds ? Outcome::kHolds : Outcome::kFails)
        << normal.ToString({"s"}) << " of " << value.ToString(type) << ", " << type.ToString();
    EXPECT_EQ(test->RunOnNull() == Outcome::kHolds, LeafHolds(of_column, Value()));
  }

  const uint64_t seed_ = RandomSeed();
  Random random_{seed_};
};

TEST_F(StructFields, AreTestedAsColumns) {
  YARROW_TRACE_SEED(seed_);
  for (int i = 0; i < 20000 && !HasFailure(); ++i) ExpectAsColumn();
}

TEST_F(StructFields, DamagedBytesAreSeen) {
  const ColumnType type = StructOf({TypeId::kUtf8, TypeId::kInt64});
  const std::vector<Value> values = {Value("text"), Value(int64_t{7})};
  ASSERT_OK_AND_ASSIGN(const Value value, Value::Nested(type, values));
  const Predicate seven = Predicate::Field(0, 1, Predicate::Compare(0, Op::kEq, Value(int64_t{7})));
  ASSERT_OK_AND_ASSIGN(const auto test, StructFieldTest::Make(seven, type));
  const auto& bytes = value.get<std::string>();
  EXPECT_EQ(test->Run(bytes), Outcome::kHolds);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(test->Run(bytes.substr(0, size)), Outcome::kDamaged) << size;
  }
}

TEST_F(StructFields, AFilterThatDoesNotFitIsRefused) {
  const uint64_t seed = 1;
  Random random(seed);
  ASSERT_OK_AND_ASSIGN(const TestTable table, TestTable::Random(2, 1, false, 0, random));
  const Predicate no_struct = Predicate::Field(1, 0, Predicate::IsNull(0));
  EXPECT_ERROR_HAS(CheckPredicate(no_struct, *table.row_schema()), "names field number 0 of column");
  EXPECT_ERROR_HAS(CheckPredicate(Predicate::IsNull(2), *table.row_schema()), "names column number 2");
}

TEST_F(StructFields, AndAndOrStandAboveTheField) {
  const Predicate inner = Predicate::Or(
      {Predicate::Compare(0, Op::kLt, Value(int64_t{1})), Predicate::Compare(0, Op::kGt, Value(int64_t{5}))});
  EXPECT_EQ(NormalForm(Predicate::Field(2, 1, inner)).ToString({"a", "b", "s"}), "(s[2] < 1 OR s[2] > 5)");
  EXPECT_EQ(NormalForm(Predicate::Not(Predicate::Field(2, 1, inner))).ToString({"a", "b", "s"}),
            "(s[2] >= 1 AND s[2] <= 5)");
}

}  // namespace
}  // namespace yarrow::test
