// The SQL names of column types: ColumnType::Parse and ColumnType::ToString.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "type/name_characters.h"
#include "type/nested_type_name.h"
#include "type/type_traits.h"
#include "yarrow/type.h"

namespace yarrow {
namespace {

// The names of times and timestamps by unit, DuckDB's. `is_shown`: the one that ToString gives for the unit.
struct UnitName {
  std::string_view name;
  TimeUnit unit;
  bool is_shown = true;
};
constexpr UnitName kTimestampNames[] = {
    {"TIMESTAMP", TimeUnit::kMicro},       {"TIMESTAMP_US", TimeUnit::kMicro, false},
    {"DATETIME", TimeUnit::kMicro, false}, {"TIMESTAMP_S", TimeUnit::kSecond},
    {"TIMESTAMP_MS", TimeUnit::kMilli},    {"TIMESTAMP_NS", TimeUnit::kNano},
};
constexpr UnitName kTimeNames[] = {{"TIME", TimeUnit::kMicro}, {"TIME_NS", TimeUnit::kNano}};

bool HasParameters(const TypeFacts& row) {
  return row.kind == TypeKind::kDecimal || row.kind == TypeKind::kTime || row.kind == TypeKind::kTimestamp ||
         row.kind == TypeKind::kEnum || (row.kind == TypeKind::kNested && row.id != TypeId::kVariant);
}

constexpr std::string_view kWithZone = " WITH TIME ZONE";
constexpr std::string_view kWithoutZone = " WITHOUT TIME ZONE";

template <size_t n>
std::optional<TimeUnit> FindUnit(const UnitName (&names)[n], std::string_view name) {
  for (const UnitName& known : names) {
    if (known.name == name) return known.unit;
  }
  return std::nullopt;
}

template <size_t n>
std::string_view NameOfUnit(const UnitName (&names)[n], TimeUnit unit) {
  for (const UnitName& known : names) {
    if (known.unit == unit) return known.name;
  }
  return names[0].name;
}

// A type name taken apart: words in upper case, then numbers in parentheses or a text in quotes.
struct NameParts {
  std::string words;
  std::array<int32_t, 2> numbers{};
  int number_count = 0;
  std::optional<std::string> quoted;
};

void SkipBlanks(std::string_view* text) {
  while (!text->empty() && IsBlank(text->front())) text->remove_prefix(1);
}

// Reads "(1)" or "(1, 2)".
bool TakeNumbers(std::string_view* text, NameParts* parts) {
  char closing = '(';
  while (closing != ')') {
    text->remove_prefix(1);  // the opening parenthesis or a comma
    SkipBlanks(text);
    if (parts->number_count == 2) return false;
    int32_t& number = parts->numbers[static_cast<size_t>(parts->number_count++)];
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc()) return false;
    text->remove_prefix(static_cast<size_t>(end - text->data()));
    SkipBlanks(text);
    if (text->empty() || (text->front() != ',' && text->front() != ')')) return false;
    closing = text->front();
  }
  text->remove_prefix(1);
  return true;
}

// Reads 'it''s'.
bool TakeQuoted(std::string_view* text, NameParts* parts) {
  parts->quoted.emplace();
  text->remove_prefix(1);
  while (!text->empty()) {
    const char c = text->front();
    text->remove_prefix(1);
    if (c != '\'') {
      parts->quoted->push_back(c);
    } else if (!text->empty() && text->front() == '\'') {
      parts->quoted->push_back('\'');
      text->remove_prefix(1);
    } else {
      return true;
    }
  }
  return false;
}

bool TakeApart(std::string_view text, NameParts* parts) {
  for (SkipBlanks(&text); !text.empty(); SkipBlanks(&text)) {
    if (parts->quoted.has_value()) return false;
    if (IsWordCharacter(text.front())) {
      if (!parts->words.empty()) parts->words.push_back(' ');
      for (; !text.empty() && IsWordCharacter(text.front()); text.remove_prefix(1)) {
        parts->words.push_back(ToUpper(text.front()));
      }
    } else if (text.front() == '(' && parts->number_count == 0) {
      if (!TakeNumbers(&text, parts)) return false;
    } else if (text.front() == '\'') {
      if (!TakeQuoted(&text, parts)) return false;
    } else {
      return false;
    }
  }
  return true;
}

std::optional<ColumnType> FindTimeType(const NameParts& parts) {
  std::string_view words = parts.words;
  bool zoned = false;
  if (words == "TIMESTAMPTZ") {
    words = "TIMESTAMP";
    zoned = true;
  } else if (words.ends_with(kWithZone)) {
    words.remove_suffix(kWithZone.size());
    zoned = true;
  } else if (words.ends_with(kWithoutZone)) {
    words.remove_suffix(kWithoutZone.size());
  }
  if (parts.number_count != 0 || (parts.quoted.has_value() && (!zoned || parts.quoted->empty()))) return std::nullopt;
  if (const auto unit = FindUnit(kTimestampNames, words)) {
    return ColumnType::Timestamp(*unit, zoned ? parts.quoted.value_or("UTC") : std::string());
  }
  if (const auto unit = FindUnit(kTimeNames, words); unit && !zoned) return ColumnType::Time(*unit);
  return std::nullopt;
}

bool IsNameOf(const TypeFacts& row, std::string_view words) {
  return std::ranges::find(row.names, words) != row.names.end();
}

std::optional<ColumnType> FindPlainType(const NameParts& parts) {
  for (const TypeFacts& row : kTypes) {
    if (HasParameters(row) || !IsNameOf(row, parts.words) || parts.quoted.has_value()) continue;
    // VARCHAR(20): as in DuckDB, the length says nothing.
    const bool may_have_length = row.kind == TypeKind::kText && parts.number_count == 1;
    if (parts.number_count > 0 && !may_have_length) continue;
    return row.id == TypeId::kVariant ? ColumnType::Variant() : ColumnType(row.id);
  }
  return std::nullopt;
}

std::string NamesOfUnits(std::span<const UnitName> names) {
  std::string text;
  for (const UnitName& known : names) {
    if (known.is_shown) text += (text.empty() ? "" : ", ") + std::string(known.name);
  }
  return text;
}

// How names of the type are written.
std::string FormOfName(const TypeFacts& row) {
  switch (row.id) {
    case TypeId::kDecimal128:
      return "DECIMAL(p,s)";
    case TypeId::kEnum:
      return "ENUM('label', ...)";
    case TypeId::kGeometry:
      return "GEOMETRY('coordinate system')";
    case TypeId::kList:
      return "type[]";
    case TypeId::kArray:
      return "type[size]";
    case TypeId::kStruct:
    case TypeId::kUnion:
      return std::string(row.names[0]) + "(name type, ...)";
    case TypeId::kMap:
      return "MAP(type, type)";
    default:
      return std::string(row.names[0]);
  }
}

// "BOOLEAN, TINYINT, ... and VARIANT", for messages.
std::string KnownTypes() {
  std::string text;
  for (const TypeFacts& row : kTypes) {
    if (!text.empty()) text += &row == std::end(kTypes) - 1 ? " and " : ", ";
    if (row.kind == TypeKind::kTime) {
      text += NamesOfUnits(kTimeNames);
    } else if (row.kind == TypeKind::kTimestamp) {
      text += NamesOfUnits(kTimestampNames) + ", TIMESTAMP WITH TIME ZONE";
    } else {
      text += FormOfName(row);
    }
  }
  return text;
}

}  // namespace

std::optional<ColumnType> ParsePlainTypeName(std::string_view name) {
  NameParts parts;
  if (!TakeApart(name, &parts)) return std::nullopt;
  if (IsNameOf(FactsOf(TypeId::kDecimal128), parts.words) && !parts.quoted.has_value()) {
    const bool has_precision = parts.number_count > 0;
    return has_precision ? ColumnType::Decimal(parts.numbers[0], parts.numbers[1]) : ColumnType::Decimal(18, 3);
  }
  if (auto type = FindPlainType(parts)) return type;
  return FindTimeType(parts);
}

arrow::Result<ColumnType> ColumnType::Parse(std::string_view sql_name) {
  const std::optional<ColumnType> type = ParseTypeName(sql_name);
  if (!type) return arrow::Status::Invalid("unknown column type '", sql_name, "'; known are ", KnownTypes());
  const arrow::Status status = type->Validate();
  if (!status.ok()) return status.WithMessage("type '", sql_name, "': ", status.message());
  return *type;
}

std::string ColumnType::ToString() const {
  if (id == TypeId::kDecimal128) return "DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) + ")";
  if (id == TypeId::kTime64) return std::string(NameOfUnit(kTimeNames, unit));
  if (id == TypeId::kTimestamp) {
    std::string name(NameOfUnit(kTimestampNames, unit));
    if (timezone.empty()) return name;
    name += kWithZone;
    if (timezone == "UTC") return name;
    name += " '";
    for (char c : timezone) name.append(c == '\'' ? 2 : 1, c);
    return name + "'";
  }
  if (id == TypeId::kEnum || (is_nested() && id != TypeId::kVariant)) return FormatNestedTypeName(*this);
  if (!coordinate_system().empty()) return FormatNestedTypeName(*this);
  return IsKnownType(id) ? std::string(FactsOf(id).names[0]) : "type number " + std::to_string(static_cast<int>(id));
}

}  // namespace yarrow
