// Runs a test script on an engine.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sqllogic_answer.h"
#include "sqllogic_engine.h"
#include "sqllogic_script.h"

namespace yarrow::test {

struct ScriptOutcome {
  enum class Kind { kPassed, kSkipped, kFailed };
  Kind kind = Kind::kPassed;
  int line = 0;         // where it ended early
  std::string sql;      // of that command
  std::string message;  // why
};

// For one script. Commands with names of DuckDB's are understood but for unzip; `require` of an extension that is not
// there, and of what no build of DuckDB's library has, skips the script. Not thread-safe.
class ScriptRunner {
 public:
  // Scripts name files of `temp_dir` as __TEST_DIR__.
  ScriptRunner(SqlEngine* engine, std::filesystem::path temp_dir, ScriptDialect dialect = ScriptDialect::kDuckDb);
  ~ScriptRunner();

  ScriptOutcome Run(const std::filesystem::path& script);

 private:
  // The values of loop variables, outer loops first, and the connection of a loop that runs side by side with others.
  struct Scope {
    std::vector<std::pair<std::string, std::string>> variables;
    duckdb::Connection* connection = nullptr;
  };
  struct Stop;  // thrown: the script ends here

  void RunAll(const std::vector<ScriptCommand>& commands, const Scope& scope);
  void RunCommand(const ScriptCommand& command, const Scope& scope);
  void RunStatement(const ScriptCommand& command, const Scope& scope);
  void RunQuery(const ScriptCommand& command, const Scope& scope);
  void RunLoop(const ScriptCommand& loop, const Scope& scope);
  void RunSideBySide(const ScriptCommand& loop, const std::vector<Scope>& scopes);
  void Load(const ScriptCommand& command, const Scope& scope);
  void Set(const ScriptCommand& command);
  void Require(const ScriptCommand& command);
  void Restart();
  std::vector<std::string> ValuesOf(const ScriptCommand& loop, const Scope& scope) const;
  duckdb::Connection& ConnectionOf(const std::string& name, const Scope& scope);
  duckdb::unique_ptr<duckdb::MaterializedQueryResult> Execute(const ScriptCommand& command, const std::string& name,
                                                              const Scope& scope);
  std::string Substitute(std::string text, const Scope& scope) const;
  static bool Holds(const ScriptCommand& command, const Scope& scope);
  // An error that the script says to overlook ends it.
  void SkipIfIgnored(const std::string& error) const;

  SqlEngine* const engine_;
  const std::filesystem::path temp_dir_;
  const ScriptDialect dialect_;
  std::map<std::string, std::unique_ptr<duckdb::Connection>> connections_;  // by name; the usual one has none
  std::map<std::string, std::string> environment_;
  std::vector<std::string> ignored_errors_;
  AnswerCheck answers_;
};

}  // namespace yarrow::test
