// yarrow get: one row by its primary key.
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "cli/command.h"

namespace yarrow::cli {
namespace {

struct GetArguments {
  TableAddress address;
  std::vector<std::string> key;
  OutputFormat format = OutputFormat::kTable;
};

constexpr const char* kGetFooter =
    "Prints a line for each column: its name, then the value (with --format csv or\n"
    "jsonlines the row as scan prints it). Exits with 1 when there is no such row.\n"
    "\n"
    "Examples:\n"
    "  yarrow get ./db planes N14228\n"
    "  yarrow get ./db flights 2013 1 1 UA 1545 EWR\n"
    "  yarrow get ./db readings -- -5      (behind -- a value may begin with a minus)";

std::vector<ColumnDefinition> KeyColumns(const TableDefinition& table) {
  std::vector<ColumnDefinition> columns;
  for (const uint32_t id : table.primary_key) {
    const auto has_id = [id](const ColumnDefinition& column) { return column.id == id; };
    const auto found = std::find_if(table.columns.begin(), table.columns.end(), has_id);
    if (found != table.columns.end()) columns.push_back(*found);
  }
  return columns;
}

arrow::Result<std::vector<Value>> ParseKey(const TableDefinition& table, const std::vector<std::string>& texts) {
  const std::vector<ColumnDefinition> columns = KeyColumns(table);
  std::string names;
  for (const ColumnDefinition& column : columns) names += (names.empty() ? "" : ", ") + column.name;
  if (texts.size() != columns.size()) {
    return arrow::Status::Invalid("the primary key of table ", table.QualifiedName(), " is (", names,
                                  "): ", columns.size(), " values, not ", texts.size());
  }
  std::vector<Value> key;
  for (size_t i = 0; i < texts.size(); ++i) {
    auto value = Value::Parse(texts[i], columns[i].type);
    if (!value.ok()) return value.status().WithMessage("key column ", columns[i].name, ": ", value.status().message());
    key.push_back(*std::move(value));
  }
  return key;
}

arrow::Status PrintLines(const TableDefinition& table, const Row& row) {
  int64_t width = 0;
  for (size_t i = 0; i < table.visible_columns(); ++i) width = std::max(width, DisplayWidth(table.columns[i].name));
  std::string lines;
  for (size_t i = 0; i < table.visible_columns(); ++i) {
    const ColumnDefinition& column = table.columns[i];
    ARROW_ASSIGN_OR_RAISE(const Value value, row.Get(static_cast<int>(i)));
    lines += column.name;
    lines.append(static_cast<size_t>(width - DisplayWidth(column.name)) + 2, ' ');
    lines += value.ToString(column.type) + "\n";
  }
  return StandardOutput()->Write(lines);
}

arrow::Status RunGet(const GetArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const OpenedTable opened, OpenTable(arguments.address));
  const TableDefinition& definition = opened.table->definition();
  ARROW_ASSIGN_OR_RAISE(const std::vector<Value> key, ParseKey(definition, arguments.key));
  ARROW_ASSIGN_OR_RAISE(const auto row, opened.table->Get(key));
  if (!row) {
    std::string shown;
    for (const std::string& text : arguments.key) shown += (shown.empty() ? "" : ", ") + text;
    return arrow::Status::KeyError("table ", definition.QualifiedName(), " has no row with the key (", shown, ")");
  }
  if (arguments.format == OutputFormat::kTable) return PrintLines(definition, *row);
  ARROW_ASSIGN_OR_RAISE(const auto batch, row->ToBatch());
  const auto out = StandardOutput();
  ARROW_ASSIGN_OR_RAISE(const auto writer, MakeRowWriter(arguments.format, *batch->schema(), out.get(), &definition));
  ARROW_RETURN_NOT_OK(writer->Write(*batch));
  return writer->Finish();
}

}  // namespace

void AddGetCommand(CLI::App* app, Action* action) {
  const auto arguments = std::make_shared<GetArguments>();
  CLI::App* command = app->add_subcommand("get", "Prints the row with a primary key");
  AddTableOptions(command, &arguments->address);
  command->add_option("KEY", arguments->key, "Values of the key's columns, in key order")->required();
  AddFormatOption(command, &arguments->format);
  command->footer(kGetFooter);
  command->callback([arguments, action] { *action = [arguments] { return RunGet(*arguments); }; });
}

}  // namespace yarrow::cli
