#include "sqllogic_answer.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <duckdb/common/crypto/md5.hpp>
#include <string_view>
#include <utility>

namespace yarrow::test {
namespace {

using Cells = std::vector<std::string>;

constexpr std::string_view kHashing = " values hashing to ";
constexpr size_t kHashDigits = 32;

bool IsHash(const std::string& line) {
  const size_t at = line.find(kHashing);
  return at != std::string::npos && at > 0 && line.size() == at + kHashing.size() + kHashDigits &&
         std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(at),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string TextOf(duckdb::ClientContext& context, const duckdb::Value& value) {
  if (value.IsNull()) return "NULL";
  if (value.type().id() == duckdb::LogicalTypeId::BOOLEAN) return value.GetValue<bool>() ? "1" : "0";
  std::string text = value.CastAs(context, duckdb::LogicalType::VARCHAR).ToString();
  if (text.empty()) return "(empty)";
  for (size_t at = 0; (at = text.find('\0', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\0");
  return text;
}

// By sqllogictest's own rules: I cuts the fraction off, R has three digits of it.
std::string NumberOf(duckdb::ClientContext& context, const duckdb::Value& value, char letter) {
  const bool is_number = !value.IsNull() && value.type().IsNumeric() && (letter == 'I' || letter == 'R');
  if (!is_number || (letter == 'I' && value.type().IsIntegral())) return TextOf(context, value);
  const double number = value.GetValue<double>();
  return letter == 'R' ? duckdb::StringUtil::Format("%.3f", number)
                       : std::to_string(static_cast<int64_t>(std::trunc(number)));
}

Cells CellsOf(duckdb::ClientContext& context, duckdb::MaterializedQueryResult& result, const std::string& letters) {
  Cells cells;
  for (duckdb::idx_t row = 0; row < result.RowCount(); ++row) {
    for (duckdb::idx_t column = 0; column < result.ColumnCount(); ++column) {
      const duckdb::Value value = result.GetValue(column, row);
      cells.push_back(letters.empty() ? TextOf(context, value) : NumberOf(context, value, letters.at(column)));
    }
  }
  return cells;
}

void Sort(const std::string& how, size_t columns, Cells* cells) {
  if (how == "valuesort") std::ranges::sort(*cells);
  if (how != "rowsort") return;
  std::vector<Cells> rows;
  for (size_t i = 0; i + columns <= cells->size(); i += columns) {
    rows.emplace_back(std::make_move_iterator(cells->begin() + static_cast<std::ptrdiff_t>(i)),
                      std::make_move_iterator(cells->begin() + static_cast<std::ptrdiff_t>(i + columns)));
  }
  std::ranges::sort(rows);
  cells->clear();
  for (Cells& row : rows) cells->insert(cells->end(), row.begin(), row.end());
}

Cells SplitAtTabs(const std::string& line) {
  Cells cells;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find('\t', begin), line.size());
    cells.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return cells;
}

// One line a row or one a cell: DuckDB tells by their number and by their tabs.
std::string CellsOfLines(const ExpectedAnswer& expected, size_t rows, size_t columns, Cells* cells) {
  const auto has_tab = [](const std::string& line) { return line.find('\t') != std::string::npos; };
  const bool by_row = (columns > 1 && expected.lines.size() == rows) || std::ranges::all_of(expected.lines, has_tab);
  if (!by_row) {
    *cells = expected.lines;
    return {};
  }
  for (const std::string& line : expected.lines) {
    const Cells row = SplitAtTabs(line);
    if (row.size() != columns) {
      return "a row of " + std::to_string(row.size()) + " cells is expected, not of " + std::to_string(columns);
    }
    cells->insert(cells->end(), row.begin(), row.end());
  }
  return {};
}

bool IsSameNumber(duckdb::ClientContext& context, const std::string& found, const std::string& wanted,
                  const duckdb::LogicalType& type) {
  const auto read = [&](const std::string& text, duckdb::Value* value) {
    if (text == "NULL") {
      *value = duckdb::Value(type);
      return true;
    }
    *value = duckdb::Value(text);
    return value->TryCastAs(context, type);
  };
  duckdb::Value left, right;
  return read(found, &left) && read(wanted, &right) && duckdb::Value::ValuesAreEqual(context, left, right);
}

bool IsSameTruth(std::string found, std::string wanted) {
  for (std::string* text : {&found, &wanted}) {
    std::ranges::transform(*text, text->begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (*text == "true") *text = "1";
    if (*text == "false") *text = "0";
  }
  return found == wanted;
}

bool IsSame(duckdb::ClientContext& context, const std::string& found, const std::string& wanted,
            const duckdb::LogicalType& type) {
  if (found == wanted || MatchesPattern(found, wanted)) return true;
  if (type.IsNumeric()) return IsSameNumber(context, found, wanted, type);
  return type.id() == duckdb::LogicalTypeId::BOOLEAN && IsSameTruth(found, wanted);
}

std::string Shortened(const std::string& text) {
  constexpr size_t kMost = 200;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

}  // namespace

// By DuckDB's own regular expressions, which the scripts are written for.
bool MatchesPattern(const std::string& text, const std::string& pattern) {
  constexpr std::string_view kIs = "<REGEX>:", kIsNot = "<!REGEX>:";
  const bool wanted = pattern.starts_with(kIs);
  if (!wanted && !pattern.starts_with(kIsNot)) return false;
  // Never destroyed: DuckDB's own thread-local objects go before the static ones.
  static auto& matcher = *new duckdb::DuckDB(nullptr);
  duckdb::Connection connection(matcher);
  auto prepared = connection.Prepare("SELECT regexp_full_match($1, $2, 's')");
  if (prepared->HasError()) return false;
  const auto answer =
      prepared->Execute(duckdb::Value(text), duckdb::Value(pattern.substr(wanted ? kIs.size() : kIsNot.size())));
  if (answer->HasError()) return false;
  const auto chunk = answer->Fetch();
  return chunk != nullptr && chunk->size() == 1 && chunk->GetValue(0, 0).GetValue<bool>() == wanted;
}

std::string AnswerCheck::CompareHash(const Cells& cells, const ExpectedAnswer& expected) {
  duckdb::MD5Context md5;
  for (const std::string& cell : cells) {
    md5.Add(cell);
    md5.Add("\n");
  }
  const std::string hash = std::to_string(cells.size()) + std::string(kHashing) + md5.FinishHex();
  if (!expected.label.empty()) {
    const auto [known, is_new] = hash_of_label_.emplace(expected.label, hash);
    if (!is_new && known->second != hash) return "the result is not that of label " + expected.label;
  }
  const bool is_given = expected.lines.size() == 1 && IsHash(expected.lines[0]);
  return is_given && expected.lines[0] != hash ? hash + " <> " + expected.lines[0] : std::string();
}

std::string AnswerCheck::FindFault(duckdb::ClientContext& context, duckdb::MaterializedQueryResult& result,
                                   const ExpectedAnswer& expected) {
  const size_t columns = result.ColumnCount(), rows = result.RowCount();
  const std::string& letters = expected.letters;
  if (!letters.empty() && columns != letters.size()) return std::to_string(columns) + " columns, not " + letters;
  Cells cells = CellsOf(context, result, letters);
  Sort(expected.sort, columns, &cells);
  const bool is_hash = expected.lines.size() == 1 && IsHash(expected.lines[0]);
  const bool is_large = hash_threshold_ > 0 && cells.size() > hash_threshold_;
  if (is_hash || is_large || !expected.label.empty()) {
    std::string fault = CompareHash(cells, expected);
    // DuckDB's own runner does not read the lines of a query with a label, and some of its scripts have wrong ones.
    if (letters.empty() || is_hash || !fault.empty() || expected.lines.empty()) return fault;
  }
  if (columns != expected.columns) {
    return std::to_string(columns) + " columns <> " + std::to_string(expected.columns);
  }
  Cells wanted;
  if (std::string fault = CellsOfLines(expected, rows, columns, &wanted); !fault.empty()) return fault;
  if (wanted.size() != cells.size()) {
    return std::to_string(rows) + " rows <> " + std::to_string(wanted.size() / columns);
  }
  Sort(expected.sort, columns, &wanted);
  for (size_t i = 0; i < cells.size(); ++i) {
    if (IsSame(context, cells[i], wanted[i], result.types[i % columns])) continue;
    return "row " + std::to_string(i / columns + 1) + ", column " + std::to_string(i % columns + 1) + ": " +
           Shortened(cells[i]) + " <> " + Shortened(wanted[i]);
  }
  return {};
}

}  // namespace yarrow::test
