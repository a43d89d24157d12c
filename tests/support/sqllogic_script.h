// Test scripts in the format of sqllogictest (https://sqlite.org/sqllogictest) with DuckDB's additions
// (https://duckdb.org/docs/stable/dev/sqllogictest/intro), as commands.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace yarrow::test {

// Whose scripts they are. SQLite's print numbers by the letters of their columns, divide integers, and call DuckDB
// postgresql where they tell engines apart.
enum class ScriptDialect { kDuckDb, kSqlite };

// Of `onlyif i=3` and `skipif i>=2&&i<4`: when a command inside a loop is run.
struct ScriptCondition {
  std::string variable;
  std::string comparison;  // = <> < <= > >=
  std::string value;
  bool skips = false;  // run unless it holds
};

// A statement, a query, a loop or anything else, by its first word.
struct ScriptCommand {
  int line = 0;                    // of the file, from 1
  std::vector<std::string> words;  // of its first line
  std::string sql;
  std::vector<std::string> expected;  // the lines below ----
  bool has_expected = false;          // whether there is such a line
  std::vector<ScriptCondition> conditions;
  std::vector<ScriptCommand> body;  // of a loop

  const std::string& name() const { return words.front(); }
  std::string Word(size_t i) const { return i < words.size() ? words[i] : std::string(); }
};

// A script that cannot be read or run as it stands.
class BadScript : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Without what stands between `mode skip` and `mode unskip`. Throws BadScript.
std::vector<ScriptCommand> ReadScript(const std::filesystem::path& path,
                                      ScriptDialect dialect = ScriptDialect::kDuckDb);

}  // namespace yarrow::test
