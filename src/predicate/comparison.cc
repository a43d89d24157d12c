#include "predicate/comparison.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "key/key_bytes.h"
#include "predicate/normal_form.h"
#include "type/calendar.h"
#include "type/decimal.h"

namespace yarrow {
namespace {

using Kind = Predicate::Kind;
using Op = Predicate::Op;

Outcome ToOutcome(bool holds) {
  return static_cast<Outcome>(holds);
}

template <class T>
T LoadLittleEndian(const char* bytes) {
  T number;
  std::memcpy(&number, bytes, sizeof(number));
  return number;
}

template <class T>
T LoadBytesInOrder(const char* bytes) {
  if constexpr (sizeof(T) == 16) {
    return static_cast<UInt128>(LoadBigEndian<uint64_t>(bytes)) << 64 | LoadBigEndian<uint64_t>(bytes + 8);
  } else {
    return LoadBigEndian<T>(bytes);
  }
}

// ---- Places of fixed-width values: how to find one, and the number it is compared as.

// kInOrder: a UUID, whose bytes compare as a big-endian number. kLimited: a type with fewer values than its bytes.
enum class Flavour { kPlain, kInOrder, kLimited };

template <class T, Flavour flavour>
struct FieldPlace {
  using Number = T;
  static bool IsNull(const Comparison& test, const RowView& view) { return IsNullField(view.row, test.field); }
  static bool Get(const Comparison& test, const RowView& view, T* number) {
    const char* bytes = view.row.data() + test.offset;
    if constexpr (flavour == Flavour::kInOrder) {
      *number = LoadBytesInOrder<T>(bytes);
      return true;
    } else {
      *number = LoadLittleEndian<T>(bytes);
      return flavour == Flavour::kPlain ||
             (*number >= static_cast<T>(test.least) && *number <= static_cast<T>(test.greatest));
    }
  }
};

// An encoded part of a key: whatever its type, it compares as a big-endian number. `is_fixed`: `offset` is where it
// lies.
template <class T, bool is_fixed>
struct KeyPlace {
  using Number = T;
  static bool IsNull(const Comparison&, const RowView&) { return false; }
  static bool Get(const Comparison& test, const RowView& view, T* number) {
    const size_t offset = is_fixed ? test.offset : test.offset + view.key_offsets[test.part];
    *number = LoadBytesInOrder<T>(view.key.data() + offset);
    return *number >= static_cast<T>(test.least) && *number <= static_cast<T>(test.greatest);
  }
};

// ---- Comparisons of fixed-width values.

template <Op op, class T>
bool Holds(T value, T operand) {
  // SQL order for floats as well, given that `operand` is not NaN: NaN is above it.
  if constexpr (op == Op::kEq) return value == operand;
  if constexpr (op == Op::kNe) return !(value == operand);
  if constexpr (op == Op::kLt) return value < operand;
  if constexpr (op == Op::kLe) return value <= operand;
  if constexpr (op == Op::kGt) return !(value <= operand);
  if constexpr (op == Op::kGe) return !(value < operand);
}

template <class T>
T Operand(const Comparison& test) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(test.real);
  } else {
    return static_cast<T>(test.number);
  }
}

template <class Place, Op op>
Outcome CompareNumber(const Comparison& test, const RowView& view) {
  using T = typename Place::Number;
  if (Place::IsNull(test, view)) return Outcome::kFails;
  T value;
  if (!Place::Get(test, view, &value)) return Outcome::kDamaged;
  return ToOutcome(Holds<op>(value, Operand<T>(test)));
}

// Whether the value is NaN.
template <class Place, bool wanted>
Outcome IsNanNumber(const Comparison& test, const RowView& view) {
  if (Place::IsNull(test, view)) return Outcome::kFails;
  typename Place::Number value;
  if (!Place::Get(test, view, &value)) return Outcome::kDamaged;
  return ToOutcome(std::isnan(value) == wanted);
}

// Equal numbers have equal words.
uint64_t WordOf(double real) {
  if (std::isnan(real)) return std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN());
  return std::bit_cast<uint64_t>(real == 0 ? 0.0 : real);
}

template <class Place>
Outcome IsInNumbers(const Comparison& test, const RowView& view) {
  using T = typename Place::Number;
  if (Place::IsNull(test, view)) return Outcome::kFails;
  T value;
  if (!Place::Get(test, view, &value)) return Outcome::kDamaged;
  if constexpr (sizeof(T) == 16) {
    return ToOutcome(test.wide_words->Contains(static_cast<UInt128>(value)) != test.negated);
  } else if constexpr (std::is_floating_point_v<T>) {
    return ToOutcome(test.words->Contains(WordOf(static_cast<double>(value))) != test.negated);
  } else {
    return ToOutcome(test.words->Contains(static_cast<uint64_t>(value)) != test.negated);
  }
}

template <class Place>
Comparison::Function NumberFunction(const Predicate& test) {
  if (test.kind() == Kind::kIn) return IsInNumbers<Place>;
  if constexpr (std::is_floating_point_v<typename Place::Number>) {
    if (std::isnan(test.values().front().get<double>())) {
      const bool wants_nan = test.op() == Op::kEq || test.op() == Op::kGe;
      return wants_nan ? IsNanNumber<Place, true> : IsNanNumber<Place, false>;
    }
  }
  switch (test.op()) {
    case Op::kEq:
      return CompareNumber<Place, Op::kEq>;
    case Op::kNe:
      return CompareNumber<Place, Op::kNe>;
    case Op::kLt:
      return CompareNumber<Place, Op::kLt>;
    case Op::kLe:
      return CompareNumber<Place, Op::kLe>;
    case Op::kGt:
      return CompareNumber<Place, Op::kGt>;
    case Op::kGe:
      return CompareNumber<Place, Op::kGe>;
  }
  return nullptr;
}

Comparison::Function FieldNumberFunction(const ColumnType& type, const Predicate& test) {
  switch (type.id) {
    case TypeId::kBool:
      return NumberFunction<FieldPlace<uint8_t, Flavour::kLimited>>(test);
    case TypeId::kInt8:
      return NumberFunction<FieldPlace<int8_t, Flavour::kPlain>>(test);
    case TypeId::kInt16:
      return NumberFunction<FieldPlace<int16_t, Flavour::kPlain>>(test);
    case TypeId::kInt32:
    case TypeId::kDate32:
      return NumberFunction<FieldPlace<int32_t, Flavour::kPlain>>(test);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return NumberFunction<FieldPlace<int64_t, Flavour::kPlain>>(test);
    case TypeId::kTime64:
      return NumberFunction<FieldPlace<int64_t, Flavour::kLimited>>(test);
    case TypeId::kUInt8:
      return NumberFunction<FieldPlace<uint8_t, Flavour::kPlain>>(test);
    case TypeId::kUInt16:
      return NumberFunction<FieldPlace<uint16_t, Flavour::kPlain>>(test);
    case TypeId::kUInt32:
      return NumberFunction<FieldPlace<uint32_t, Flavour::kPlain>>(test);
    case TypeId::kUInt64:
      return NumberFunction<FieldPlace<uint64_t, Flavour::kPlain>>(test);
    case TypeId::kFloat:
      return NumberFunction<FieldPlace<float, Flavour::kPlain>>(test);
    case TypeId::kDouble:
      return NumberFunction<FieldPlace<double, Flavour::kPlain>>(test);
    case TypeId::kDecimal128:
      return NumberFunction<FieldPlace<Int128, Flavour::kLimited>>(test);
    case TypeId::kUuid:
      return NumberFunction<FieldPlace<UInt128, Flavour::kInOrder>>(test);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      break;
  }
  return nullptr;
}

template <bool is_fixed>
Comparison::Function KeyNumberFunction(int width, const Predicate& test) {
  switch (width) {
    case 1:
      return NumberFunction<KeyPlace<uint8_t, is_fixed>>(test);
    case 2:
      return NumberFunction<KeyPlace<uint16_t, is_fixed>>(test);
    case 4:
      return NumberFunction<KeyPlace<uint32_t, is_fixed>>(test);
    case 8:
      return NumberFunction<KeyPlace<uint64_t, is_fixed>>(test);
    default:
      return NumberFunction<KeyPlace<UInt128, is_fixed>>(test);
  }
}

// ---- Comparisons of text and binary.

struct VariableFieldPlace {
  static bool IsNull(const Comparison& test, const RowView& view) { return IsNullField(view.row, test.field); }
  static bool Get(const Comparison& test, const RowView& view, std::string_view* bytes) {
    return VariableField(*view.layout, view.row, test.field, bytes);
  }
};

// As encoded: memcmp order of escaped, terminated bytes is that of the bytes.
struct VariableKeyPlace {
  static bool IsNull(const Comparison&, const RowView&) { return false; }
  static bool Get(const Comparison& test, const RowView& view, std::string_view* bytes) {
    const uint32_t* offsets = view.key_offsets + test.part;
    *bytes = view.key.substr(test.offset + offsets[0], offsets[1] - offsets[0]);
    return true;
  }
};

template <Op op>
bool BytesHold(std::string_view value, std::string_view operand) {
  if constexpr (op == Op::kEq) return value == operand;
  if constexpr (op == Op::kNe) return value != operand;
  if constexpr (op == Op::kLt) return value < operand;
  if constexpr (op == Op::kLe) return value <= operand;
  if constexpr (op == Op::kGt) return value > operand;
  if constexpr (op == Op::kGe) return value >= operand;
}

template <class Place, Op op>
Outcome CompareBytes(const Comparison& test, const RowView& view) {
  if (Place::IsNull(test, view)) return Outcome::kFails;
  std::string_view value;
  if (!Place::Get(test, view, &value)) return Outcome::kDamaged;
  return ToOutcome(BytesHold<op>(value, test.bytes));
}

template <class Place>
Outcome StartsWithBytes(const Comparison& test, const RowView& view) {
  if (Place::IsNull(test, view)) return Outcome::kFails;
  std::string_view value;
  if (!Place::Get(test, view, &value)) return Outcome::kDamaged;
  return ToOutcome(value.starts_with(test.bytes) != test.negated);
}

template <class Place>
Outcome IsInStrings(const Comparison& test, const RowView& view) {
  if (Place::IsNull(test, view)) return Outcome::kFails;
  std::string_view value;
  if (!Place::Get(test, view, &value)) return Outcome::kDamaged;
  return ToOutcome(test.strings->Contains(value) != test.negated);
}

template <class Place>
Comparison::Function BytesFunction(const Predicate& test) {
  if (test.kind() == Kind::kIn) return IsInStrings<Place>;
  if (test.kind() == Kind::kStartsWith) return StartsWithBytes<Place>;
  switch (test.op()) {
    case Op::kEq:
      return CompareBytes<Place, Op::kEq>;
    case Op::kNe:
      return CompareBytes<Place, Op::kNe>;
    case Op::kLt:
      return CompareBytes<Place, Op::kLt>;
    case Op::kLe:
      return CompareBytes<Place, Op::kLe>;
    case Op::kGt:
      return CompareBytes<Place, Op::kGt>;
    case Op::kGe:
      return CompareBytes<Place, Op::kGe>;
  }
  return nullptr;
}

// ---- NULL tests. A key part is never NULL.

template <bool wanted>
Outcome IsNullTest(const Comparison& test, const RowView& view) {
  return ToOutcome(IsNullField(view.row, test.field) == wanted);
}

template <bool answer>
Outcome Constant(const Comparison&, const RowView&) {
  return ToOutcome(answer);
}

// ---- Operands.

struct Limits {
  Value least;
  Value greatest;
};

Limits LimitsOf(const ColumnType& type) {
  if (type.id == TypeId::kBool) return {Value(false), Value(true)};
  if (type.id == TypeId::kTime64) return {Value(int64_t{0}), Value(UnitsPerDay(type.unit) - 1)};
  if (type.id == TypeId::kDecimal128) {
    const Int128 greatest = PowerOfTen(type.precision) - 1;
    return {Value(Decimal{-greatest, type.scale}), Value(Decimal{greatest, type.scale})};
  }
  return {};
}

// The number that a field of the type compares as; not for floats and text.
Int128 FieldNumber(const Value& value) {
  return std::visit(
      []<class T>(const T& held) -> Int128 {
        if constexpr (std::is_integral_v<T>) return static_cast<Int128>(held);
        if constexpr (std::is_same_v<T, Decimal>) return held.unscaled;
        if constexpr (std::is_same_v<T, Uuid>) {
          return static_cast<Int128>(LoadBytesInOrder<UInt128>(reinterpret_cast<const char*>(held.bytes.data())));
        }
        return 0;
      },
      value.variant());
}

Int128 KeyNumber(std::string_view encoded) {
  UInt128 number = 0;
  for (const char c : encoded) number = number << 8 | static_cast<uint8_t>(c);
  return static_cast<Int128>(number);
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
  const bool is_float = type.id == TypeId::kFloat || type.id == TypeId::kDouble;
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

Comparison MakeFieldComparison(const Predicate& leaf, const ColumnType& type) {
  const auto [test, negated] = AsLeaf(leaf);
  Comparison made;
  made.column = test.column();
  made.negated = negated;
  if (test.kind() == Kind::kIsNull || test.kind() == Kind::kIsNotNull) {
    made.run = test.kind() == Kind::kIsNull ? IsNullTest<true> : IsNullTest<false>;
    return made;
  }
  SetFieldOperands(type, test, &made);
  if (type.is_variable()) {
    made.run = BytesFunction<VariableFieldPlace>(test);
    return made;
  }
  const Limits limits = LimitsOf(type);
  made.least = FieldNumber(limits.least);
  made.greatest = FieldNumber(limits.greatest);
  made.run = FieldNumberFunction(type, test);
  return made;
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
  for (const std::string& bytes : encoded) numbers.push_back(KeyNumber(bytes));
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
  test->least = KeyNumber(least);
  test->greatest = KeyNumber(greatest);
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
  if (test.kind() == Kind::kIsNull || test.kind() == Kind::kIsNotNull) {
    made.run = test.kind() == Kind::kIsNull ? Constant<false> : Constant<true>;
    return made;
  }
  ARROW_RETURN_NOT_OK(SetKeyOperands(part, test, &made));
  if (part.type.is_variable()) {
    made.run = BytesFunction<VariableKeyPlace>(test);
    return made;
  }
  ARROW_RETURN_NOT_OK(SetKeyLimits(part, &made));
  const int32_t fixed_offset = row_schema.key_codec().fixed_offset(part_index);
  if (fixed_offset >= 0) made.offset += static_cast<uint32_t>(fixed_offset);
  made.run = fixed_offset >= 0 ? KeyNumberFunction<true>(part.type.fixed_width(), test)
                               : KeyNumberFunction<false>(part.type.fixed_width(), test);
  return made;
}

}  // namespace

arrow::Result<Comparison> MakeComparison(const Predicate& leaf, const RowSchema& row_schema,
                                         RowSchema::Place::Kind kind) {
  const auto column = static_cast<size_t>(AsLeaf(leaf).test.column());
  if (kind == RowSchema::Place::kField) return MakeFieldComparison(leaf, row_schema.columns()[column].type);
  return MakeKeyComparison(leaf, row_schema, static_cast<size_t>(row_schema.key_part(static_cast<int>(column))));
}

void PlaceField(const RowLayout& layout, size_t field, Comparison* comparison) {
  comparison->field = static_cast<uint32_t>(field);
  if (!layout.is_variable(field)) comparison->offset = layout.fixed_offset(field);
}

}  // namespace yarrow
