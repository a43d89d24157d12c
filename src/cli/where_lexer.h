// The words of a --where expression.
#pragma once

#include <arrow/result.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace yarrow::cli {

struct WhereToken {
  enum class Kind {
    kEnd,
    kWord,        // a keyword or a name as it is written
    kQuotedName,  // "name", without the quotes
    kNumber,      // with its sign
    kText,        // 'text', without the quotes
    kSymbol,      // ( ) , = == != <> < <= > >=
  };
  Kind kind = Kind::kEnd;
  std::string text;
  size_t position = 0;  // of its first byte, from 1

  // Whether it is that keyword (written in capitals), in any case.
  bool Is(std::string_view keyword) const;
  bool IsSymbol(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
  // As it was written, for messages; "the end".
  std::string Describe() const;
};

// Ends with a kEnd. Invalid, with the position, for quotes without end and characters that mean nothing.
arrow::Result<std::vector<WhereToken>> TokenizeWhere(std::string_view text);

// An error at a position of the expression.
arrow::Status WhereError(size_t position, std::string_view message);

}  // namespace yarrow::cli
