#include "predicate/comparison_functions.h"

#include <cmath>
#include <cstring>
#include <type_traits>

#include "key/key_bytes.h"
#include "type/type_traits.h"

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

// kInOrder: 16 bytes that compare as a big-endian number, as those of a UUID do. kLimited: a type with fewer values
// than its bytes.
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

// A field of a narrower type than its column: compared as the column's numbers, in 64 bits.
template <class From, class To>
struct WidenedFieldPlace {
  using Number = To;
  static bool IsNull(const Comparison& test, const RowView& view) { return IsNullField(view.row, test.field); }
  static bool Get(const Comparison& test, const RowView& view, To* number) {
    // NOLINTNEXTLINE(bugprone-signed-char-misuse): int8_t is a number here
    *number = static_cast<To>(LoadLittleEndian<From>(view.row.data() + test.offset));
    return true;
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

// One test without a branch on the outcome for both ends of an interval.
template <class Place>
Outcome IsBetweenNumbers(const Comparison& test, const RowView& view) {
  using T = typename Place::Number;
  if (Place::IsNull(test, view)) return Outcome::kFails;
  T value;
  if (!Place::Get(test, view, &value)) return Outcome::kDamaged;
  return ToOutcome((value >= static_cast<T>(test.number)) & (value <= static_cast<T>(test.last)));
}

// No test: BETWEEN.
template <class Place>
Comparison::Function NumberFunction(const Predicate* test) {
  if (test == nullptr) return IsBetweenNumbers<Place>;
  if (test->kind() == Kind::kIn) return IsInNumbers<Place>;
  if constexpr (std::is_floating_point_v<typename Place::Number>) {
    if (std::isnan(test->values().front().get<double>())) {
      const bool wants_nan = test->op() == Op::kEq || test->op() == Op::kGe;
      return wants_nan ? IsNanNumber<Place, true> : IsNanNumber<Place, false>;
    }
  }
  switch (test->op()) {
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

// How a value of the type lies in a field.
template <class Traits>
struct FieldPlaceOf {
  static constexpr bool kIsLimited =
      Traits::kKind == TypeKind::kBool || Traits::kKind == TypeKind::kTime || Traits::kKind == TypeKind::kDecimal;
  static constexpr bool kIsInOrder = std::is_same_v<typename Traits::Stored, Uuid>;
  using Plain = FieldPlace<typename Traits::Stored, kIsLimited ? Flavour::kLimited : Flavour::kPlain>;
  using Type = std::conditional_t<kIsInOrder, FieldPlace<UInt128, Flavour::kInOrder>, Plain>;
};

Comparison::Function FieldNumberFunction(const ColumnType& type, const Predicate* test) {
  return VisitType(type.id, [test](auto traits) -> Comparison::Function {
    using Traits = decltype(traits);
    if constexpr (Traits::kIsVariable) {
      return nullptr;
    } else {
      return NumberFunction<typename FieldPlaceOf<Traits>::Type>(test);
    }
  });
}

template <class From>
Comparison::Function WidenedNumberFunction(const ColumnType& type, const Predicate* test) {
  if (IsReal(type)) return NumberFunction<WidenedFieldPlace<From, double>>(test);
  if constexpr (std::is_unsigned_v<From>) {
    if (IsUnsigned(type)) return NumberFunction<WidenedFieldPlace<From, uint64_t>>(test);
  }
  return NumberFunction<WidenedFieldPlace<From, int64_t>>(test);
}

template <bool is_fixed>
Comparison::Function KeyNumberFunction(int width, const Predicate* test) {
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

}  // namespace

Comparison::Function FieldFunction(const ColumnType& type, const Predicate* test) {
  if (test != nullptr && test->values().empty()) {
    return test->kind() == Kind::kIsNull ? IsNullTest<true> : IsNullTest<false>;
  }
  return type.is_variable() ? BytesFunction<VariableFieldPlace>(*test) : FieldNumberFunction(type, test);
}

Comparison::Function WidenedFieldFunction(const ColumnType& stored, const ColumnType& type, const Predicate* test) {
  if (test != nullptr && test->values().empty()) return FieldFunction(type, test);
  return VisitType(stored.id, [&](auto traits) -> Comparison::Function {
    using Traits = decltype(traits);
    using Stored = typename Traits::Stored;
    if constexpr (Traits::kKind == TypeKind::kInteger && sizeof(Stored) < sizeof(int64_t)) {
      return WidenedNumberFunction<Stored>(type, test);
    } else if constexpr (std::is_same_v<Stored, float>) {
      return NumberFunction<WidenedFieldPlace<float, double>>(test);
    } else {  // decimals: more digits in the same bytes
      return FieldFunction(type, test);
    }
  });
}

Comparison::Function KeyPartFunction(const ColumnType& type, bool is_fixed, const Predicate* test) {
  if (test != nullptr && test->values().empty()) {
    return test->kind() == Kind::kIsNull ? Constant<false> : Constant<true>;
  }
  if (type.is_variable()) return BytesFunction<VariableKeyPlace>(*test);
  return is_fixed ? KeyNumberFunction<true>(type.fixed_width(), test)
                  : KeyNumberFunction<false>(type.fixed_width(), test);
}

}  // namespace yarrow
