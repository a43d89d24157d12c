#include "predicate/comparison.h"

#include <type_traits>
#include <utility>
#include <vector>

#include "key/key_bytes.h"
#include "predicate/comparison_functions.h"
#include "predicate/normal_form.h"
#include "predicate/struct_field.h"
#include "type/calendar.h"
#include "type/decimal.h"
#include "type/stored_form.h"
#include "type/type_traits.h"

namespace yarrow {
namespace {

using Kind = Predicate::Kind;
using Op = Predicate::Op;

struct Limits {
  Value least;
  Value greatest;
};

Limits LimitsOf(const ColumnType& type) {
  if (type.id == TypeId::kBool) return {Value(false), Value(true)};
  if (type.id == TypeId::kTime64) return {Value(int64_t{0}), Value(UnitsPerDay(type.unit))};
  if (type.id == TypeId::kDecimal128) {
    const Int128 greatest = PowerOfTen(type.precision) - 1;
    return {Value(Decimal{-greatest, type.scale}), Value(Decimal{greatest, type.scale})};
  }
  return {};
}

// What bytes that compare by memcmp, at most 16, compare as.
Int128 NumberInOrder(std::string_view bytes) {
  UInt128 number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
  return static_cast<Int128>(number);
}

// The number that a field of the type compares as; not for floats and text.
Int128 FieldNumber(const Value& value) {
  return std::visit(
      []<class T>(const T& held) -> Int128 {
        if constexpr (std::is_integral_v<T> && sizeof(T) < sizeof(Int128)) return static_cast<Int128>(held);
        if constexpr (std::is_same_v<T, Decimal>) return held.unscaled;
        if constexpr (std::is_same_v<T, Uuid> || std::is_same_v<T, Int128> || std::is_same_v<T, UInt128>) {
          const Uuid stored = ToStoredBytes(held);
          return NumberInOrder({reinterpret_cast<const char*>(stored.bytes.data()), stored.bytes.size()});
        }
        return 0;
      },
      value.variant());
}

void SetNumbers(const std::vector<Int128>& numbers, int width, Comparison* test) {
  if (width == 16) {
    test->wide_words = std::make_shared<const WordSet<UInt128>>(std::vector<UInt128>(numbers.begin(), numbers.end()));
    return;
  }
  std::vector<uint64_t> words;
  for (const Int128 number : numbers) words.push_back(static_cast<uint64_t>(number));
  test->words = std::make_shared<const WordSet<uint64_t>>(words);
}

void SetFieldOperands(const ColumnType& type, const Predicate& leaf, Comparison* test) {
  const Value& first = leaf.values().front();
  const bool is_float = IsReal(type);
  if (leaf.kind() != Kind::kIn) {
    if (type.is_variable()) {
      test->bytes = first.get<std::string>();
    } else if (is_float) {
      test->real = first.get<double>();
    } else {
      test->number = FieldNumber(first);
    }
    return;
  }
  if (type.is_variable()) {
    std::vector<std::string> strings;
    for (const Value& value : leaf.values()) strings.push_back(value.get<std::string>());
    test->strings = std::make_shared<const BytesSet>(std::move(strings));
    return;
  }
  std::vector<Int128> numbers;
  for (const Value& value : leaf.values()) {
    numbers.push_back(is_float ? static_cast<Int128>(WordOf(value.get<double>())) : FieldNumber(value));
  }
  SetNumbers(numbers, type.fixed_width(), test);
}

Outcome RunOnStruct(const Comparison& test, const RowView& view) {
  if (IsNullField(view.row, test.field)) return test.of_field->RunOnNull();
  std::string_view bytes;
  if (!VariableField(*view.layout, view.row, test.field, &bytes)) return Outcome::kDamaged;
  return test.of_field->Run(bytes);
}

arrow::Status SetKeyOperands(const KeyPart& part, const Predicate& leaf, Comparison* test) {
  if (leaf.kind() == Kind::kStartsWith) {
    AppendEscaped(leaf.values().front().get<std::string>(), &test->bytes);
    test->bytes.resize(test->bytes.size() - 2);  // without the terminator
    return arrow::Status::OK();
  }
  std::vector<std::string> encoded(leaf.values().size());
  for (size_t i = 0; i < encoded.size(); ++i) {
    ARROW_RETURN_NOT_OK(EncodeKeyPart(leaf.values()[i], part, &encoded[i]));
  }
  if (part.type.is_variable()) {
    test->bytes = encoded.front();
    if (leaf.kind() == Kind::kIn) test->strings = std::make_shared<const BytesSet>(std::move(encoded));
    return arrow::Status::OK();
  }
  std::vector<Int128> numbers;
  for (const std::string& bytes : encoded) numbers.push_back(NumberInOrder(bytes));
  test->number = numbers.front();
  if (leaf.kind() == Kind::kIn) SetNumbers(numbers, part.type.fixed_width(), test);
  return arrow::Status::OK();
}

arrow::Status SetKeyLimits(const KeyPart& part, Comparison* test) {
  const Limits limits = LimitsOf(part.type);
  if (limits.least.is_null()) {
    test->greatest = -1;  // all bits set: the greatest number of any width
    return arrow::Status::OK();
  }
  std::string least, greatest;
  ARROW_RETURN_NOT_OK(EncodeKeyPart(limits.least, part, &least));
  ARROW_RETURN_NOT_OK(EncodeKeyPart(limits.greatest, part, &greatest));
  test->least = NumberInOrder(least);
  test->greatest = NumberInOrder(greatest);
  return arrow::Status::OK();
}

arrow::Result<Comparison> MakeKeyComparison(const Predicate& leaf, const RowSchema& row_schema, size_t part_index) {
  const auto [test, negated] = AsLeaf(leaf);
  const KeyPart& part = row_schema.key_codec().parts()[part_index];
  Comparison made;
  made.column = test.column();
  made.negated = negated;
  made.part = static_cast<uint32_t>(part_index);
  made.offset = static_cast<uint32_t>(row_schema.key_prefix_size());
  const int32_t fixed_offset = row_schema.key_codec().fixed_offset(part_index);
  made.run = KeyPartFunction(part.type, fixed_offset >= 0, &test);
  if (test.values().empty()) return made;
  ARROW_RETURN_NOT_OK(SetKeyOperands(part, test, &made));
  if (part.type.is_variable()) return made;
  ARROW_RETURN_NOT_OK(SetKeyLimits(part, &made));
  if (fixed_offset >= 0) made.offset += static_cast<uint32_t>(fixed_offset);
  return made;
}

}  // namespace

arrow::Result<Comparison> MakeFieldComparison(const Predicate& leaf, const ColumnType& type) {
  const auto [test, negated] = AsLeaf(leaf);
  Comparison made;
  made.column = test.column();
  made.negated = negated;
  if (test.kind() == Kind::kField) {
    made.run = RunOnStruct;
    ARROW_ASSIGN_OR_RAISE(made.of_field, StructFieldTest::Make(test, type));
    return made;
  }
  made.run = FieldFunction(type, &test);
  if (test.values().empty()) return made;
  SetFieldOperands(type, test, &made);
  if (type.is_variable()) return made;
  const Limits limits = LimitsOf(type);
  made.least = FieldNumber(limits.least);
  made.greatest = FieldNumber(limits.greatest);
  return made;
}

arrow::Result<Comparison> MakeComparison(const Predicate& leaf, const RowSchema& row_schema,
                                         RowSchema::Place::Kind kind) {
  const auto column = static_cast<size_t>(AsLeaf(leaf).test.column());
  if (kind == RowSchema::Place::kField) return MakeFieldComparison(leaf, row_schema.columns()[column].type);
  return MakeKeyComparison(leaf, row_schema, static_cast<size_t>(row_schema.key_part(static_cast<int>(column))));
}

bool CanBeBetween(const ColumnType& type) {
  return !type.is_variable() && !IsReal(type);
}

arrow::Result<Comparison> MakeBetween(const Predicate& low, const Predicate& high, const RowSchema& row_schema,
                                      RowSchema::Place::Kind kind) {
  ARROW_ASSIGN_OR_RAISE(Comparison made, MakeComparison(low, row_schema, kind));
  ARROW_ASSIGN_OR_RAISE(const Comparison upper, MakeComparison(high, row_schema, kind));
  // Strict bounds have a neighbour, or the interval would be empty and not be in normal form.
  made.number = static_cast<Int128>(static_cast<UInt128>(made.number) + (low.op() == Op::kGt ? 1 : 0));
  made.last = static_cast<Int128>(static_cast<UInt128>(upper.number) - (high.op() == Op::kLt ? 1 : 0));
  const ColumnType& type = row_schema.columns()[static_cast<size_t>(low.column())].type;
  if (kind == RowSchema::Place::kField) {
    made.run = FieldFunction(type, nullptr);
  } else {
    const auto part = static_cast<size_t>(row_schema.key_part(low.column()));
    made.run = KeyPartFunction(type, row_schema.key_codec().fixed_offset(part) >= 0, nullptr);
  }
  return made;
}

void CompareWidened(const ColumnType& stored, const ColumnType& type, const Predicate& leaf, bool is_between,
                    Comparison* comparison) {
  const Predicate& test = AsLeaf(leaf).test;
  comparison->run = WidenedFieldFunction(stored, type, is_between ? nullptr : &test);
  const Limits limits = LimitsOf(stored);
  comparison->least = FieldNumber(limits.least);
  comparison->greatest = FieldNumber(limits.greatest);
}

void PlaceField(const RowLayout& layout, size_t field, Comparison* comparison) {
  comparison->field = static_cast<uint32_t>(field);
  if (!layout.is_variable(field)) comparison->offset = layout.fixed_offset(field);
}

}  // namespace yarrow
