// yarrow DIR: SQL over the tables of a database.
#include <unistd.h>

#include <sstream>
#include <utility>

#include "cli/command.h"
#include "cli/script_input.h"
#include "cli/shell.h"
#include "sql/sql_session.h"

namespace yarrow::cli {
namespace {

struct SqlArguments {
  std::string directory;
  std::string user;
  bool confined = false;
  std::vector<std::string> commands;
  std::string file;
  OutputFormat format = OutputFormat::kTable;
};

constexpr const char* kSqlFooter =
    "`yarrow DIR` is short for `yarrow sql DIR`. SQL is DuckDB's; the tables of the database\n"
    "are named without a prefix, those of schema system as db.system.tables. Statements end\n"
    "with a semicolon and run one after the other until one fails. Without -c or -f they are\n"
    "read from standard input; on a terminal that is a shell with history, where .help lists\n"
    "commands and Ctrl-C cancels a statement.\n"
    "\n"
    "Each statement is a transaction of its own, unless it stands between BEGIN and COMMIT.\n"
    "\n"
    "Examples:\n"
    "  yarrow ./db -c \"SELECT carrier, avg(arr_delay) FROM flights GROUP BY ALL ORDER BY 2\"\n"
    "  yarrow ./db --format csv -c \"FROM planes WHERE seats > 300\" > large.csv\n"
    "  yarrow ./db -c \"CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR) WITH (kind = 'user')\"\n"
    "  yarrow ./db --user ada -c \"INSERT INTO notes VALUES (1, 'mine')\"";

// Statements of the command line, then of a file; without either, typed ones or those of standard input.
arrow::Status RunScripts(const SqlArguments& arguments, Shell* shell) {
  for (const std::string& command : arguments.commands) {
    std::istringstream script(command);
    ARROW_RETURN_NOT_OK(shell->FeedAll(script));
  }
  if (!arguments.file.empty()) {
    ScriptInput file(arguments.file);
    if (!file) return arrow::Status::IOError("cannot open '", arguments.file, "'");
    ARROW_RETURN_NOT_OK(shell->FeedAll(file));
  }
  if (!arguments.commands.empty() || !arguments.file.empty()) return arrow::Status::OK();
  if (::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0) return RunInteractively(shell);
  ScriptInput input;
  return shell->FeedAll(input);
}

arrow::Status RunSql(const SqlArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(auto database, Database::Open(arguments.directory));
  ARROW_ASSIGN_OR_RAISE(auto session, sql::SqlSession::Open(std::move(database),
                                                            {.user = arguments.user, .confined = arguments.confined}));
  Shell shell(arguments.directory, arguments.user, std::move(session), arguments.format);
  shell.set_confined(arguments.confined);
  return RunScripts(arguments, &shell);
}

}  // namespace

void AddSqlCommand(CLI::App* app, Action* action) {
  const auto arguments = std::make_shared<SqlArguments>();
  CLI::App* command = app->add_subcommand("sql", "Runs SQL; the name may be left out: yarrow DIR");
  AddDirectoryOption(command, &arguments->directory);
  command->add_option("-c,--command", arguments->commands, "Statements to run; may be repeated")
      ->type_name("SQL")
      ->allow_extra_args(false);
  command->add_option("-f,--file", arguments->file, "File of statements to run, after those of -c")->type_name("FILE");
  AddFormatOption(command, &arguments->format);
  command->add_option("--user", arguments->user, "Acting user; needed for tables of kind user")->type_name("NAME");
  command
      ->add_flag("--confined", arguments->confined,
                 "The statements are those of the acting user, who reaches the own rows of user tables and reads "
                 "shared ones, and nothing else: see docs/confined.md")
      ->needs("--user");
  command->footer(kSqlFooter);
  command->callback([arguments, action] { *action = [arguments] { return RunSql(*arguments); }; });
}

}  // namespace yarrow::cli
