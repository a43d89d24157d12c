#include "sqllogic_script.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

namespace yarrow::test {
namespace {

std::vector<std::string> SplitWords(const std::string& line) {
  std::istringstream words(line);
  return {std::istream_iterator<std::string>(words), {}};
}

bool IsBlank(const std::string& line) {
  return line.empty() || line.front() == '#';
}

bool IsLoop(const std::string& name) {
  return name == "loop" || name == "foreach" || name == "concurrentloop" || name == "concurrentforeach";
}

bool HasSql(const std::string& name) {
  return name == "statement" || name == "query";
}

ScriptCondition ParseCondition(std::string_view text, bool skips, ScriptDialect dialect) {
  static constexpr std::array<std::string_view, 6> kComparisons = {"<>", ">=", "<=", "=", ">", "<"};
  for (const std::string_view comparison : kComparisons) {
    const size_t at = text.find(comparison);
    if (at == std::string_view::npos) continue;
    return {std::string(text.substr(0, at)), std::string(comparison), std::string(text.substr(at + comparison.size())),
            skips};
  }
  // The name of a database engine: ours answers to DuckDB's.
  const bool is_ours = text == "duckdb" || (dialect == ScriptDialect::kSqlite && text == "postgresql");
  return {"", "=", is_ours ? "" : "another", skips};
}

class Reader {
 public:
  Reader(const std::filesystem::path& path, ScriptDialect dialect) : dialect_(dialect) {
    std::ifstream file(path);
    if (!file) throw BadScript("cannot read " + path.string());
    for (std::string line; std::getline(file, line);) {
      std::erase(line, '\r');
      lines_.push_back(std::move(line));
    }
  }

  std::vector<ScriptCommand> ReadAll() {
    std::vector<ScriptCommand> commands = ReadBody(/*in_loop=*/false);
    return commands;
  }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    throw BadScript("line " + std::to_string(at_ + 1) + ": " + what);
  }

  // Up to the end of the loop, or of the file.
  std::vector<ScriptCommand> ReadBody(bool in_loop) {
    std::vector<ScriptCommand> commands;
    std::vector<ScriptCondition> conditions;
    int skipped = 0;  // levels of `mode skip`
    while (NextCommand()) {
      ScriptCommand command = ReadCommand();
      const std::string name = command.name();
      if (name == "mode" && (command.Word(1) == "skip" || command.Word(1) == "unskip")) {
        skipped += command.Word(1) == "skip" ? 1 : -1;
      } else if (skipped > 0) {
        continue;
      } else if (name == "onlyif" || name == "skipif") {
        AddConditions(command, &conditions);
      } else if (name == "endloop") {
        if (!in_loop) Fail("endloop without a loop");
        return commands;
      } else {
        command.conditions = std::exchange(conditions, {});
        if (IsLoop(name)) command.body = ReadBody(/*in_loop=*/true);
        commands.push_back(std::move(command));
      }
    }
    if (in_loop) Fail("a loop without endloop");
    return commands;
  }

  void AddConditions(const ScriptCommand& command, std::vector<ScriptCondition>* conditions) const {
    const std::string text = command.Word(1);
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find("&&", begin), text.size());
      conditions->push_back(ParseCondition(text.substr(begin, end - begin), command.name() == "skipif", dialect_));
      begin = end + 2;
    }
  }

  bool NextCommand() {
    while (at_ < lines_.size() && (IsBlank(lines_[at_]) || SplitWords(lines_[at_]).empty())) ++at_;
    return at_ < lines_.size();
  }

  ScriptCommand ReadCommand() {
    ScriptCommand command;
    command.line = static_cast<int>(at_) + 1;
    command.words = SplitWords(lines_[at_++]);
    if (!HasSql(command.name())) return command;
    for (; at_ < lines_.size() && !IsBlank(lines_[at_]) && lines_[at_] != "----"; ++at_) {
      if (!command.sql.empty()) command.sql += '\n';
      command.sql += lines_[at_];
    }
    if (at_ == lines_.size() || lines_[at_] != "----") return command;
    command.has_expected = true;
    for (++at_; at_ < lines_.size() && !lines_[at_].empty(); ++at_) command.expected.push_back(lines_[at_]);
    return command;
  }

  const ScriptDialect dialect_;
  std::vector<std::string> lines_;
  size_t at_ = 0;
};

}  // namespace

std::vector<ScriptCommand> ReadScript(const std::filesystem::path& path, ScriptDialect dialect) {
  return Reader(path, dialect).ReadAll();
}

}  // namespace yarrow::test
