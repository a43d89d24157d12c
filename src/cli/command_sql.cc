// yarrow DIR: SQL over the tables of a database.
#include <arrow/record_batch.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "sql/sql_session.h"

namespace yarrow::cli {
namespace {

struct SqlArguments {
  std::string directory;
  std::string user;
  std::vector<std::string> commands;
  std::string file;
  OutputFormat format = OutputFormat::kTable;
};

constexpr const char* kFooter =
    "`yarrow DIR` is short for `yarrow sql DIR`. SQL is DuckDB's; the tables of the database\n"
    "are named without a prefix, those of schema system as db.system.tables. Statements end\n"
    "with a semicolon and run one after the other until one fails. Without -c or -f they are\n"
    "read from standard input.\n"
    "\n"
    "Each statement is a transaction of its own, unless it stands between BEGIN and COMMIT.\n"
    "\n"
    "Examples:\n"
    "  yarrow ./db -c \"SELECT carrier, avg(arr_delay) FROM flights GROUP BY ALL ORDER BY 2\"\n"
    "  yarrow ./db --format csv -c \"FROM planes WHERE seats > 300\" > large.csv\n"
    "  yarrow ./db -c \"CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR) WITH (kind = 'user')\"\n"
    "  yarrow ./db --user ada -c \"INSERT INTO notes VALUES (1, 'mine')\"";

arrow::Status PrintResult(const sql::SqlResult& result, OutputFormat format, arrow::io::OutputStream* out) {
  std::unique_ptr<RowWriter> writer;
  if (result.is_query) {
    ARROW_ASSIGN_OR_RAISE(writer, MakeRowWriter(format, *result.rows->schema(), out));
  }
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(result.rows->ReadNext(&batch));
    if (InterruptSignal() != 0) return arrow::Status::Cancelled("cancelled");
    if (batch == nullptr) break;
    if (writer) ARROW_RETURN_NOT_OK(writer->Write(*batch));
  }
  return writer ? writer->Finish() : arrow::Status::OK();
}

arrow::Result<std::string> ReadAll(std::istream& in, const std::string& name) {
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (in.bad()) return arrow::Status::IOError("cannot read ", name);
  return text;
}

arrow::Result<std::vector<std::string>> Scripts(const SqlArguments& arguments) {
  std::vector<std::string> scripts = arguments.commands;
  if (!arguments.file.empty()) {
    std::ifstream file(arguments.file, std::ios::binary);
    if (!file) return arrow::Status::IOError("cannot open '", arguments.file, "'");
    ARROW_ASSIGN_OR_RAISE(std::string script, ReadAll(file, "'" + arguments.file + "'"));
    scripts.push_back(std::move(script));
  }
  if (scripts.empty()) {
    ARROW_ASSIGN_OR_RAISE(std::string script, ReadAll(std::cin, "standard input"));
    scripts.push_back(std::move(script));
  }
  return scripts;
}

arrow::Status RunSql(const SqlArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> scripts, Scripts(arguments));
  ARROW_ASSIGN_OR_RAISE(auto database, Database::Open(arguments.directory));
  ARROW_ASSIGN_OR_RAISE(const auto session, sql::SqlSession::Open(std::move(database), {.user = arguments.user}));
  const CancelOnInterrupt cancel([&] { session->Interrupt(); });
  const auto out = StandardOutput();
  for (const std::string& script : scripts) {
    ARROW_RETURN_NOT_OK(session->Run(
        script, [&](const sql::SqlResult& result) { return PrintResult(result, arguments.format, out.get()); }));
  }
  return arrow::Status::OK();
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
  command->footer(kFooter);
  command->callback([arguments, action] { *action = [arguments] { return RunSql(*arguments); }; });
}

}  // namespace yarrow::cli
