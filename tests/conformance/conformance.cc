// Runs scripts of DuckDB's own test suite, or of SQLite's, which it finds below the folder that it is started in:
// scripts/conformance.
//
//   yarrow_conformance native|hot|cold duckdb|sqlite TEMP_DIR
//
// Reads paths of scripts from standard input, one a line. Writes a line of JSON behind each: path, kind (passed,
// skipped, failed), line, sql, message.
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sqllogic_runner.h"

namespace yarrow::test {
namespace {

std::unique_ptr<SqlEngine> MakeEngine(const std::string& name) {
  if (name == "native") return std::make_unique<NativeEngine>();
  if (name == "hot") return std::make_unique<YarrowEngine>(Tier::kHot, std::nullopt);
  if (name == "cold") return std::make_unique<YarrowEngine>(Tier::kCold, std::nullopt);
  return nullptr;
}

std::string NameOf(ScriptOutcome::Kind kind) {
  switch (kind) {
    case ScriptOutcome::Kind::kPassed:
      return "passed";
    case ScriptOutcome::Kind::kSkipped:
      return "skipped";
    case ScriptOutcome::Kind::kFailed:
      break;
  }
  return "failed";
}

void RunScripts(SqlEngine* engine, ScriptDialect dialect, const std::filesystem::path& temp_dir) {
  for (std::string path; std::getline(std::cin, path);) {
    std::error_code ignored;
    std::filesystem::remove_all(temp_dir, ignored);
    std::filesystem::create_directories(temp_dir);
    const ScriptOutcome outcome = ScriptRunner(engine, temp_dir, dialect).Run(path);
    const nlohmann::json line = {{"path", path},
                                 {"kind", NameOf(outcome.kind)},
                                 {"line", outcome.line},
                                 {"sql", outcome.sql},
                                 {"message", outcome.message}};
    std::cout << line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << std::endl;
  }
}

}  // namespace
}  // namespace yarrow::test

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: yarrow_conformance native|hot|cold duckdb|sqlite TEMP_DIR < PATHS\n";
    return 2;
  }
  const auto engine = yarrow::test::MakeEngine(arguments[1]);
  if (engine == nullptr) {
    std::cerr << "yarrow_conformance: '" << arguments[1] << "' is none of native, hot and cold\n";
    return 2;
  }
  const std::string suite = arguments[2];
  if (suite != "duckdb" && suite != "sqlite") {
    std::cerr << "yarrow_conformance: '" << suite << "' is neither duckdb nor sqlite\n";
    return 2;
  }
  const auto dialect = suite == "sqlite" ? yarrow::test::ScriptDialect::kSqlite : yarrow::test::ScriptDialect::kDuckDb;
  yarrow::test::RunScripts(engine.get(), dialect, std::filesystem::absolute(arguments[3]));
  return 0;
}
