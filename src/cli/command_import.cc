// yarrow import: CSV, JSON and Parquet files into a table, all of them or nothing.
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "cli/cell_text.h"
#include "cli/command.h"
#include "cli/import_files.h"
#include "cli/import_target.h"
#include "cli/interrupt.h"

namespace yarrow::cli {
namespace {

struct ImportArguments {
  TableAddress address;
  std::vector<std::string> files;
  std::vector<std::string> primary_key;
  TableKind kind = TableKind::kShared;
  bool kind_is_given = false;
  ImportOptions options;
  WriteMode mode = WriteMode::kInsert;
  Durability durability = Durability::kSync;
  bool quiet = false;
};

constexpr const char* kImportFooter =
    "All files are imported in one step, or nothing is: after an error, Ctrl-C or a crash\n"
    "the table is as it was. Directory and table are made when missing. Into a table that\n"
    "exists, columns go by name; those that the files lack get their defaults. Rows need not\n"
    "be sorted.\n"
    "\n"
    "DuckDB reads the files. Types of a new table come from the values: BOOLEAN (true, false),\n"
    "BIGINT, DOUBLE, DATE, TIME, TIMESTAMP, TIMESTAMP WITH TIME ZONE (those with Z or an\n"
    "offset), and VARCHAR for the rest, such as 007. A value that its column cannot hold as it\n"
    "is written is an error that names file, line, column and value. CSV is that of RFC 4180:\n"
    "double quotes, doubled inside. Fields without quotes that are empty are NULL, others are\n"
    "what they are; see --null for NA and the like.\n"
    "\n"
    "Examples:\n"
    "  yarrow import ./db planes planes.csv --primary-key tailnum --null NA\n"
    "  yarrow import ./db flights 'flights-*.csv.gz' \\\n"
    "      --primary-key year,month,day,carrier,flight,origin --type flight=INTEGER\n"
    "  yarrow import ./db notes notes.parquet --primary-key id --kind user --user ada\n"
    "  producer | yarrow import ./db events - --format jsonlines";

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> NamesOf(const std::vector<ImportColumn>& columns) {
  std::vector<std::string> names;
  for (const ImportColumn& column : columns) names.push_back(column.name);
  return names;
}

arrow::Status CheckNames(const ImportArguments& arguments, const std::vector<std::string>& names) {
  const auto missing = [&names](const char* option, const std::string& name) {
    return arrow::Status::Invalid(option, ": the files have no column ", name, "; there are: ", Join(names));
  };
  for (const auto& [name, type] : arguments.options.types) {
    if (!Holds(names, name)) return missing("--type", name);
  }
  return arrow::Status::OK();
}

arrow::Result<TableSpec> NewTable(const ImportArguments& arguments, const std::vector<ImportColumn>& columns) {
  TableSpec spec;
  ARROW_ASSIGN_OR_RAISE(const QualifiedName name, QualifiedName::Parse(arguments.address.table));
  spec.schema_name = name.schema_name;
  spec.name = name.name;
  spec.kind = arguments.kind;
  spec.primary_key = arguments.primary_key;
  for (const ImportColumn& column : columns) {
    spec.columns.push_back({.name = column.name, .type = column.type, .nullable = true, .default_value = {}});
  }
  return spec;
}

// The columns of a new table: those of the files.
arrow::Result<std::vector<ImportColumn>> NewColumns(const ImportArguments& arguments,
                                                    std::vector<ImportColumn> columns) {
  for (const std::string& name : arguments.primary_key) {
    const auto found = std::ranges::find(columns, name, &ImportColumn::name);
    if (found == columns.end()) {
      return arrow::Status::Invalid("--primary-key: the files have no column ", name,
                                    "; there are: ", Join(NamesOf(columns)));
    }
    found->in_key = true;
    found->nullable = false;
  }
  return columns;
}

std::vector<std::string> KeyOf(const TableDefinition& table) {
  std::vector<std::string> names;
  for (const uint32_t id : table.primary_key) {
    for (const ColumnDefinition& column : table.columns) {
      if (column.id == id && !column.hidden) names.push_back(column.name);
    }
  }
  return names;
}

// That the options agree with a table that exists, and the files' columns are among its.
arrow::Status CheckExisting(const ImportArguments& arguments, const std::vector<std::string>& names,
                            const TableDefinition& table) {
  const auto conflict = [&table](const auto&... what) {
    return arrow::Status::Invalid("table ", table.QualifiedName(), " exists, ", what...);
  };
  if (!arguments.primary_key.empty() && arguments.primary_key != KeyOf(table)) {
    return conflict("and its primary key is (", Join(KeyOf(table)), ")");
  }
  if (arguments.kind_is_given && arguments.kind != table.kind) {
    return conflict("and is of kind ", TableKindName(table.kind));
  }
  std::vector<std::string> known;
  for (size_t i = 0; i < table.visible_columns(); ++i) known.push_back(table.columns[i].name);
  for (const std::string& name : names) {
    if (!Holds(known, name)) return conflict("and has no column ", name, "; it has: ", Join(known));
  }
  for (size_t i = 0; i < table.visible_columns(); ++i) {
    const ColumnDefinition& column = table.columns[i];
    const auto type = arguments.options.types.find(column.name);
    if (type != arguments.options.types.end() && type->second != column.type) {
      return conflict("and column ", column.name, " is ", column.type.ToString());
    }
    const bool in_key = Holds(KeyOf(table), column.name);
    const bool has_default = !column.default_value.is_null() || !column.default_expression.empty();
    const bool is_needed = (in_key || !column.nullable) && !has_default;
    if (is_needed && !Holds(names, column.name)) {
      return conflict("and needs a value for column ", column.name, ", which the files do not have");
    }
  }
  return arrow::Status::OK();
}

// The table's columns that the files have, in the table's order.
std::vector<ImportColumn> ExistingColumns(const TableDefinition& table, const std::vector<std::string>& names) {
  std::vector<ImportColumn> columns;
  for (const ColumnDefinition& column : table.columns) {
    if (column.hidden || !Holds(names, column.name)) continue;
    const bool in_key = Holds(KeyOf(table), column.name);
    columns.push_back({column.name, column.type, in_key, column.nullable && !in_key, false});
  }
  return columns;
}

// Of a load that the table refused.
arrow::Status Explain(const arrow::Status& failure, const ImportReader& reader, const std::vector<ImportFile>& files) {
  if (!reader.failure().ok()) return reader.failure();
  std::vector<std::string> names;
  for (const ImportFile& file : files) names.push_back(file.name);
  if (failure.IsInvalid() || failure.IsCapacityError()) {
    return failure.WithMessage(reader.at_end() ? Join(names) : reader.file_name(), ": ", failure.message());
  }
  if (!failure.IsAlreadyExists()) return failure;
  return failure.WithMessage(Join(names), ": ", failure.message(),
                             "; nothing was imported (--mode upsert replaces rows)");
}

struct Import {
  const ImportArguments& arguments;
  sql::FileReader& reader;
  ProgressBar& progress;
  std::vector<ImportFile> files = {};
  std::vector<ImportColumn> columns = {};

  // Finds the files and their columns, those of the table if it exists.
  arrow::Status Prepare(const TableDefinition* existing) {
    progress.Begin("reading types");
    const auto spool = ImportTarget::SpoolDirectory(arguments.address.directory);
    ARROW_ASSIGN_OR_RAISE(files, FindFiles(arguments.files, arguments.options, spool, &reader));
    ARROW_ASSIGN_OR_RAISE(columns, SurveyFiles(arguments.options, &files, &reader));
    const std::vector<std::string> names = NamesOf(columns);
    ARROW_RETURN_NOT_OK(CheckNames(arguments, names));
    if (existing == nullptr) return NewColumns(arguments, std::move(columns)).Value(&columns);
    ARROW_RETURN_NOT_OK(CheckExisting(arguments, names, *existing));
    columns = ExistingColumns(*existing, names);
    return arrow::Status::OK();
  }

  arrow::Result<int64_t> Load(ImportTarget* target) {
    while (true) {
      TableSpec spec;
      if (target->existing() == nullptr) {
        ARROW_ASSIGN_OR_RAISE(spec, NewTable(arguments, columns));
      }
      ImportReader rows(files, columns, &reader, &progress);
      const auto loaded = target->Load(spec, &rows, LoadOptions());
      if (loaded.ok()) return loaded;
      if (!rows.must_restart()) return Explain(loaded.status(), rows, files);
      columns = rows.widened();
    }
  }

  BulkLoadOptions LoadOptions() {
    BulkLoadOptions options;
    options.mode = arguments.mode;
    options.on_progress = [this, writing = false](const BulkLoadProgress& done) mutable {
      if (InterruptSignal() != 0) return arrow::Status::Cancelled("cancelled; nothing was imported");
      if (done.rows_written == 0) return arrow::Status::OK();
      if (!std::exchange(writing, true)) progress.Begin("writing");
      progress.Update(static_cast<double>(done.rows_written) / static_cast<double>(done.rows_read), done.rows_written);
      return arrow::Status::OK();
    };
    return options;
  }
};

// What the signal cut short, in one voice.
arrow::Status InOneVoice(const arrow::Status& status) {
  const bool is_cancelled = status.IsCancelled() || InterruptSignal() != 0;
  return is_cancelled && !status.ok() ? arrow::Status::Cancelled("cancelled; nothing was imported") : status;
}

arrow::Status RunImport(const ImportArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  ARROW_ASSIGN_OR_RAISE(ImportTarget target, ImportTarget::Open(arguments.address, arguments.durability));
  const TableKind kind = target.existing() != nullptr ? target.existing()->kind : arguments.kind;
  if (kind == TableKind::kUser && arguments.address.user.empty()) {
    return arrow::Status::Invalid("the rows of a table of kind user belong to users: say whose with --user NAME");
  }
  ARROW_ASSIGN_OR_RAISE(const auto reader, sql::FileReader::Open());
  const CancelOnInterrupt cancel([&reader] { reader->Cancel(); });
  ProgressBar progress(arguments.quiet);
  Import import{.arguments = arguments, .reader = *reader, .progress = progress};
  ARROW_RETURN_NOT_OK(InOneVoice(import.Prepare(target.existing())));
  const auto rows = import.Load(&target);
  progress.Clear();
  if (!rows.ok()) return target.Undo(InOneVoice(rows.status()));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (arguments.quiet) return arrow::Status::OK();
  return StandardOutput()->Write(
      fmt::format("imported {} rows into {} in {:.2f} s ({} rows/s)\n", GroupDigits(static_cast<uint64_t>(*rows)),
                  arguments.address.table, elapsed.count(),
                  GroupDigits(static_cast<uint64_t>(static_cast<double>(*rows) / std::max(elapsed.count(), 1e-6)))));
}

// --- the command line -----------------------------------------------------------------------------------------------

void AddType(const std::string& text, std::map<std::string, ColumnType>* types) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw CLI::ValidationError("--type", "'" + text + "' is not of the form column=TYPE");
  }
  const auto type = ColumnType::Parse(text.substr(equals + 1));
  if (!type.ok()) throw CLI::ValidationError("--type", type.status().message());
  (*types)[text.substr(0, equals)] = *type;
}

void SetDelimiter(const std::string& text, sql::FileOptions* csv) {
  const std::string delimiter = text == "\\t" || text == "tab" ? "\t" : text;
  const bool is_taken = delimiter == "\"" || delimiter == "\n" || delimiter == "\r";
  if (delimiter.size() != 1 || is_taken)
    throw CLI::ValidationError("--delimiter", "'" + text + "' is not one character");
  csv->delimiter = delimiter;
}

void AddReadOptions(CLI::App* command, const std::shared_ptr<ImportArguments>& arguments) {
  sql::FileOptions* csv = &arguments->options.csv;
  command
      ->add_option("--format", arguments->options.format,
                   "Format of the files, whatever their names say; of\n"
                   "standard input csv, if nothing is said")
      ->type_name("csv|json|jsonlines|parquet")
      ->check(CLI::IsMember({"csv", "json", "jsonlines", "parquet"}).description(""));
  command
      ->add_option_function<std::vector<std::string>>(
          "--null", [csv](const std::vector<std::string>& texts) { csv->null_texts = texts; },
          "CSV: fields that are NULL, instead of the empty one; may\n"
          "be repeated. A quoted field is never NULL in a column\n"
          "of text")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command
      ->add_option_function<std::string>(
          "--delimiter", [csv](const std::string& text) { SetDelimiter(text, csv); },
          "CSV: what separates fields (default: a tab for *.tsv, else\n"
          "what the first rows suggest of , ; | and tab); \\t or\n"
          "tab is a tab")
      ->type_name("CHAR");
  command->add_flag_callback(
      "--no-header", [csv] { csv->has_header = false; },
      "CSV: the first line is a row, too; the columns are\n"
      "column1, column2, ... or those of --names");
  AddNameListOption(command, "--names", &arguments->options.column_names,
                    "CSV: names of the columns, instead of those of the file");
  command
      ->add_option("--longest-row", csv->most_row_bytes,
                   "CSV, JSON: bytes of the longest row (default: 2 MB of\n"
                   "CSV, 16 MB of JSON); memory grows with it")
      ->type_name("BYTES")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 31).description(""));
}

void AddTableMakingOptions(CLI::App* command, const std::shared_ptr<ImportArguments>& arguments) {
  AddNameListOption(command, "--primary-key", &arguments->primary_key,
                    "Columns of the primary key, in key order, for a new\n"
                    "table. Without it rows are kept in order of arrival");
  command
      ->add_option_function<std::vector<std::string>>(
          "--type",
          [arguments](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) AddType(text, &arguments->options.types);
          },
          "Type of a column instead of the one its values suggest,\n"
          "such as code=VARCHAR or price=DECIMAL(10,2); may be\n"
          "repeated")
      ->type_name("COLUMN=TYPE")
      ->allow_extra_args(false);
  const std::map<std::string, TableKind> kinds = {{"shared", TableKind::kShared}, {"user", TableKind::kUser}};
  command
      ->add_option("--kind", arguments->kind,
                   "Of a new table: shared, rows are everybody's (default);\n"
                   "user, each row belongs to the acting user")
      ->type_name("shared|user")
      ->transform(CLI::CheckedTransformer(kinds).description(""));
}

void AddWriteOptions(CLI::App* command, const std::shared_ptr<ImportArguments>& arguments) {
  const std::map<std::string, WriteMode> modes = {{"insert", WriteMode::kInsert}, {"upsert", WriteMode::kUpsert}};
  command
      ->add_option("--mode", arguments->mode,
                   "insert: a key that exists is an error (default);\n"
                   "upsert: the row is replaced")
      ->type_name("insert|upsert")
      ->transform(CLI::CheckedTransformer(modes).description(""));
  const std::map<std::string, Durability> durabilities = {
      {"sync", Durability::kSync}, {"grouped", Durability::kGrouped}, {"os", Durability::kOs}};
  command
      ->add_option("--durability", arguments->durability,
                   "sync: on disk when the command ends (default);\n"
                   "grouped: 10 ms later; os: when the system likes")
      ->type_name("sync|grouped|os")
      ->transform(CLI::CheckedTransformer(durabilities).description(""));
}

}  // namespace

void AddImportCommand(CLI::App* app, Action* action) {
  const auto arguments = std::make_shared<ImportArguments>();
  CLI::App* command = app->add_subcommand("import", "Reads CSV, JSON and Parquet files into a table");
  AddDirectoryOption(command, &arguments->address.directory);
  command->add_option("TABLE", arguments->address.table, "Name of the table: name, or schema.name")->required();
  command
      ->add_option("FILE", arguments->files,
                   "CSV and JSON files, perhaps compressed (.gz .zst), and\n"
                   "Parquet files (*.parquet, *.pq), by their names;\n"
                   "patterns such as 'day-*.csv'; - is standard input")
      ->required();
  AddTableMakingOptions(command, arguments);
  command->add_option("--user", arguments->address.user, "Acting user; needed for tables of kind user")
      ->type_name("NAME");
  AddReadOptions(command, arguments);
  AddWriteOptions(command, arguments);
  command->add_flag("-q,--quiet", arguments->quiet, "No progress, no summary");
  command->footer(kImportFooter);
  command->callback([command, arguments, action] {
    arguments->kind_is_given = command->count("--kind") > 0;
    *action = [arguments] { return RunImport(*arguments); };
  });
}

}  // namespace yarrow::cli
