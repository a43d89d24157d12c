// The shell's dot commands.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/script_input.h"
#include "cli/shell.h"
#include "cli/standard_output.h"

namespace yarrow::cli {
namespace {

using arrow::Status;
using Words = std::vector<std::string>;

std::string SqlText(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

std::string Usage(const char* name, const char* arguments) {
  return *arguments == '\0' ? std::string(".") + name : std::string(".") + name + " " + arguments;
}

}  // namespace

struct ShellCommands {
  struct Command {
    const char* name;
    const char* arguments;
    const char* description;
    size_t least, most;  // words behind the name
    Status (*run)(Shell&, const Words&);
    bool reads_files;  // of which a confined session has none
  };

  static Status Help(Shell&, const Words&) {
    std::string text;
    for (const Command& command : kCommands) {
      text += fmt::format("{:<48} {}\n", Usage(command.name, command.arguments), command.description);
    }
    return StandardOutput()->Write(text + "Everything else is SQL and ends with a semicolon.\n");
  }

  static Status Quit(Shell& shell, const Words&) {
    shell.is_over_ = true;
    return Status::OK();
  }

  static Status Tables(Shell& shell, const Words& words) {
    std::string sql =
        "SELECT * FROM (SELECT schema_name AS schema, table_name AS name, kind FROM db.system.tables UNION ALL SELECT "
        "schema_name, object_name, kind FROM db.system.objects WHERE kind = 'view') WHERE schema <> 'system'";
    if (!words.empty()) sql += " AND name LIKE " + SqlText(words[0]);
    return shell.RunStatements(sql + " ORDER BY ALL");
  }

  // One statement after the other, as they could be run again.
  static Status Schema(Shell& shell, const Words& words) {
    std::string sql =
        "SELECT sql FROM (SELECT 1 AS part, NULL AS made, schema_name, table_name AS name, sql FROM duckdb_tables() "
        "WHERE "
        "database_name = 'db' UNION ALL SELECT 0, NULL, schema_name, sequence_name, CASE schema_name WHEN 'main' THEN "
        "sql ELSE 'CREATE SEQUENCE \"' || schema_name || '\".' || sql[17:] END FROM duckdb_sequences() WHERE "
        "database_name = 'db' UNION ALL SELECT CASE kind WHEN 'type' THEN 0 ELSE 2 END, created_at, schema_name, "
        "object_name, sql FROM db.system.objects WHERE kind <> 'sequence') WHERE schema_name <> 'system'";
    if (!words.empty()) {
      ARROW_ASSIGN_OR_RAISE(const QualifiedName name, QualifiedName::Parse(words[0]));
      sql += " AND lower(schema_name) = lower(" + SqlText(name.schema_name) + ") AND lower(name) = lower(" +
             SqlText(name.name) + ")";
    }
    std::vector<std::string> statements;
    ARROW_RETURN_NOT_OK(shell.session_->Run(
        sql + " ORDER BY part, made NULLS FIRST, schema_name, name", [&](const sql::SqlResult& result) -> Status {
          std::shared_ptr<arrow::RecordBatch> batch;
          while (true) {
            ARROW_RETURN_NOT_OK(result.rows->ReadNext(&batch));
            if (batch == nullptr) return Status::OK();
            for (int64_t i = 0; i < batch->num_rows(); ++i) {
              ARROW_ASSIGN_OR_RAISE(const auto cell, batch->column(0)->GetScalar(i));
              statements.push_back(cell->ToString());
            }
          }
        }));
    if (statements.empty() && !words.empty())
      return Status::KeyError("there is no table or view ", words[0], "; see .tables");
    for (const std::string& statement : statements) ARROW_RETURN_NOT_OK(StandardOutput()->Write(statement + "\n"));
    return Status::OK();
  }

  static Status Timer(Shell& shell, const Words& words) {
    if (words[0] != "on" && words[0] != "off") return Status::Invalid(".timer is on or off, not '", words[0], "'");
    shell.timer_ = words[0] == "on";
    return Status::OK();
  }

  static Status Mode(Shell& shell, const Words& words) {
    const auto format = FormatOf(words[0]);
    if (!format) return Status::Invalid("there is no mode '", words[0], "'; there are ", FormatNames());
    shell.format_ = *format;
    return Status::OK();
  }

  static Status Read(Shell& shell, const Words& words) {
    constexpr int kMostNested = 20;
    if (shell.depth_ == kMostNested) return Status::Invalid(".read: scripts are nested ", kMostNested, " deep");
    ScriptInput file(words[0]);
    if (!file) return Status::IOError("cannot open '", words[0], "'");
    ++shell.depth_;
    const Status status = shell.FeedAll(file);
    --shell.depth_;
    shell.Forget();
    return status.ok() ? status : status.WithMessage(words[0], ": ", status.message());
  }

  // The words of `yarrow import`, file first as in other shells.
  static Status Import(Shell& shell, const Words& words) {
    if (shell.session_->InTransaction()) {
      return Status::Invalid(
          ".import: a transaction is open, and an import is one of its own; COMMIT or ROLLBACK first");
    }
    if (words[0] == "-") return Status::Invalid(".import: standard input is what the shell itself reads");
    Words arguments(words.begin() + 2, words.end());
    arguments.insert(arguments.begin(), {"import", shell.directory_, words[1], words[0]});
    if (!shell.user_.empty()) arguments.insert(arguments.end(), {"--user", shell.user_});
    CLI::App app;
    Action action;
    AddImportCommand(&app, &action);
    try {
      std::reverse(arguments.begin(), arguments.end());
      app.parse(arguments);
    } catch (const CLI::ParseError& error) {
      return Status::Invalid(".import: ", error.what(), "; the options are those of yarrow import");
    }
    return action();
  }

  static constexpr std::array<Command, 9> kCommands = {{
      {"help", "", "This list", 0, 0, Help, false},
      {"import", "FILE TABLE [OPTIONS]", "Loads a file, as yarrow import does", 2, SIZE_MAX, Import, true},
      {"mode", "table|csv|json|jsonlines|markdown", "How rows are printed", 1, 1, Mode, false},
      {"quit", "", "Leaves; so do .exit and Ctrl-D", 0, 0, Quit, false},
      {"exit", "", "The same", 0, 0, Quit, false},
      {"read", "FILE", "Runs a script", 1, 1, Read, true},
      {"schema", "[NAME]", "CREATE statements of tables, views, macros, types and sequences", 0, 1, Schema, false},
      {"tables", "[PATTERN]", "Tables and views whose name is LIKE the pattern", 0, 1, Tables, false},
      {"timer", "on|off", "Prints the time of each statement", 1, 1, Timer, false},
  }};
};

Status Shell::RunCommand(std::string_view line) {
  Words words = CLI::detail::split_up(std::string(line.substr(1)));
  for (std::string& word : words) CLI::detail::remove_quotes(word);
  const std::string name = words.empty() ? "" : words[0];
  if (!words.empty()) words.erase(words.begin());
  for (const ShellCommands::Command& command : ShellCommands::kCommands) {
    if (name != command.name) continue;
    if (confined_ && command.reads_files) return Status::Invalid("a confined session cannot read files with .", name);
    if (words.size() >= command.least && words.size() <= command.most) return command.run(*this, words);
    return Status::Invalid("usage: ", Usage(command.name, command.arguments));
  }
  return Status::Invalid("there is no command .", name, "; .help lists them");
}

}  // namespace yarrow::cli
