// The subcommands of the program, and what they share.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/row_writer.h"
#include "cli/standard_output.h"
#include "yarrow/database.h"

namespace yarrow::cli {

// What to do once the command line is parsed. Its error is the program's.
using Action = std::function<arrow::Status()>;

// Each adds subcommands that set *action; `action` must outlive the parsing.
void AddImportCommand(CLI::App* app, Action* action);
void AddExportCommand(CLI::App* app, Action* action);
void AddFlushCommand(CLI::App* app, Action* action);
void AddCheckCommand(CLI::App* app, Action* action);
void AddCompactCommand(CLI::App* app, Action* action);
void AddScanCommand(CLI::App* app, Action* action);
void AddGetCommand(CLI::App* app, Action* action);
void AddSqlCommand(CLI::App* app, Action* action);
void AddCatalogCommands(CLI::App* app, Action* action);  // tables, schema, stats, drop

// Where the rows of which table are.
struct TableAddress {
  std::string directory;
  std::string table;
  std::string user;
};

void AddDirectoryOption(CLI::App* command, std::string* directory);
void AddTableOptions(CLI::App* command, TableAddress* address);
void AddFormatOption(CLI::App* command, OutputFormat* format);

// Names separated by commas; a name with a comma or blank in it in double quotes, as in SQL. Invalid for empty names.
arrow::Result<std::vector<std::string>> SplitNames(std::string_view list);
// An option that takes such a list; may be given several times.
CLI::Option* AddNameListOption(CLI::App* command, const std::string& name, std::vector<std::string>* names,
                               const std::string& description);

// Which rows and columns of a table: --columns, --where, --limit.
struct RowSelection {
  std::vector<std::string> columns;  // none: all
  std::string where;
  std::optional<int64_t> limit;
};
void AddSelectionOptions(CLI::App* command, RowSelection* selection);

// Whether something is there that import must not take for a new place: false for a missing or empty directory.
bool DirectoryHolds(const std::string& directory);

// An open table and what has to stay open with it.
struct OpenedTable {
  std::shared_ptr<Database> database;
  std::shared_ptr<Session> session;
  std::shared_ptr<Table> table;
};

// Only import creates databases: an error when there is none.
// `salvage`: see StoreOptions.
arrow::Result<std::shared_ptr<Database>> OpenDatabase(const std::string& directory, bool salvage = false);
arrow::Result<OpenedTable> OpenTable(const TableAddress& address);

}  // namespace yarrow::cli
