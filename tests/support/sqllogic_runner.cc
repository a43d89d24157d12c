#include "sqllogic_runner.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>

namespace yarrow::test {

struct ScriptRunner::Stop {
  ScriptOutcome outcome;
};

namespace {

using Kind = ScriptOutcome::Kind;

void ReplaceAll(const std::string& from, const std::string& to, std::string* text) {
  for (size_t at = 0; (at = text->find(from, at)) != std::string::npos; at += to.size()) {
    text->replace(at, from.size(), to);
  }
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string Join(const std::vector<std::string>& parts, char separator) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : std::string(1, separator)) + part;
  return text;
}

// Lists of types that a foreach names by one word.
void AddTypes(const std::string& word, std::vector<std::string>* values) {
  static const std::vector<std::string> kSigned = {"tinyint", "smallint", "integer", "bigint", "hugeint"};
  static const std::vector<std::string> kUnsigned = {"utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"};
  const auto add = [&](const std::vector<std::string>& types) {
    values->insert(values->end(), types.begin(), types.end());
  };
  const bool is_all = word == "<alltypes>", is_numeric = is_all || word == "<numeric>";
  const bool is_integral = is_numeric || word == "<integral>";
  if (is_integral || word == "<signed>") add(kSigned);
  if (is_integral || word == "<unsigned>") add(kUnsigned);
  if (is_numeric) add({"float", "double"});
  if (is_all) add({"bool", "interval", "varchar"});
  if (word == "<compression>") {
    add({"none", "uncompressed", "rle", "bitpacking", "dictionary", "fsst", "dict_fsst", "alp", "alprd"});
  }
}

bool Compares(const std::string& value, const ScriptCondition& condition) {
  if (condition.comparison == "=") return value == condition.value;
  if (condition.comparison == "<>") return value != condition.value;
  const long long left = std::stoll(value), right = std::stoll(condition.value);
  if (condition.comparison == "<") return left < right;
  if (condition.comparison == "<=") return left <= right;
  return condition.comparison == ">" ? left > right : left >= right;
}

bool IsSortStyle(const std::string& word) {
  return word == "nosort" || word == "rowsort" || word == "valuesort";
}

}  // namespace

ScriptRunner::ScriptRunner(SqlEngine* engine, std::filesystem::path temp_dir, ScriptDialect dialect)
    : engine_(engine), temp_dir_(std::move(temp_dir)), dialect_(dialect) {
  environment_ = {{"DATA_DIR", "data"},
                  {"TEMP_DIR", temp_dir_.string()},
                  {"TEST_DIR", temp_dir_.string()},
                  {"WORKING_DIR", std::filesystem::current_path().string()}};
}

ScriptRunner::~ScriptRunner() {
  connections_.clear();
  engine_->Close();
}

ScriptOutcome ScriptRunner::Run(const std::filesystem::path& script) {
  try {
    engine_->Open({}, false);
    RunAll(ReadScript(script, dialect_), {});
    return {};
  } catch (const Stop& stop) {
    return stop.outcome;
  } catch (const std::exception& error) {
    return {Kind::kFailed, 0, {}, error.what()};
  }
}

void ScriptRunner::RunAll(const std::vector<ScriptCommand>& commands, const Scope& scope) {
  for (const ScriptCommand& command : commands) {
    if (!Holds(command, scope)) continue;
    if (command.name() == "continue") return;
    try {
      RunCommand(command, scope);
    } catch (const Stop&) {
      throw;
    } catch (const std::exception& error) {
      throw Stop{{Kind::kFailed, command.line, command.sql, error.what()}};
    }
  }
}

bool ScriptRunner::Holds(const ScriptCommand& command, const Scope& scope) {
  return std::ranges::all_of(command.conditions, [&](const ScriptCondition& condition) {
    const auto variable =
        std::ranges::find(scope.variables, condition.variable, &std::pair<std::string, std::string>::first);
    const std::string value = variable == scope.variables.end() ? "" : variable->second;
    return Compares(value, condition) != condition.skips;
  });
}

void ScriptRunner::RunCommand(const ScriptCommand& command, const Scope& scope) {
  const std::string& name = command.name();
  if (name == "statement") return RunStatement(command, scope);
  if (name == "query") return RunQuery(command, scope);
  if (!command.body.empty() || name.ends_with("loop") || name.ends_with("foreach")) return RunLoop(command, scope);
  if (name == "require") return Require(command);
  if (name == "load") return Load(command, scope);
  if (name == "set") return Set(command);
  if (name == "restart") return Restart();
  if (name == "reconnect") return static_cast<void>(connections_.erase(""));
  if (name == "hash-threshold") return answers_.set_hash_threshold(std::stoul(command.Word(1)));
  if (name == "reset") return answers_.ForgetLabel(command.Word(2));
  if (name == "test-env") return static_cast<void>(environment_.emplace(command.Word(1), command.Word(2)));
  if (name == "sleep") return std::this_thread::sleep_for(std::chrono::seconds(1));
  if (name == "halt") throw Stop{};
  if (name == "mode" || name == "tags") return;
  throw Stop{{Kind::kSkipped, command.line, {}, Join(command.words, ' ')}};  // unzip, require-env and what is new
}

std::string ScriptRunner::Substitute(std::string text, const Scope& scope) const {
  for (const auto& [names, values] : scope.variables) {
    const std::vector<std::string> name = SplitAtCommas(names);
    const std::vector<std::string> value = name.size() == 1 ? std::vector{values} : SplitAtCommas(values);
    for (size_t i = 0; i < std::min(name.size(), value.size()); ++i) {
      ReplaceAll("${" + name[i] + "}", value[i], &text);
      ReplaceAll("{" + name[i] + "}", value[i], &text);
    }
  }
  for (const auto& [name, value] : environment_) {
    ReplaceAll("${" + name + "}", value, &text);
    ReplaceAll("{" + name + "}", value, &text);
  }
  ReplaceAll("__TEST_DIR__", temp_dir_.string(), &text);
  ReplaceAll("__WORKING_DIRECTORY__", environment_.at("WORKING_DIR"), &text);
  return text;
}

duckdb::Connection& ScriptRunner::ConnectionOf(const std::string& name, const Scope& scope) {
  if (scope.connection != nullptr) {
    if (!name.empty()) throw BadScript("a named connection in a loop that runs side by side");
    return *scope.connection;
  }
  auto& connection = connections_[name];
  if (connection == nullptr) {
    connection = engine_->Connect();
    if (dialect_ == ScriptDialect::kSqlite) connection->Query("SET integer_division = true");
  }
  return *connection;
}

duckdb::unique_ptr<duckdb::MaterializedQueryResult> ScriptRunner::Execute(const ScriptCommand& command,
                                                                          const std::string& name, const Scope& scope) {
  return ConnectionOf(name, scope).Query(Substitute(command.sql, scope));
}

void ScriptRunner::SkipIfIgnored(const std::string& error) const {
  static const std::vector<std::string> kUsual = {"HTTP", "Unable to connect"};
  for (const std::string& ignored : ignored_errors_.empty() ? kUsual : ignored_errors_) {
    if (error.find(ignored) != std::string::npos) throw Stop{{Kind::kSkipped, 0, {}, error}};
  }
}

void ScriptRunner::RunStatement(const ScriptCommand& command, const Scope& scope) {
  const auto result = Execute(command, command.Word(2), scope);
  const std::string kind = command.Word(1), error = result->HasError() ? result->GetError() : "";
  const auto fail = [&](const std::string& message) {
    SkipIfIgnored(error);
    throw Stop{{Kind::kFailed, command.line, Substitute(command.sql, scope), message}};
  };
  if (kind == "ok") return error.empty() ? void() : fail(error);
  if (error.empty()) return kind == "error" ? fail("it succeeded") : void();
  if (error.starts_with("INTERNAL Error")) fail(error);
  std::string wanted;
  for (const std::string& line : command.expected) wanted += (wanted.empty() ? "" : "\n") + line;
  wanted = Substitute(std::move(wanted), scope);
  if (error.find(wanted) == std::string::npos && !MatchesPattern(result->ToString(), wanted)) {
    fail(error + "\n<>\n" + wanted);
  }
}

void ScriptRunner::RunQuery(const ScriptCommand& command, const Scope& scope) {
  engine_->BeforeQuery();
  const std::string sort = command.Word(2);
  const bool is_sort = IsSortStyle(sort);
  const std::string connection = is_sort ? "" : sort;
  const auto result = Execute(command, connection, scope);
  const auto fail = [&](const std::string& message) {
    throw Stop{{Kind::kFailed, command.line, Substitute(command.sql, scope), message}};
  };
  if (result->HasError()) {
    SkipIfIgnored(result->GetError());
    fail(result->GetError());
  }
  const std::string letters = dialect_ == ScriptDialect::kSqlite ? command.Word(1) : "";
  ExpectedAnswer expected{command.Word(1).size(), letters, is_sort ? sort : "", command.Word(3), command.expected};
  if (expected.lines.size() == 1 && expected.lines[0].starts_with("<FILE>:")) {
    throw Stop{{Kind::kSkipped, command.line, {}, "a result in a file"}};
  }
  for (std::string& line : expected.lines) line = Substitute(std::move(line), scope);
  auto& context = *ConnectionOf(connection, scope).context;
  if (const std::string fault = answers_.FindFault(context, *result, expected); !fault.empty()) fail(fault);
}

std::vector<std::string> ScriptRunner::ValuesOf(const ScriptCommand& loop, const Scope& scope) const {
  std::vector<std::string> values;
  if (loop.name().ends_with("foreach")) {
    for (size_t i = 2; i < loop.words.size(); ++i) {
      const std::string word = Substitute(loop.words[i], scope);
      const size_t before = values.size();
      AddTypes(word, &values);
      if (word.starts_with('!') && std::erase(values, word.substr(1)) > 0) continue;
      if (values.size() == before) values.push_back(word);
    }
    return values;
  }
  const int end = std::stoi(Substitute(loop.Word(3), scope));
  for (int i = std::stoi(Substitute(loop.Word(2), scope)); i < end; ++i) values.push_back(std::to_string(i));
  return values;
}

void ScriptRunner::RunLoop(const ScriptCommand& loop, const Scope& scope) {
  std::vector<Scope> scopes;
  for (const std::string& value : ValuesOf(loop, scope)) {
    scopes.push_back(scope);
    scopes.back().variables.emplace_back(loop.Word(1), value);
  }
  if (loop.name().starts_with("concurrent")) return RunSideBySide(loop, scopes);
  for (const Scope& inner : scopes) RunAll(loop.body, inner);
}

void ScriptRunner::RunSideBySide(const ScriptCommand& loop, const std::vector<Scope>& scopes) {
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (const Scope& scope : scopes) {
    threads.emplace_back([&, own = scope]() mutable {
      try {
        const auto connection = engine_->Connect();
        own.connection = connection.get();
        RunAll(loop.body, own);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (first == nullptr) first = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (first != nullptr) std::rethrow_exception(first);
}

void ScriptRunner::Load(const ScriptCommand& command, const Scope& scope) {
  connections_.clear();
  engine_->Close();
  const std::filesystem::path path = Substitute(command.Word(1), scope);
  const bool read_only = command.Word(2) == "readonly";
  if (!path.empty() && !read_only && path.string().starts_with(temp_dir_.string())) {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
    std::filesystem::remove(path.string() + ".wal", ignored);
  }
  engine_->Open(path, read_only);
}

void ScriptRunner::Restart() {
  connections_.clear();
  engine_->Reopen();
}

void ScriptRunner::Set(const ScriptCommand& command) {
  if (command.Word(1) == "seed") {
    ConnectionOf("", {}).Query("SELECT setseed(" + command.Word(2) + ")");
  } else if (command.Word(1) == "ignore_error_messages") {
    std::string rest;
    for (size_t i = 2; i < command.words.size(); ++i) rest += (rest.empty() ? "" : " ") + command.words[i];
    for (std::string& text : SplitAtCommas(rest)) {
      text.erase(0, text.find_first_not_of(' '));
      if (!text.empty()) ignored_errors_.push_back(text);
    }
  }
}

void ScriptRunner::Require(const ScriptCommand& command) {
  static constexpr std::array<std::string_view, 19> kHere = {"notmusl",
                                                             "notmingw",
                                                             "notwindows",
                                                             "longdouble",
                                                             "64bit",
                                                             "noforcestorage",
                                                             "no_force_storage",
                                                             "nothreadsan",
                                                             "strinline",
                                                             "skip_reload",
                                                             "no_alternative_verify",
                                                             "no_vector_verification",
                                                             "no_block_verification",
                                                             "no_latest_storage",
                                                             "no_extension_autoloading",
                                                             "allow_unsigned_extensions",
                                                             "ram",
                                                             "disk_space",
                                                             "noalternativeverify"};
  const std::string what = command.Word(1), value = command.Word(2);
  if (std::ranges::find(kHere, what) != kHere.end()) return;
  if (what.ends_with("vector_size")) {
    const bool is_exact = what.starts_with("exact");
    if (is_exact ? value == std::to_string(STANDARD_VECTOR_SIZE) : std::stoul(value) <= STANDARD_VECTOR_SIZE) return;
  }
  if (what == "block_size" && value == "262144") return;
  const auto loaded = ConnectionOf("", {}).Query(
      "SELECT count(*) FROM duckdb_extensions() WHERE loaded AND extension_name = '" + what + "'");
  if (!loaded->HasError() && loaded->GetValue(0, 0).GetValue<int64_t>() == 1) return;
  throw Stop{{Kind::kSkipped, command.line, {}, "require " + what}};
}

}  // namespace yarrow::test
