// yarrow flush: moves the rows of a table to Parquet segments.
#include <fmt/format.h>

#include <chrono>

#include "cli/cell_text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress_bar.h"
#include "yarrow/flush.h"

namespace yarrow::cli {
namespace {

struct FlushArguments {
  TableAddress address;
  FlushOptions options;
  std::string optimize_for;  // empty: as the table says
  bool quiet = false;
};

constexpr const char* kFlushFooter =
    "Rows move from RocksDB to Parquet files in the folder cold/ of the database; every question\n"
    "is answered as before, and rows there can be changed and deleted like others. Of a user\n"
    "table the rows of all users with at least --min-user-rows move, one file or more a user.\n"
    "Only one process at a time can have a database open: an application flushes by itself, with\n"
    "Table::Flush or CALL yarrow_flush('schema.table').\n"
    "\n"
    "Examples:\n"
    "  yarrow flush ./db flights\n"
    "  yarrow flush ./db flights --optimize-for lookup";

arrow::Status RunFlush(FlushArguments arguments) {
  ARROW_ASSIGN_OR_RAISE(const OpenedTable opened, OpenTable(arguments.address));
  using OptimizeFor = FlushOptions::OptimizeFor;
  if (!arguments.optimize_for.empty()) {
    arguments.options.optimize_for = arguments.optimize_for == "scan" ? OptimizeFor::kScan : OptimizeFor::kLookup;
  }
  ProgressBar progress(arguments.quiet);
  progress.Begin("flushing");
  arguments.options.on_progress = [&](int64_t rows) {
    progress.Update(-1, rows);
    return CheckInterrupt();
  };
  const auto start = std::chrono::steady_clock::now();
  ARROW_ASSIGN_OR_RAISE(const FlushResult result, opened.table->Flush(arguments.options));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  progress.Clear();
  if (arguments.quiet) return arrow::Status::OK();
  return StandardOutput()->Write(fmt::format("flushed {} rows of {} into {} file{}, {} bytes, in {:.2f} s\n",
                                             GroupDigits(static_cast<uint64_t>(result.rows)), arguments.address.table,
                                             result.files, result.files == 1 ? "" : "s",
                                             GroupDigits(static_cast<uint64_t>(result.bytes)), elapsed.count()));
}

}  // namespace

void AddFlushCommand(CLI::App* app, Action* action) {
  const auto arguments = std::make_shared<FlushArguments>();
  CLI::App* command = app->add_subcommand("flush", "Moves the rows of a table to Parquet files");
  AddTableOptions(command, &arguments->address);
  command
      ->add_option("--optimize-for", arguments->optimize_for,
                   "scan: large row groups\nlookup: small ones, of which single rows are read fast\n"
                   "(default: the table's option optimize_for, scan if it has none)")
      ->type_name("scan|lookup")
      ->check(CLI::IsMember({"scan", "lookup"}).description(""));
  command->add_option("--max-segment-rows", arguments->options.max_segment_rows, "Rows of a file (default: 1000000)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, INT64_MAX).description(""));
  command
      ->add_option("--min-user-rows", arguments->options.min_user_rows,
                   "Users with fewer rows keep them where they are (default: the table's\n"
                   "option min_user_rows, 10000 if it has none)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, INT64_MAX).description(""));
  command->add_flag("--compact", arguments->options.compact, "Merge files afterwards, as far as it is worth it");
  command->add_flag("--quiet", arguments->quiet, "Print nothing but errors");
  command->footer(kFlushFooter);
  command->callback([arguments, action] { *action = [arguments] { return RunFlush(*arguments); }; });
}

}  // namespace yarrow::cli
