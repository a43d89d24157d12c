// yarrow scan: the rows of a table.
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "cli/cell_text.h"
#include "cli/command.h"
#include "cli/condition_scan.h"
#include "cli/interrupt.h"

namespace yarrow::cli {
namespace {

struct ScanArguments {
  TableAddress address;
  RowSelection rows;
  OutputFormat format = OutputFormat::kTable;
  bool reverse = false;
  int threads = 0;
  bool explain = false;
  bool stats = false;
};

constexpr const char* kScanFooter =
    "Rows come in the order of the primary key, from one snapshot of the table.\n"
    "\n"
    "EXPR is any SQL expression that is true or false, as behind WHERE: DuckDB's operators,\n"
    "functions and subqueries. Text goes in 'single quotes' ('' is a quote), names that are no\n"
    "words in \"double quotes\". Dates are DATE '2013-01-31', timestamps TIMESTAMP '2013-01-31\n"
    "18:30:00' (UTC unless they say otherwise). Conditions on the primary key read only the\n"
    "rows in question.\n"
    "\n"
    "Examples:\n"
    "  yarrow scan ./db flights --limit 10\n"
    "  yarrow scan ./db flights --columns carrier,flight,dep_delay \\\n"
    "      --where \"origin = 'JFK' AND dep_delay > 300\" --stats\n"
    "  yarrow scan ./db flights --format csv > flights.csv";

void PrintStats(int64_t rows, const ScanMetrics& metrics, double seconds) {
  fmt::print(stderr, "{} rows in {:.3f} s; visited {} rows, {} bytes; decoded {} rows, {} bytes\n",
             GroupDigits(static_cast<uint64_t>(rows)), seconds, GroupDigits(metrics.rows_visited),
             GroupDigits(metrics.bytes_visited), GroupDigits(metrics.rows_passed), GroupDigits(metrics.bytes_decoded));
}

// Returns how many there were.
arrow::Result<int64_t> PrintRows(TableScan* scan, OutputFormat format, const TableDefinition& table) {
  int64_t rows = 0;
  const auto out = StandardOutput();
  ARROW_ASSIGN_OR_RAISE(const auto writer, MakeRowWriter(format, *scan->schema(), out.get(), &table));
  const CancelOnInterrupt cancel([scan] { scan->Cancel(); });
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(scan->ReadNext(&batch));
    ARROW_RETURN_NOT_OK(CheckInterrupt());
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(writer->Write(*batch));
    rows += batch->num_rows();
  }
  ARROW_RETURN_NOT_OK(writer->Finish());
  return rows;
}

arrow::Status RunScan(const ScanArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const OpenedTable opened, OpenTable(arguments.address));
  const auto start = std::chrono::steady_clock::now();
  const bool is_json = arguments.format == OutputFormat::kJson || arguments.format == OutputFormat::kJsonLines;
  const ScanWay way{.reverse = arguments.reverse,
                    .threads = arguments.threads,
                    .count = arguments.stats,
                    .form = is_json ? CellForm::kJson : CellForm::kText};
  ARROW_ASSIGN_OR_RAISE(const auto scan, OpenScan(opened, arguments.rows, way));
  if (arguments.explain) {
    std::string plan = scan->Explain();
    if (!plan.ends_with('\n')) plan += '\n';
    return StandardOutput()->Write(plan);
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t rows, PrintRows(scan.get(), arguments.format, opened.table->definition()));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (arguments.stats) PrintStats(rows, scan->metrics(), elapsed.count());
  return arrow::Status::OK();
}

}  // namespace

void AddScanCommand(CLI::App* app, Action* action) {
  const auto arguments = std::make_shared<ScanArguments>();
  CLI::App* command = app->add_subcommand("scan", "Prints the rows of a table");
  AddTableOptions(command, &arguments->address);
  AddSelectionOptions(command, &arguments->rows);
  AddFormatOption(command, &arguments->format);
  command->add_flag("--reverse", arguments->reverse, "Descending order of the primary key");
  command
      ->add_option("--threads", arguments->threads,
                   "Threads that read (default: 0, the setting scan_threads;\n"
                   "with --where one a core)")
      ->type_name("N")
      ->check(CLI::Range(0, 1024).description(""));
  command->add_flag("--explain", arguments->explain, "Print how the rows would be found, and read none");
  command->add_flag("--stats", arguments->stats,
                    "Then print to stderr: time, rows and bytes visited in\n"
                    "storage, rows and bytes decoded into columns");
  command->footer(kScanFooter);
  command->callback([arguments, action] { *action = [arguments] { return RunScan(*arguments); }; });
}

}  // namespace yarrow::cli
