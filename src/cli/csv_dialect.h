// How a CSV file is written.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace yarrow::cli {

struct CsvDialect {
  char delimiter = ',';
  bool has_header = true;
  // Of a file without header; empty: column1, column2, ...
  std::vector<std::string> column_names;
  // Fields spelled like that are NULL. Quoted ones are text; in a column of any other type they are NULL, too.
  std::vector<std::string> null_spellings = {"", "NA", "NULL"};

  bool IsNull(std::string_view text) const {
    return std::find(null_spellings.begin(), null_spellings.end(), text) != null_spellings.end();
  }
};

inline bool IsDefaultNullSpelling(std::string_view text) {
  return text.empty() || text == "NA" || text == "NULL";
}

}  // namespace yarrow::cli
