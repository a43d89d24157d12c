// StatementScanner: tells when typed lines make a whole statement.
#pragma once

#include <string>
#include <string_view>

namespace yarrow::cli {

// Knows what can hide a semicolon in DuckDB's SQL: text in single quotes, names in double quotes, $tag$ text $tag$, and
// comments. Reads each line once.
class StatementScanner {
 public:
  // Takes one more line, without its end.
  void Add(std::string_view line);

  // Nothing but blanks and comments so far.
  bool is_blank() const { return !has_text_ && state_ == State::kCode; }
  // The last thing is a semicolon that ends a statement.
  bool is_complete() const { return ended_ && state_ == State::kCode; }
  void Reset() { *this = StatementScanner(); }

 private:
  enum class State { kCode, kText, kName, kDollarText, kComment };
  size_t AddCode(std::string_view line, size_t at);
  size_t AddComment(std::string_view line, size_t at);

  State state_ = State::kCode;
  std::string tag_;  // of kDollarText, with its dollars
  int depth_ = 0;    // of nested comments
  bool has_text_ = false;
  bool ended_ = false;
};

}  // namespace yarrow::cli
