#include "cli/statement_scanner.h"

#include <algorithm>
#include <cctype>

namespace yarrow::cli {
namespace {

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}

// $$ or $tag$ at the front of the text; empty if there is none.
std::string_view DollarTag(std::string_view text) {
  size_t end = 1;
  while (end < text.size() && IsNameCharacter(text[end])) ++end;
  const bool is_tag = end < text.size() && text[end] == '$' && std::isdigit(static_cast<unsigned char>(text[1])) == 0;
  return is_tag ? text.substr(0, end + 1) : std::string_view();
}

}  // namespace

void StatementScanner::Add(std::string_view line) {
  size_t at = 0;
  // Behind the end of what `end` closes, or behind the line.
  const auto skip_past = [&](std::string_view end) {
    const size_t found = line.find(end, at);
    if (found == std::string_view::npos) return line.size();
    state_ = State::kCode;
    return found + end.size();
  };
  while (at < line.size()) {
    switch (state_) {
      case State::kCode:
        at = AddCode(line, at);
        break;
      case State::kText:  // a doubled quote ends one text and begins the next: the same in the end
        at = skip_past("'");
        break;
      case State::kName:
        at = skip_past("\"");
        break;
      case State::kDollarText:
        at = skip_past(tag_);
        break;
      case State::kComment:
        at = AddComment(line, at);
        break;
    }
  }
}

size_t StatementScanner::AddCode(std::string_view line, size_t at) {
  const std::string_view rest = line.substr(at);
  if (rest.starts_with("--")) return line.size();
  if (rest.starts_with("/*")) {
    state_ = State::kComment;
    depth_ = 1;
    return at + 2;
  }
  const char c = rest[0];
  if (std::isspace(static_cast<unsigned char>(c)) != 0) return at + 1;
  has_text_ = true;
  ended_ = c == ';';
  if (c == '\'') state_ = State::kText;
  if (c == '"') state_ = State::kName;
  if (c == '$' && (at == 0 || !IsNameCharacter(line[at - 1]))) {
    tag_ = DollarTag(rest);
    if (!tag_.empty()) {
      state_ = State::kDollarText;
      return at + tag_.size();
    }
  }
  return at + 1;
}

size_t StatementScanner::AddComment(std::string_view line, size_t at) {
  const size_t open = std::min(line.find("/*", at), line.size());
  const size_t close = std::min(line.find("*/", at), line.size());
  if (open == close) return line.size();  // neither
  depth_ += open < close ? 1 : -1;
  if (depth_ == 0) state_ = State::kCode;
  return std::min(open, close) + 2;
}

}  // namespace yarrow::cli
