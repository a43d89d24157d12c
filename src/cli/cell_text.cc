#include "cli/cell_text.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>

#include <charconv>
#include <cstring>

namespace yarrow::cli {
namespace {

using arrow::internal::checked_cast;

template <class ArrayType>
Value NumberAt(const arrow::Array& cells, int64_t row) {
  return Value(checked_cast<const ArrayType&>(cells).Value(row));
}

Value DecimalAt(const arrow::Array& cells, int64_t row, const ColumnType& type) {
  const arrow::Decimal128 decimal(checked_cast<const arrow::Decimal128Array&>(cells).GetValue(row));
  const auto high = static_cast<Int128>(decimal.high_bits());
  return Value(Decimal{high * (static_cast<Int128>(1) << 64) + static_cast<Int128>(decimal.low_bits()), type.scale});
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

void AppendText(const arrow::Array& cells, int64_t row, const ColumnType&, std::string* out) {
  *out += checked_cast<const arrow::StringArray&>(cells).GetView(row);
}

void AppendValue(const arrow::Array& cells, int64_t row, const ColumnType& type, std::string* out) {
  *out += CellValue(cells, row, type).ToString(type);
}

}  // namespace

Value CellValue(const arrow::Array& cells, int64_t row, const ColumnType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return NumberAt<arrow::BooleanArray>(cells, row);
    case TypeId::kInt8:
      return NumberAt<arrow::Int8Array>(cells, row);
    case TypeId::kInt16:
      return NumberAt<arrow::Int16Array>(cells, row);
    case TypeId::kInt32:
      return NumberAt<arrow::Int32Array>(cells, row);
    case TypeId::kInt64:
      return NumberAt<arrow::Int64Array>(cells, row);
    case TypeId::kUInt8:
      return NumberAt<arrow::UInt8Array>(cells, row);
    case TypeId::kUInt16:
      return NumberAt<arrow::UInt16Array>(cells, row);
    case TypeId::kUInt32:
      return NumberAt<arrow::UInt32Array>(cells, row);
    case TypeId::kUInt64:
      return NumberAt<arrow::UInt64Array>(cells, row);
    case TypeId::kFloat:
      return NumberAt<arrow::FloatArray>(cells, row);
    case TypeId::kDouble:
      return NumberAt<arrow::DoubleArray>(cells, row);
    case TypeId::kDecimal128:
      return DecimalAt(cells, row, type);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return Value(checked_cast<const arrow::BinaryArray&>(cells).GetView(row));
    case TypeId::kDate32:
      return NumberAt<arrow::Date32Array>(cells, row);
    case TypeId::kTime64:
      return NumberAt<arrow::Time64Array>(cells, row);
    case TypeId::kTimestamp:
      return NumberAt<arrow::TimestampArray>(cells, row);
    case TypeId::kUuid:
      return UuidAt(cells, row);
  }
  return Value();
}

AppendCell CellAppender(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return AppendBool;
    case TypeId::kInt8:
      return AppendNumber<arrow::Int8Array>;
    case TypeId::kInt16:
      return AppendNumber<arrow::Int16Array>;
    case TypeId::kInt32:
      return AppendNumber<arrow::Int32Array>;
    case TypeId::kInt64:
      return AppendNumber<arrow::Int64Array>;
    case TypeId::kUInt8:
      return AppendNumber<arrow::UInt8Array>;
    case TypeId::kUInt16:
      return AppendNumber<arrow::UInt16Array>;
    case TypeId::kUInt32:
      return AppendNumber<arrow::UInt32Array>;
    case TypeId::kUInt64:
      return AppendNumber<arrow::UInt64Array>;
    case TypeId::kFloat:
      return AppendReal<arrow::FloatArray>;
    case TypeId::kDouble:
      return AppendReal<arrow::DoubleArray>;
    case TypeId::kUtf8:
      return AppendText;
    default:
      return AppendValue;
  }
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
