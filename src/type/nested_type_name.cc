#include "type/nested_type_name.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>
#include <vector>

#include "type/name_characters.h"

namespace yarrow {
namespace {

// As in DuckDB, the bytes of other alphabets are letters.
bool IsNameCharacter(char c) {
  return IsWordCharacter(c) || static_cast<uint8_t>(c) >= 0x80;
}

std::string UpperCase(std::string_view word) {
  std::string upper(word);
  for (char& c : upper) c = ToUpper(c);
  return upper;
}

// Takes a name apart from the left. Once something is not as it must be, `failed` stays true.
class NameReader {
 public:
  explicit NameReader(std::string_view text) : text_(text) {}

  std::optional<ColumnType> ReadWhole() {
    ColumnType type = ReadType(0);
    SkipBlanks();
    if (failed_ || !text_.empty()) return std::nullopt;
    return type;
  }

 private:
  static constexpr int kMostLevels = 1000;  // of types in types, which are read by recursion

  ColumnType ReadType(int level) {
    SkipBlanks();
    if (level > kMostLevels) return Fail();
    const std::string word = UpperCase(text_.substr(0, WordSize()));
    ColumnType type;
    if (word == "STRUCT" || word == "ROW") {
      text_.remove_prefix(word.size());
      type = ColumnType::Struct(ReadMembers(level));
    } else if (word == "UNION") {
      text_.remove_prefix(word.size());
      type = ColumnType::Union(ReadMembers(level));
    } else if (word == "MAP") {
      text_.remove_prefix(word.size());
      type = ReadMap(level);
    } else if (word == "ENUM") {
      text_.remove_prefix(word.size());
      type = ColumnType::Enum(ReadLabels());
    } else if (word == "GEOMETRY") {
      text_.remove_prefix(word.size());
      type = ReadGeometry();
    } else {
      type = ReadPlain();
    }
    return ReadSuffixes(std::move(type), level);
  }

  // [] and [3], as many as there are.
  ColumnType ReadSuffixes(ColumnType type, int level) {
    for (; !failed_ && Take('['); ++level) {
      if (level > kMostLevels) return Fail();
      uint32_t size = 0;
      SkipBlanks();
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      const bool has_size = error == std::errc();
      if (has_size) text_.remove_prefix(static_cast<size_t>(end - text_.data()));
      if (!Take(']')) return Fail();
      type = has_size ? ColumnType::Array(std::move(type), size) : ColumnType::List(std::move(type));
    }
    return type;
  }

  // Up to where the type must end.
  ColumnType ReadPlain() {
    size_t size = 0;
    bool is_quoted = false;
    int parentheses = 0;
    for (; size < text_.size(); ++size) {
      const char c = text_[size];
      if (c == '\'') is_quoted = !is_quoted;
      if (is_quoted) continue;
      if (c == '[' || (parentheses == 0 && (c == ',' || c == ')'))) break;
      parentheses += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    const auto type = ParsePlainTypeName(text_.substr(0, size));
    text_.remove_prefix(size);
    return type ? *type : Fail();
  }

  ColumnType ReadGeometry() {
    if (!Take('(')) return TypeId::kGeometry;
    SkipBlanks();
    ColumnType type = ColumnType::Geometry(ReadQuoted('\''));
    return Take(')') ? type : Fail();
  }

  ColumnType ReadMap(int level) {
    if (!Take('(')) return Fail();
    ColumnType key = ReadType(level + 1);
    if (!Take(',')) return Fail();
    ColumnType value = ReadType(level + 1);
    if (!Take(')')) return Fail();
    return ColumnType::Map(std::move(key), std::move(value));
  }

  std::vector<TypeMember> ReadMembers(int level) {
    std::vector<TypeMember> members;
    ReadList([&] {
      std::string name = ReadName();
      members.push_back({std::move(name), ReadType(level + 1)});
    });
    return members;
  }

  std::vector<std::string> ReadLabels() {
    std::vector<std::string> labels;
    ReadList([&] { labels.push_back(ReadQuoted('\'')); });
    return labels;
  }

  // "(", entries with commas between them, ")".
  template <class ReadEntry>
  void ReadList(const ReadEntry& read_entry) {
    if (!Take('(')) return static_cast<void>(Fail());
    do {
      read_entry();
    } while (!failed_ && Take(','));
    if (!Take(')')) Fail();
  }

  std::string ReadName() {
    SkipBlanks();
    if (text_.starts_with('"')) return ReadQuoted('"');
    std::string name(text_.substr(0, WordSize()));
    if (name.empty()) Fail();
    text_.remove_prefix(name.size());
    return name;
  }

  // 'it''s'
  std::string ReadQuoted(char quote) {
    std::string content;
    if (!Take(quote)) Fail();
    while (!failed_) {
      const size_t end = text_.find(quote);
      if (end == std::string_view::npos) {
        Fail();
        break;
      }
      content += text_.substr(0, end);
      text_.remove_prefix(end + 1);
      if (!text_.starts_with(quote)) break;
      content += quote;
      text_.remove_prefix(1);
    }
    return content;
  }

  bool Take(char wanted) {
    SkipBlanks();
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void SkipBlanks() {
    while (!text_.empty() && IsBlank(text_.front())) text_.remove_prefix(1);
  }
  size_t WordSize() const {
    return static_cast<size_t>(std::ranges::find_if_not(text_, IsNameCharacter) - text_.begin());
  }
  ColumnType Fail() {
    failed_ = true;
    return {};
  }

  std::string_view text_;
  bool failed_ = false;
};

std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) quoted.append(c == quote ? 2 : 1, c);
  return quoted + quote;
}

std::string FormatName(const std::string& name) {
  const bool is_plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  return is_plain ? name : Quoted(name, '"');
}

}  // namespace

std::optional<ColumnType> ParseTypeName(std::string_view name) {
  return NameReader(name).ReadWhole();
}

std::string FormatNestedTypeName(const ColumnType& type) {
  const std::vector<TypeMember>& members = type.members();
  if (type.id == TypeId::kList && !members.empty()) return members[0].type.ToString() + "[]";
  if (type.id == TypeId::kArray && !members.empty()) {
    return members[0].type.ToString() + "[" + std::to_string(type.array_size()) + "]";
  }
  if (type.id == TypeId::kGeometry) return "GEOMETRY(" + Quoted(type.coordinate_system(), '\'') + ")";
  std::string parts;
  for (const std::string& label : type.labels()) parts += (parts.empty() ? "" : ", ") + Quoted(label, '\'');
  for (const TypeMember& member : members) {
    const std::string name = type.id == TypeId::kMap ? "" : FormatName(member.name) + " ";
    parts += (parts.empty() ? "" : ", ") + name + member.type.ToString();
  }
  const char* const word = type.id == TypeId::kEnum    ? "ENUM"
                           : type.id == TypeId::kMap   ? "MAP"
                           : type.id == TypeId::kUnion ? "UNION"
                                                       : "STRUCT";
  return word + ("(" + parts + ")");
}

}  // namespace yarrow
