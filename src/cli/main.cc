// The `yarrow` program.
//
// Exit codes: 0 done, 1 an error (on standard error as "yarrow: <message>"), 2 a command line that makes no sense,
// 128 + n ended by signal n (130 for Ctrl-C), 141 whoever read the output has gone.
#include <arrow/compute/initialize.h>
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/standard_output.h"
#include "yarrow/database.h"
#include "yarrow/sql.h"

namespace {

constexpr int kExitError = 1;
constexpr int kExitUsage = 2;
constexpr int kExitSignal = 128;

void Complain(const std::string& message) {
  fmt::print(stderr, "yarrow: {}\n", message);
}

int ExitCode(const arrow::Status& status) {
  if (status.ok()) return 0;
  if (yarrow::cli::IsBrokenPipe(status)) return kExitSignal + SIGPIPE;
  Complain(status.message());
  if (status.IsCancelled() && yarrow::cli::InterruptSignal() != 0) return kExitSignal + yarrow::cli::InterruptSignal();
  return kExitError;
}

bool IsCommandOrOption(const CLI::App& app, const std::string& argument) {
  const auto commands = app.get_subcommands([](const CLI::App* command) { return !command->get_name().empty(); });
  return argument.starts_with('-') ||
         std::any_of(commands.begin(), commands.end(), [&](const CLI::App* c) { return c->get_name() == argument; });
}

// `yarrow DIR ...` is `yarrow sql DIR ...`: for a directory that is there, and for a new one whose path cannot be taken
// for a misspelt command.
bool IsDirectory(const std::string& argument) {
  std::error_code ignored;
  return argument.find('/') != std::string::npos || std::filesystem::is_directory(argument, ignored);
}

// Neither of the two.
int ComplainOf(const std::string& name) {
  Complain("there is no command and no directory '" + name +
           "'; see yarrow --help, or make a database there with yarrow ./" + name);
  return kExitUsage;
}

int Run(int argc, char** argv) {
  CLI::App app("Yarrow keeps tables in a directory: rows in RocksDB, answers in Arrow.", "yarrow");
  app.set_version_flag("--version", "yarrow " YARROW_VERSION);
  app.set_help_flag("-h,--help", "Print this and exit");
  app.get_formatter()->column_width(30);
  app.require_subcommand(1);
  app.footer(
      "`yarrow COMMAND --help` says more.\n"
      "\n"
      "Examples:\n"
      "  yarrow import ./db planes planes.csv --primary-key tailnum\n"
      "  yarrow scan ./db planes --where \"seats > 300\" --limit 10\n"
      "  yarrow get ./db planes N14228\n"
      "  yarrow ./db -c \"SELECT manufacturer, count(*) FROM planes GROUP BY ALL\"");
  yarrow::cli::Action action;
  yarrow::cli::AddSqlCommand(&app, &action);
  yarrow::cli::AddImportCommand(&app, &action);
  yarrow::cli::AddExportCommand(&app, &action);
  yarrow::cli::AddFlushCommand(&app, &action);
  yarrow::cli::AddCheckCommand(&app, &action);
  yarrow::cli::AddCompactCommand(&app, &action);
  yarrow::cli::AddScanCommand(&app, &action);
  yarrow::cli::AddGetCommand(&app, &action);
  yarrow::cli::AddCatalogCommands(&app, &action);
  try {
    std::vector<std::string> arguments(std::make_reverse_iterator(argv + argc), std::make_reverse_iterator(argv + 1));
    if (argc > 1 && !IsCommandOrOption(app, argv[1])) {
      if (!IsDirectory(argv[1])) return ComplainOf(argv[1]);
      arguments.push_back("sql");
    }
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    Complain(std::string(error.what()) + "; see yarrow --help");
    return kExitUsage;
  }
  yarrow::sql::RegisterIndexExpressions();
  const arrow::Status ready = arrow::compute::Initialize();
  return ExitCode(ready.ok() ? action() : ready);
}

}  // namespace

int main(int argc, char** argv) {
  yarrow::ReserveStandardDescriptors();
  ::signal(SIGPIPE, SIG_IGN);  // the write that fails tells
  yarrow::cli::WatchInterrupts();
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    Complain(error.what());
    return kExitError;
  }
}
