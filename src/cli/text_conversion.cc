#include "cli/text_conversion.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <arrow/util/utf8.h>

#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "cli/type_inference.h"
#include "yarrow/value.h"

namespace yarrow::cli {
namespace {

// Decides one cell at a time; on false the cell is not of the type, or a quoted NULL spelling.
template <class T>
bool ParseNumber(std::string_view text, T* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

struct Source {
  const arrow::BinaryArray& texts;
  const ColumnType& type;
  const CsvDialect& dialect;
  int64_t* bad_row;
};

// Fills `builder` with what `parse(text, append)` makes of each cell. `parse` returns false for cells it cannot read.
template <class Builder, class Parse>
arrow::Result<std::shared_ptr<arrow::Array>> Build(const Source& source, Builder* builder, const Parse& parse) {
  ARROW_RETURN_NOT_OK(builder->Reserve(source.texts.length()));
  for (int64_t row = 0; row < source.texts.length(); ++row) {
    if (source.texts.IsNull(row)) {
      builder->UnsafeAppendNull();
      continue;
    }
    const std::string_view text = TrimBlanks(source.texts.GetView(row));
    if (parse(text)) continue;
    if (source.dialect.IsNull(source.texts.GetView(row))) {
      builder->UnsafeAppendNull();
      continue;
    }
    *source.bad_row = row;
    const arrow::Status status = Value::Parse(text, source.type).status();
    return status.ok() ? arrow::Status::Invalid("cannot read '", text, "' as ", source.type.ToString()) : status;
  }
  return builder->Finish();
}

template <class ArrowType>
arrow::Result<std::shared_ptr<arrow::Array>> ConvertNumbers(const Source& source) {
  typename arrow::TypeTraits<ArrowType>::BuilderType builder;
  return Build(source, &builder, [&builder](std::string_view text) {
    typename ArrowType::c_type number;
    if (!ParseNumber(text, &number)) return false;
    builder.UnsafeAppend(number);
    return true;
  });
}

// Dates, times and timestamps, which Value holds as int64.
template <class ArrowType>
arrow::Result<std::shared_ptr<arrow::Array>> ConvertUnits(const Source& source) {
  typename arrow::TypeTraits<ArrowType>::BuilderType builder(source.type.ToArrow(), arrow::default_memory_pool());
  return Build(source, &builder, [&](std::string_view text) {
    const auto value = Value::Parse(text, source.type);
    if (!value.ok()) return false;
    builder.UnsafeAppend(static_cast<typename ArrowType::c_type>(value->template get<int64_t>()));
    return true;
  });
}

arrow::Result<std::shared_ptr<arrow::Array>> ConvertBooleans(const Source& source) {
  arrow::BooleanBuilder builder;
  return Build(source, &builder, [&](std::string_view text) {
    const auto value = Value::Parse(text, source.type);
    if (!value.ok()) return false;
    builder.UnsafeAppend(value->get<bool>());
    return true;
  });
}

arrow::Result<std::shared_ptr<arrow::Array>> ConvertDecimals(const Source& source) {
  arrow::Decimal128Builder builder(source.type.ToArrow());
  return Build(source, &builder, [&](std::string_view text) {
    const auto value = Value::Parse(text, source.type);
    if (!value.ok()) return false;
    const Int128 unscaled = value->get<Decimal>().unscaled;
    builder.UnsafeAppend(arrow::Decimal128(static_cast<int64_t>(unscaled >> 64), static_cast<uint64_t>(unscaled)));
    return true;
  });
}

arrow::Result<std::shared_ptr<arrow::Array>> ConvertUuids(const Source& source) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(sizeof(Uuid::bytes)));
  ARROW_ASSIGN_OR_RAISE(auto storage, Build(source, &builder, [&](std::string_view text) {
                          const auto value = Value::Parse(text, source.type);
                          if (!value.ok()) return false;
                          builder.UnsafeAppend(value->get<Uuid>().bytes.data());
                          return true;
                        }));
  return arrow::ExtensionType::WrapArray(source.type.ToArrow(), storage);
}

arrow::Result<std::shared_ptr<arrow::Array>> ConvertBinary(const Source& source) {
  arrow::BinaryBuilder builder;
  for (int64_t row = 0; row < source.texts.length(); ++row) {
    if (source.texts.IsNull(row)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const auto value = Value::Parse(source.texts.GetView(row), source.type);
    if (!value.ok()) {
      *source.bad_row = row;
      return value.status();
    }
    ARROW_RETURN_NOT_OK(builder.Append(value->get<std::string>()));
  }
  return builder.Finish();
}

// The same bytes under another name, once they are known to be UTF-8.
arrow::Result<std::shared_ptr<arrow::Array>> ConvertText(const Source& source) {
  arrow::util::InitializeUTF8();
  for (int64_t row = 0; row < source.texts.length(); ++row) {
    if (source.texts.IsNull(row) || arrow::util::ValidateUTF8(source.texts.GetView(row))) continue;
    *source.bad_row = row;
    return Value::Parse(source.texts.GetView(row), source.type).status();
  }
  const std::shared_ptr<arrow::ArrayData> data = source.texts.data()->Copy();
  data->type = source.type.ToArrow();
  return arrow::MakeArray(data);
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> ConvertTexts(const arrow::BinaryArray& texts, const ColumnType& type,
                                                          const CsvDialect& dialect, int64_t* bad_row) {
  const Source source{texts, type, dialect, bad_row};
  switch (type.id) {
    case TypeId::kBool:
      return ConvertBooleans(source);
    case TypeId::kInt8:
      return ConvertNumbers<arrow::Int8Type>(source);
    case TypeId::kInt16:
      return ConvertNumbers<arrow::Int16Type>(source);
    case TypeId::kInt32:
      return ConvertNumbers<arrow::Int32Type>(source);
    case TypeId::kInt64:
      return ConvertNumbers<arrow::Int64Type>(source);
    case TypeId::kUInt8:
      return ConvertNumbers<arrow::UInt8Type>(source);
    case TypeId::kUInt16:
      return ConvertNumbers<arrow::UInt16Type>(source);
    case TypeId::kUInt32:
      return ConvertNumbers<arrow::UInt32Type>(source);
    case TypeId::kUInt64:
      return ConvertNumbers<arrow::UInt64Type>(source);
    case TypeId::kFloat:
      return ConvertNumbers<arrow::FloatType>(source);
    case TypeId::kDouble:
      return ConvertNumbers<arrow::DoubleType>(source);
    case TypeId::kDecimal128:
      return ConvertDecimals(source);
    case TypeId::kUtf8:
      return ConvertText(source);
    case TypeId::kBinary:
      return ConvertBinary(source);
    case TypeId::kDate32:
      return ConvertUnits<arrow::Date32Type>(source);
    case TypeId::kTime64:
      return ConvertUnits<arrow::Time64Type>(source);
    case TypeId::kTimestamp:
      return ConvertUnits<arrow::TimestampType>(source);
    case TypeId::kUuid:
      return ConvertUuids(source);
  }
  return arrow::Status::Invalid("unknown column type ", type.ToString());
}

}  // namespace yarrow::cli
