#include "cli/cell_text.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>

#include <charconv>
#include <cstring>

#include "type/decimal.h"
#include "type/type_traits.h"

namespace yarrow::cli {
namespace {

using arrow::internal::checked_cast;

template <class Traits>
using ArrayOf = typename arrow::TypeTraits<typename Traits::ArrowType>::ArrayType;

Value DecimalAt(const arrow::Array& cells, int64_t row, const ColumnType& type) {
  const arrow::Decimal128 decimal(checked_cast<const arrow::Decimal128Array&>(cells).GetValue(row));
  return Value(Decimal{FromArrowDecimal(decimal), type.scale});
}

Value UuidAt(const arrow::Array& cells, int64_t row) {
  const arrow::Array& storage =
      cells.type_id() == arrow::Type::EXTENSION ? *checked_cast<const arrow::ExtensionArray&>(cells).storage() : cells;
  Uuid uuid;
  std::memcpy(uuid.bytes.data(), checked_cast<const arrow::FixedSizeBinaryArray&>(storage).GetValue(row),
              uuid.bytes.size());
  return Value(uuid);
}

// The shortest text that reads back to the same number.
template <class ArrayType>
void AppendNumber(const arrow::Array& cells, int64_t row, const ColumnType&, std::string* out) {
  char text[32];
  const auto number = checked_cast<const ArrayType&>(cells).Value(row);
  out->append(text, std::to_chars(text, text + sizeof(text), number).ptr);
}

template <class ArrayType>
void AppendReal(const arrow::Array& cells, int64_t row, const ColumnType& type, std::string* out) {
  const auto number = checked_cast<const ArrayType&>(cells).Value(row);
  if (number != number) {
    *out += "nan";  // to_chars would keep the sign, which means nothing
  } else {
    AppendNumber<ArrayType>(cells, row, type, out);
  }
}

void AppendBool(const arrow::Array& cells, int64_t row, const ColumnType&, std::string* out) {
  *out += checked_cast<const arrow::BooleanArray&>(cells).Value(row) ? "true" : "false";
}

// Texts may come by their numbers in a dictionary (ENUM), and JSON as an extension of text.
void AppendText(const arrow::Array& cells, int64_t row, const ColumnType& type, std::string* out) {
  if (cells.type_id() == arrow::Type::DICTIONARY) {
    const auto& numbers = checked_cast<const arrow::DictionaryArray&>(cells);
    AppendText(*numbers.dictionary(), numbers.GetValueIndex(row), type, out);
  } else if (cells.type_id() == arrow::Type::EXTENSION) {
    AppendText(*checked_cast<const arrow::ExtensionArray&>(cells).storage(), row, type, out);
  } else {
    *out += checked_cast<const arrow::StringArray&>(cells).GetView(row);
  }
}

// Of any type, by way of Arrow's scalar.
Value OtherValueAt(const arrow::Array& cells, int64_t row, const ColumnType& type) {
  const auto scalar = cells.GetScalar(row);
  if (!scalar.ok()) return Value(scalar.status().ToString());
  auto value = Value::FromScalar(**scalar, type);
  return value.ok() ? *std::move(value) : Value((*scalar)->ToString());
}

void AppendValue(const arrow::Array& cells, int64_t row, const ColumnType& type, std::string* out) {
  *out += CellValue(cells, row, type).ToString(type);
}

}  // namespace

Value CellValue(const arrow::Array& cells, int64_t row, const ColumnType& type) {
  return VisitType(type.id, [&](auto traits) {
    using Traits = decltype(traits);
    if constexpr (Traits::kId > TypeId::kUuid) {
      return OtherValueAt(cells, row, type);
    } else if constexpr (Traits::kKind == TypeKind::kDecimal) {
      return DecimalAt(cells, row, type);
    } else if constexpr (Traits::kKind == TypeKind::kUuid) {
      return UuidAt(cells, row);
    } else if constexpr (Traits::kIsVariable) {
      return Value(checked_cast<const arrow::BinaryArray&>(cells).GetView(row));
    } else {
      return Value(checked_cast<const ArrayOf<Traits>&>(cells).Value(row));
    }
  });
}

AppendCell CellAppender(const ColumnType& type) {
  return VisitType(type.id, [](auto traits) -> AppendCell {
    using Traits = decltype(traits);
    if constexpr (Traits::kKind == TypeKind::kBool) {
      return AppendBool;
    } else if constexpr (Traits::kKind == TypeKind::kInteger) {
      return AppendNumber<ArrayOf<Traits>>;
    } else if constexpr (Traits::kKind == TypeKind::kReal) {
      return AppendReal<ArrayOf<Traits>>;
    } else if constexpr (Traits::kKind == TypeKind::kText) {
      return AppendText;
    } else {
      return AppendValue;
    }
  });
}

std::string GroupDigits(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace yarrow::cli
