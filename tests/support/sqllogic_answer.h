// Whether the result of a query is the one that a script expects.
#pragma once

#include <duckdb.hpp>
#include <map>
#include <string>
#include <vector>

namespace yarrow::test {

struct ExpectedAnswer {
  size_t columns = 0;
  std::string letters;             // of the columns, when numbers are printed by them: I as whole ones, R as 1.500
  std::string sort;                // nosort, rowsort, valuesort; empty: nosort
  std::string label;               // queries of one label have one result
  std::vector<std::string> lines;  // one a row, its cells separated by tabs, or one a cell, or a hash of all
};

// Compares by DuckDB's rules. One script's; not thread-safe.
class AnswerCheck {
 public:
  // Of more cells only a hash is compared, when there is one; 0: of none.
  void set_hash_threshold(size_t cells) { hash_threshold_ = cells; }
  void ForgetLabel(const std::string& label) { hash_of_label_.erase(label); }

  // What is wrong; empty when nothing is.
  std::string FindFault(duckdb::ClientContext& context, duckdb::MaterializedQueryResult& result,
                        const ExpectedAnswer& expected);

 private:
  std::string CompareHash(const std::vector<std::string>& cells, const ExpectedAnswer& expected);

  size_t hash_threshold_ = 0;
  std::map<std::string, std::string> hash_of_label_;
};

// Whether all of `text` matches what stands behind <REGEX>: (or, behind <!REGEX>:, does not); false for other patterns.
bool MatchesPattern(const std::string& text, const std::string& pattern);

}  // namespace yarrow::test
