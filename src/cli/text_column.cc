#include "cli/text_column.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <type_traits>
#include <utility>

#include "type/type_traits.h"

namespace yarrow::cli {
namespace {

using Texts = arrow::BinaryArray;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

std::string_view WithoutBlanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

struct Parsing {
  const Texts& texts;
  const ColumnType& type;
  const std::vector<std::string>& null_texts;
  int64_t* bad_row;

  bool IsNull(std::string_view text) const { return std::ranges::find(null_texts, text) != null_texts.end(); }
};

// Fills `builder` with what `parse(text)` appends for each cell. It returns OK, or says why it cannot.
template <class Builder, class Parse>
ArrayResult Build(const Parsing& parsing, Builder* builder, const Parse& parse) {
  ARROW_RETURN_NOT_OK(builder->Reserve(parsing.texts.length()));
  for (int64_t row = 0; row < parsing.texts.length(); ++row) {
    const std::string_view text = WithoutBlanks(parsing.texts.GetView(row));
    if (parsing.texts.IsNull(row)) {
      builder->UnsafeAppendNull();
    } else if (const arrow::Status status = parse(text); !status.ok()) {
      if (!parsing.IsNull(parsing.texts.GetView(row))) {
        *parsing.bad_row = row;
        return status;
      }
      builder->UnsafeAppendNull();
    }
  }
  return builder->Finish();
}

// What Value::Parse reads, appended by `append(value)`.
template <class Builder, class Append>
ArrayResult BuildValues(const Parsing& parsing, Builder* builder, const Append& append) {
  return Build(parsing, builder, [&](std::string_view text) {
    const auto value = Value::Parse(text, parsing.type);
    if (value.ok()) append(*value);
    return value.status();
  });
}

// Whether a text of digits only is the number as it was read: a code of many digits must not lose some.
template <class Real>
arrow::Status CheckDigits(std::string_view text, Real number, const ColumnType& type) {
  constexpr size_t kExactDigits = std::is_same_v<Real, float> ? 7 : 15;
  if (text.size() <= kExactDigits || text.find_first_not_of("+-0123456789") != std::string_view::npos) {
    return arrow::Status::OK();
  }
  std::string_view digits = text;
  digits.remove_prefix(std::min(digits.find_first_of("123456789"), digits.size()));
  if (digits.empty() || fmt::format("{:.0f}", std::abs(number)) == digits) return arrow::Status::OK();
  return arrow::Status::Invalid("'", text, "' would lose digits as ", type.ToString());
}

template <class ArrowType>
ArrayResult ParseNumbers(const Parsing& parsing) {
  using Number = typename ArrowType::c_type;
  typename arrow::TypeTraits<ArrowType>::BuilderType builder;
  return Build(parsing, &builder, [&](std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
      const arrow::Status status = Value::Parse(text, parsing.type).status();
      return status.ok() ? arrow::Status::Invalid("cannot read '", text, "' as ", parsing.type.ToString()) : status;
    }
    if constexpr (std::is_floating_point_v<Number>) ARROW_RETURN_NOT_OK(CheckDigits(text, number, parsing.type));
    builder.UnsafeAppend(number);
    return arrow::Status::OK();
  });
}

// Dates, times and timestamps, which Value holds as int64.
template <class ArrowType>
ArrayResult ParseUnits(const Parsing& parsing) {
  typename arrow::TypeTraits<ArrowType>::BuilderType builder(parsing.type.ToArrow(), arrow::default_memory_pool());
  return BuildValues(parsing, &builder, [&](const Value& value) {
    builder.UnsafeAppend(static_cast<typename ArrowType::c_type>(value.get<int64_t>()));
  });
}

// As people write them: true, false, t, f, in any case.
ArrayResult ParseBooleans(const Parsing& parsing) {
  arrow::BooleanBuilder builder;
  return Build(parsing, &builder, [&](std::string_view text) {
    const bool is_letter = text == "t" || text == "T" || text == "f" || text == "F";
    if (is_letter) {
      builder.UnsafeAppend(text == "t" || text == "T");
      return arrow::Status::OK();
    }
    const auto value = Value::Parse(text, parsing.type);
    if (value.ok()) builder.UnsafeAppend(value->get<bool>());
    return value.status();
  });
}

ArrayResult ParseDecimals(const Parsing& parsing) {
  arrow::Decimal128Builder builder(parsing.type.ToArrow());
  return BuildValues(parsing, &builder, [&](const Value& value) {
    const Int128 unscaled = value.get<Decimal>().unscaled;
    builder.UnsafeAppend(arrow::Decimal128(static_cast<int64_t>(unscaled >> 64), static_cast<uint64_t>(unscaled)));
  });
}

ArrayResult ParseUuids(const Parsing& parsing) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(sizeof(Uuid::bytes)));
  ARROW_ASSIGN_OR_RAISE(auto storage, BuildValues(parsing, &builder, [&](const Value& value) {
                          builder.UnsafeAppend(value.get<Uuid>().bytes.data());
                        }));
  return arrow::ExtensionType::WrapArray(parsing.type.ToArrow(), storage);
}

ArrayResult ParseBinary(const Parsing& parsing) {
  arrow::BinaryBuilder builder;
  for (int64_t row = 0; row < parsing.texts.length(); ++row) {
    if (parsing.texts.IsNull(row)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const auto value = Value::Parse(parsing.texts.GetView(row), parsing.type);
    if (!value.ok()) *parsing.bad_row = row;
    ARROW_RETURN_NOT_OK(value.status());
    ARROW_RETURN_NOT_OK(builder.Append(value->get<std::string>()));
  }
  return builder.Finish();
}

// Texts that tables read as values of the type.
ArrayResult CheckTexts(const Parsing& parsing) {
  arrow::StringBuilder builder;
  return Build(parsing, &builder, [&](std::string_view text) {
    ARROW_RETURN_NOT_OK(Value::Parse(text, parsing.type).status());
    return builder.Append(text);
  });
}

// The same bytes under another name: DuckDB's readers let nothing pass that is not UTF-8.
ArrayResult AsText(const Parsing& parsing) {
  const std::shared_ptr<arrow::ArrayData> data = parsing.texts.data()->Copy();
  data->type = parsing.type.ToArrow();
  return arrow::MakeArray(data);
}

}  // namespace

ArrayResult ParseTexts(const Texts& texts, const ColumnType& type, const std::vector<std::string>& null_texts,
                       int64_t* bad_row) {
  const Parsing parsing{texts, type, null_texts, bad_row};
  return VisitType(type.id, [&parsing](auto traits) -> ArrayResult {
    using Traits = decltype(traits);
    constexpr TypeKind kKind = Traits::kKind;
    if constexpr (kKind == TypeKind::kInteger || kKind == TypeKind::kReal) {
      return ParseNumbers<typename Traits::ArrowType>(parsing);
    } else if constexpr (kKind == TypeKind::kDate || kKind == TypeKind::kTime || kKind == TypeKind::kTimestamp) {
      return ParseUnits<typename Traits::ArrowType>(parsing);
    } else if constexpr (kKind == TypeKind::kBool) {
      return ParseBooleans(parsing);
    } else if constexpr (kKind == TypeKind::kDecimal) {
      return ParseDecimals(parsing);
    } else if constexpr (kKind == TypeKind::kText) {
      return AsText(parsing);
    } else if constexpr (kKind == TypeKind::kBinary) {
      return ParseBinary(parsing);
    } else if constexpr (kKind == TypeKind::kUuid) {
      return ParseUuids(parsing);
    } else {
      return CheckTexts(parsing);
    }
  });
}

}  // namespace yarrow::cli
