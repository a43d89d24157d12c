#include "random_filter.h"

#include <arrow/array/array_base.h>
#include <arrow/array/builder_base.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>

#include <array>
#include <cmath>
#include <utility>

namespace yarrow::test {
namespace {

namespace cp = arrow::compute;

bool IsIntegerColumn(const ColumnType& type) {
  return type.id >= TypeId::kInt8 && type.id <= TypeId::kUInt64;
}
bool IsNumber(const ColumnType& type) {
  return type.id >= TypeId::kInt8 && type.id <= TypeId::kDecimal128;
}

std::shared_ptr<arrow::Scalar> RandomNumber(Random& random) {
  switch (Below(random, 8)) {
    case 0:
      return arrow::MakeScalar(static_cast<int8_t>(Below(random, 7)));
    case 1:
      return arrow::MakeScalar(static_cast<int64_t>(300));
    case 2:
      return arrow::MakeScalar(static_cast<int64_t>(-70000));
    case 3:
      return arrow::MakeScalar(std::array{5.0, 1.5, 5.25, -0.0, std::nan(""), 0.1}[Below(random, 6)]);
    case 4:
      return arrow::MakeScalar(static_cast<uint64_t>(1) << (8 * Below(random, 8)));
    case 5:
      return std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(Below(random, 2) == 0 ? 1500 : 1234),
                                                       arrow::decimal128(7, 3));
    case 6:
      return std::make_shared<arrow::Decimal256Scalar>(arrow::Decimal256(15), arrow::decimal256(40, 1));
    default:
      return arrow::MakeScalar(1.5f);
  }
}

// Of the same family as the type, in another width, unit or encoding.
arrow::Result<std::shared_ptr<arrow::Scalar>> RandomCousin(const ColumnType& type, Random& random) {
  if (IsNumber(type)) return RandomNumber(random);
  const auto unit = static_cast<arrow::TimeUnit::type>(Below(random, 4));
  const auto small = static_cast<int64_t>(Below(random, 3));
  switch (type.id) {
    case TypeId::kUtf8:
    case TypeId::kBinary: {
      ARROW_ASSIGN_OR_RAISE(const auto text, RandomValue(TypeId::kUtf8, random).ToScalar(TypeId::kUtf8));
      const auto types = {arrow::large_utf8(), arrow::binary(), arrow::utf8(), arrow::large_binary()};
      return cp::Cast(text, *(types.begin() + Below(random, types.size()))).Map([](const auto& datum) {
        return datum.scalar();
      });
    }
    case TypeId::kDate32:
      return std::make_shared<arrow::Date64Scalar>(small * 86400000);
    case TypeId::kTime64:
      return std::make_shared<arrow::Time32Scalar>(static_cast<int32_t>(small), arrow::TimeUnit::SECOND);
    case TypeId::kTimestamp:
      return std::make_shared<arrow::TimestampScalar>(small, arrow::timestamp(unit, type.timezone));
    default:
      return arrow::MakeNullScalar(arrow::null());
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> RandomSet(const ColumnType& type, Random& random) {
  std::shared_ptr<arrow::DataType> list_type = type.ToArrow();
  const size_t size = Below(random, 5);
  if (OneIn(random, 12)) return arrow::MakeArrayOfNull(arrow::null(), static_cast<int64_t>(size));
  std::vector<std::shared_ptr<arrow::Scalar>> scalars;
  if (IsIntegerColumn(type) && OneIn(random, 4)) list_type = OneIn(random, 2) ? arrow::int64() : arrow::int16();
  if (type.id == TypeId::kUtf8 && OneIn(random, 4)) list_type = arrow::large_utf8();
  if (type.id == TypeId::kDecimal128 && OneIn(random, 4)) list_type = arrow::decimal128(30, type.scale + 1);
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(list_type));
  for (size_t i = 0; i < size; ++i) {
    if (OneIn(random, 5)) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const auto scalar, RandomValue(type, random).ToScalar(type));
    const auto cast = cp::Cast(scalar, list_type);
    if (cast.ok()) ARROW_RETURN_NOT_OK(builder->AppendScalar(*cast->scalar()));
  }
  return builder->Finish();
}

cp::Expression RandomPattern(const cp::Expression& column, Random& random) {
  const std::array<const char*, 12> patterns = {"a%",    "%", "ab%%", "abc", "%b", "a_c",
                                                "a\\%%", "",  "x'%",  "a",   "\\", "\xC3%"};
  const bool ignore_case = OneIn(random, 6);
  const cp::MatchSubstringOptions options(patterns[Below(random, patterns.size())], ignore_case);
  return cp::call(OneIn(random, 2) ? "match_like" : "starts_with", {column}, options);
}

arrow::Result<cp::Expression> RandomComparison(const cp::Expression& column, const ColumnType& type, Random& random) {
  const std::array<const char*, 6> functions = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"};
  ARROW_ASSIGN_OR_RAISE(const auto scalar, RandomLiteral(type, random));
  std::vector<cp::Expression> arguments = {column, cp::literal(scalar)};
  if (OneIn(random, 3)) std::swap(arguments[0], arguments[1]);
  if (OneIn(random, 15)) arguments[1] = column;
  return cp::call(functions[Below(random, functions.size())], std::move(arguments));
}

arrow::Result<cp::Expression> RandomTest(const RowSchema& row_schema, Random& random) {
  const RowColumn& column = row_schema.columns()[Below(random, row_schema.columns().size())];
  const ColumnType& type = column.type;
  const cp::Expression ref = cp::field_ref(column.name);
  // Arrow itself cannot compare UUIDs.
  const size_t kind = type.id == TypeId::kUuid ? Below(random, 2) : Below(random, 11);
  switch (kind) {
    case 0:
      return cp::is_null(ref, OneIn(random, 2));
    case 1:
      return cp::is_valid(ref);
    case 2:
      if (IsNumber(type) && type.id != TypeId::kDecimal128) return cp::call("is_nan", {ref});
      if (type.id == TypeId::kBool) return ref;
      return RandomComparison(ref, type, random);
    case 3:
    case 4: {
      ARROW_ASSIGN_OR_RAISE(const auto set, RandomSet(type, random));
      const auto behavior = static_cast<cp::SetLookupOptions::NullMatchingBehavior>(Below(random, 4));
      return cp::call("is_in", {ref}, cp::SetLookupOptions(set, behavior));
    }
    case 5:
      if (type.is_variable()) return RandomPattern(ref, random);
      return RandomComparison(ref, type, random);
    default:
      return RandomComparison(ref, type, random);
  }
}

// Functions over truth values that are not pushed down.
cp::Expression RandomOther(cp::Expression a, cp::Expression b, Random& random) {
  switch (Below(random, 6)) {
    case 0:
      return cp::call("xor", {std::move(a), std::move(b)});
    case 1:
      return cp::call("and_not_kleene", {std::move(a), std::move(b)});
    case 2:
      return cp::is_null(std::move(a));
    case 3:
      return cp::equal(std::move(a), cp::literal(OneIn(random, 2)));
    case 4:
      return cp::call("coalesce", {std::move(a), std::move(b)});
    default:
      return cp::call("if_else", {std::move(a), cp::literal(true), std::move(b)});
  }
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Scalar>> RandomLiteral(const ColumnType& type, Random& random) {
  if (OneIn(random, 15)) return arrow::MakeNullScalar(OneIn(random, 2) ? arrow::null() : type.ToArrow());
  if (OneIn(random, 5)) return RandomCousin(type, random);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, RandomValue(type, random).ToScalar(type));
  if (type.id == TypeId::kUtf8 && OneIn(random, 8)) {
    ARROW_ASSIGN_OR_RAISE(const auto dictionary, arrow::MakeArrayFromScalar(*scalar, 2));
    scalar = arrow::DictionaryScalar::Make(arrow::MakeScalar(int32_t{1}), dictionary);
  }
  return scalar;
}

arrow::Result<cp::Expression> RandomFilter(const RowSchema& row_schema, int depth, Random& random) {
  if (depth == 0 || OneIn(random, 5)) {
    if (!OneIn(random, 25)) return RandomTest(row_schema, random);
    if (OneIn(random, 3)) return cp::literal(arrow::MakeNullScalar(arrow::boolean()));
    return cp::literal(OneIn(random, 2));
  }
  ARROW_ASSIGN_OR_RAISE(cp::Expression a, RandomFilter(row_schema, depth - 1, random));
  ARROW_ASSIGN_OR_RAISE(cp::Expression b, RandomFilter(row_schema, depth - 1, random));
  switch (Below(random, 10)) {
    case 0:
    case 1:
      return cp::not_(std::move(a));
    case 2:
    case 3:
      return cp::or_(std::move(a), std::move(b));
    case 4:
      return cp::call("and", {std::move(a), std::move(b)});
    case 5:
      return cp::call("or", {std::move(a), std::move(b)});
    case 6:
      return RandomOther(std::move(a), std::move(b), random);
    default:
      return cp::and_(std::move(a), std::move(b));
  }
}

}  // namespace yarrow::test
