// yarrow check: reads a whole database and says what is wrong with it.
#include <fmt/format.h>

#include <memory>

#include "cli/cell_text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress_bar.h"
#include "yarrow/check.h"

namespace yarrow::cli {
namespace {

struct CheckArguments {
  std::string directory;
  bool quiet = false;
  bool salvage = false;
};

constexpr const char* kCheckFooter =
    "Reads every row of every table and every Parquet file in the folder cold/: checksums, the\n"
    "order of keys, that no row is in two places, statistics and key filters. Changes no row.\n"
    "Exits with 1 when something is wrong.\n"
    "\n"
    "A database with a damaged log is not opened, as commits are lost. --salvage opens what was\n"
    "committed in front of the damage, once and for all, says what is lost and checks the rest.\n"
    "What lies behind is kept in the folder salvaged/, with the Parquet files that nothing names.\n"
    "\n"
    "Examples:\n"
    "  yarrow check ./db\n"
    "  yarrow check ./db --salvage";

arrow::Status RunCheck(const CheckArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const auto database, OpenDatabase(arguments.directory, arguments.salvage));
  for (const std::string& loss : database->store()->losses()) ARROW_RETURN_NOT_OK(StandardOutput()->Write(loss + "\n"));
  ProgressBar progress(arguments.quiet);
  progress.Begin("checking");
  DatabaseCheckOptions options;
  options.on_progress = [&](const std::string&, uint64_t rows) {
    progress.Update(-1, static_cast<int64_t>(rows));
    return CheckInterrupt();
  };
  ARROW_ASSIGN_OR_RAISE(const CheckReport report, database->Check(options));
  progress.Clear();
  std::string text;
  for (const CheckedTable& table : report.tables) {
    text += fmt::format("{}: {} rows, {} segment{} of {} bytes\n", table.name, GroupDigits(table.rows), table.segments,
                        table.segments == 1 ? "" : "s", GroupDigits(table.files_bytes));
  }
  for (const std::string& problem : report.problems) text += problem + "\n";
  if (!arguments.quiet || !report.problems.empty()) ARROW_RETURN_NOT_OK(StandardOutput()->Write(text));
  if (report.problems.empty()) {
    return arguments.quiet ? arrow::Status::OK() : StandardOutput()->Write("no problems found\n");
  }
  return arrow::Status::Invalid(report.problems.size(), report.problems.size() == 1 ? " problem" : " problems",
                                " found");
}

}  // namespace

void AddCheckCommand(CLI::App* app, Action* action) {
  const auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command = app->add_subcommand("check", "Reads everything and says what is wrong");
  AddDirectoryOption(command, &arguments->directory);
  command->add_flag("--quiet", arguments->quiet, "Print nothing but problems");
  command->add_flag("--salvage", arguments->salvage, "Open what is left of a database with a damaged log");
  command->footer(kCheckFooter);
  command->callback([arguments, action] { *action = [arguments] { return RunCheck(*arguments); }; });
}

}  // namespace yarrow::cli
