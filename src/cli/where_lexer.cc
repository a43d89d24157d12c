#include "cli/where_lexer.h"

#include <utility>

namespace yarrow::cli {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Names may hold letters of any alphabet.
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool IsNamePart(char c) {
  return IsNameStart(c) || IsDigit(c) || c == '$';
}

char Upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  arrow::Result<std::vector<WhereToken>> Run() {
    std::vector<WhereToken> tokens;
    for (;;) {
      while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
      ARROW_ASSIGN_OR_RAISE(WhereToken token, Next());
      tokens.push_back(std::move(token));
      if (tokens.back().kind == WhereToken::Kind::kEnd) return tokens;
    }
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  WhereToken Make(WhereToken::Kind kind, size_t start) const {
    return {kind, std::string(text_.substr(start, at_ - start)), start + 1};
  }

  arrow::Result<WhereToken> Next() {
    const size_t start = at_;
    if (at_ == text_.size()) return Make(WhereToken::Kind::kEnd, start);
    const char c = Peek();
    if (c == '\'') return Quoted(WhereToken::Kind::kText);
    if (c == '"') return Quoted(WhereToken::Kind::kQuotedName);
    if (IsNameStart(c)) {
      while (IsNamePart(Peek())) ++at_;
      return Make(WhereToken::Kind::kWord, start);
    }
    const size_t sign = c == '-' || c == '+' ? 1 : 0;
    if (IsDigit(Peek(sign)) || (Peek(sign) == '.' && IsDigit(Peek(sign + 1)))) return Number();
    for (const std::string_view symbol : {"==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","}) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      at_ += symbol.size();
      return Make(WhereToken::Kind::kSymbol, start);
    }
    return WhereError(start + 1, "unexpected character '" + std::string(1, c) + "'");
  }

  // Two quotes inside stand for one.
  arrow::Result<WhereToken> Quoted(WhereToken::Kind kind) {
    const size_t start = at_;
    const char quote = text_[at_++];
    std::string content;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == quote && Peek() != quote) return WhereToken{kind, std::move(content), start + 1};
      if (c == quote) ++at_;
      content += c;
    }
    return WhereError(start + 1, std::string("the quote ") + quote + " is never closed");
  }

  arrow::Result<WhereToken> Number() {
    const size_t start = at_++;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.') ++at_;
    while (IsDigit(Peek())) ++at_;
    const size_t exponent_sign = Peek(1) == '-' || Peek(1) == '+' ? 1 : 0;
    if (Upper(Peek()) == 'E' && IsDigit(Peek(1 + exponent_sign))) {
      at_ += 1 + exponent_sign;
      while (IsDigit(Peek())) ++at_;
    }
    if (IsNamePart(Peek()) || Peek() == '.') {
      return WhereError(start + 1, "'" + std::string(text_.substr(start, at_ + 1 - start)) +
                                       "...' is not a number; put quotes around text: 'text'");
    }
    WhereToken token = Make(WhereToken::Kind::kNumber, start);
    if (token.text.front() == '+') token.text.erase(0, 1);
    return token;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

bool WhereToken::Is(std::string_view keyword) const {
  if (kind != Kind::kWord || text.size() != keyword.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (Upper(text[i]) != keyword[i]) return false;
  }
  return true;
}

std::string WhereToken::Describe() const {
  switch (kind) {
    case Kind::kEnd:
      return "the end";
    case Kind::kText:
      return "'" + text + "'";
    case Kind::kQuotedName:
      return '"' + text + '"';
    default:
      return text;
  }
}

arrow::Result<std::vector<WhereToken>> TokenizeWhere(std::string_view text) {
  return Lexer(text).Run();
}

arrow::Status WhereError(size_t position, std::string_view message) {
  return arrow::Status::Invalid("--where, position ", position, ": ", message);
}

}  // namespace yarrow::cli
