// yarrow compact: merges the Parquet segments of a table.
#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>

#include "cli/cell_text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress_bar.h"
#include "yarrow/compact.h"

namespace yarrow::cli {
namespace {

struct CompactArguments {
  TableAddress address;
  CompactOptions options;
  std::string optimize_for;  // empty: as it is
  std::optional<int64_t> keep_old_seconds;
  bool quiet = false;
};

constexpr const char* kCompactFooter =
    "Small Parquet files, files whose keys overlap and files of which many rows were changed or\n"
    "deleted are merged into fewer ones; every question is answered as before. Of a user table the\n"
    "files of all users, each user's by themselves. The old files are removed after the time of the\n"
    "setting deleted_file_retention, 7 days by default. Only one process at a time can have a\n"
    "database open: an application compacts by itself, with Table::Compact or\n"
    "CALL yarrow_compact('schema.table').\n"
    "\n"
    "Examples:\n"
    "  yarrow compact ./db flights\n"
    "  yarrow compact ./db flights --full --optimize-for lookup --keep-old 0";

std::string Files(int64_t files) {
  return fmt::format("{} file{}", files, files == 1 ? "" : "s");
}

arrow::Status RunCompact(CompactArguments arguments) {
  ARROW_ASSIGN_OR_RAISE(const OpenedTable opened, OpenTable(arguments.address));
  if (arguments.keep_old_seconds) {
    ARROW_RETURN_NOT_OK(
        opened.database->SetSetting("deleted_file_retention", std::to_string(*arguments.keep_old_seconds)));
  }
  using OptimizeFor = FlushOptions::OptimizeFor;
  if (!arguments.optimize_for.empty()) {
    arguments.options.optimize_for = arguments.optimize_for == "scan" ? OptimizeFor::kScan : OptimizeFor::kLookup;
  }
  ProgressBar progress(arguments.quiet);
  progress.Begin("compacting");
  arguments.options.on_progress = [&](int64_t rows) {
    progress.Update(-1, rows);
    return CheckInterrupt();
  };
  const auto start = std::chrono::steady_clock::now();
  ARROW_ASSIGN_OR_RAISE(const CompactResult result, opened.table->Compact(arguments.options));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  progress.Clear();
  if (arguments.quiet) return arrow::Status::OK();
  if (result.files_before == 0 || (result.rows == 0 && result.files_before == result.files_after)) {
    return StandardOutput()->Write(
        fmt::format("nothing to merge in the {} of {}\n", Files(result.files_before), arguments.address.table));
  }
  return StandardOutput()->Write(fmt::format("compacted {} of {} into {}: wrote {} rows, {} bytes, in {:.2f} s\n",
                                             Files(result.files_before), arguments.address.table,
                                             Files(result.files_after), GroupDigits(static_cast<uint64_t>(result.rows)),
                                             GroupDigits(static_cast<uint64_t>(result.bytes)), elapsed.count()));
}

}  // namespace

void AddCompactCommand(CLI::App* app, Action* action) {
  const auto arguments = std::make_shared<CompactArguments>();
  CLI::App* command = app->add_subcommand("compact", "Merges the Parquet files of a table");
  AddTableOptions(command, &arguments->address);
  command->add_flag("--full", arguments->options.full, "Merge all files, not only those that are worth it");
  command
      ->add_option("--optimize-for", arguments->optimize_for,
                   "scan: large row groups\nlookup: small ones, of which single rows are read fast\n"
                   "(default: as most of the rows are laid out now)")
      ->type_name("scan|lookup")
      ->check(CLI::IsMember({"scan", "lookup"}).description(""));
  command->add_option("--max-segment-rows", arguments->options.max_segment_rows, "Rows of a file (default: 1000000)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, INT64_MAX).description(""));
  command
      ->add_option("--keep-old", arguments->keep_old_seconds,
                   "From now on, keep old files that long: sets the database's\n"
                   "setting deleted_file_retention")
      ->type_name("SECONDS")
      ->check(CLI::Range(int64_t{0}, INT64_MAX).description(""));
  command->add_flag("--quiet", arguments->quiet, "Print nothing but errors");
  command->footer(kCompactFooter);
  command->callback([arguments, action] { *action = [arguments] { return RunCompact(*arguments); }; });
}

}  // namespace yarrow::cli
