#include "cli/command.h"

#include <filesystem>
#include <utility>

namespace yarrow::cli {

namespace fs = std::filesystem;

void AddDirectoryOption(CLI::App* command, std::string* directory) {
  command->add_option("DIR", *directory, "Directory of the database")->required();
}

void AddTableOptions(CLI::App* command, TableAddress* address) {
  AddDirectoryOption(command, &address->directory);
  command->add_option("TABLE", address->table, "Name of the table: name, or schema.name")->required();
  command->add_option("--user", address->user, "Acting user; needed for tables of kind user")->type_name("NAME");
}

void AddFormatOption(CLI::App* command, OutputFormat* format) {
  command
      ->add_option_function<std::string>(
          "--format",
          [format](const std::string& name) {
            const auto known = FormatOf(name);
            if (!known) throw CLI::ValidationError("--format", "'" + name + "' is none of " + FormatNames());
            *format = *known;
          },
          "How to print rows (default: table)\n"
          "table: aligned columns\n"
          "csv: a header, NULL as empty field\n"
          "json, jsonlines: an array of objects, or one a\n"
          "line; integers and decimals are numbers with all\n"
          "their digits\n"
          "markdown: a table of GitHub's")
      ->type_name(FormatNames());
}

void AddSelectionOptions(CLI::App* command, RowSelection* selection) {
  AddNameListOption(command, "--columns", &selection->columns, "Only these columns, in this order (default: all)");
  command
      ->add_option("--where", selection->where,
                   "Only rows for which it is true: any SQL expression\n"
                   "of type BOOLEAN over the table's columns")
      ->type_name("EXPR");
  command->add_option("--limit", selection->limit, "At most N rows (default: all)")
      ->type_name("N")
      ->check(CLI::Validator(
          [](const std::string& text) { return text.starts_with('-') ? text + " is less than 0 rows" : std::string(); },
          ""));
}

arrow::Result<std::vector<std::string>> SplitNames(std::string_view list) {
  std::vector<std::string> names(1);
  bool in_quotes = false;
  bool was_quoted = false;
  for (size_t i = 0; i < list.size(); ++i) {
    const char c = list[i];
    if (c == '"' && in_quotes && i + 1 < list.size() && list[i + 1] == '"') {
      names.back() += list[++i];
    } else if (c == '"' && (in_quotes || names.back().empty())) {
      in_quotes = !in_quotes;
      was_quoted = true;
    } else if (c == ',' && !in_quotes) {
      names.emplace_back();
      was_quoted = false;
    } else if (in_quotes || !was_quoted) {
      names.back() += c;
    } else {
      return arrow::Status::Invalid("'", list, "': expected a comma behind the closing quote");
    }
  }
  if (in_quotes) return arrow::Status::Invalid("'", list, "': the quote \" is never closed");
  for (const std::string& name : names) {
    if (name.empty()) return arrow::Status::Invalid("'", list, "': a name is empty");
  }
  return names;
}

CLI::Option* AddNameListOption(CLI::App* command, const std::string& name, std::vector<std::string>* names,
                               const std::string& description) {
  return command
      ->add_option_function<std::vector<std::string>>(
          name,
          [names, name](const std::vector<std::string>& lists) {
            for (const std::string& list : lists) {
              auto split = SplitNames(list);
              if (!split.ok()) throw CLI::ValidationError(name, split.status().message());
              names->insert(names->end(), split->begin(), split->end());
            }
          },
          description)
      ->type_name("NAME,...")
      ->allow_extra_args(false);
}

bool DirectoryHolds(const std::string& directory) {
  std::error_code error;
  if (!fs::exists(directory, error)) return false;
  return !fs::is_directory(directory, error) || !fs::is_empty(directory, error);
}

arrow::Result<std::shared_ptr<Database>> OpenDatabase(const std::string& directory, bool salvage) {
  if (!DirectoryHolds(directory)) {
    return arrow::Status::IOError("there is no database at '", directory, "'; `yarrow import` creates one");
  }
  StoreOptions options;
  options.create_if_missing = false;
  options.salvage = salvage;
  return Database::Open(directory, options);
}

arrow::Result<OpenedTable> OpenTable(const TableAddress& address) {
  OpenedTable opened;
  ARROW_ASSIGN_OR_RAISE(opened.database, OpenDatabase(address.directory));
  ARROW_ASSIGN_OR_RAISE(opened.session, opened.database->OpenSession({.user = address.user}));
  ARROW_ASSIGN_OR_RAISE(opened.table, opened.session->OpenTable(address.table));
  if (opened.table->definition().kind == TableKind::kUser && address.user.empty()) {
    return arrow::Status::Invalid("the rows of table ", opened.table->definition().QualifiedName(),
                                  " belong to users: say whose with --user NAME");
  }
  return opened;
}

}  // namespace yarrow::cli
