// yarrow import: CSV and Parquet files into a table, all of them or nothing.
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "cli/cell_text.h"
#include "cli/column_survey.h"
#include "cli/command.h"
#include "cli/import_reader.h"
#include "cli/import_target.h"
#include "cli/interrupt.h"

namespace yarrow::cli {
namespace {

namespace fs = std::filesystem;

struct ImportArguments {
  TableAddress address;
  std::vector<fs::path> files;
  std::vector<std::string> primary_key;
  TableKind kind = TableKind::kShared;
  bool kind_is_given = false;
  std::map<std::string, ColumnType> types;
  CsvDialect dialect;
  WriteMode mode = WriteMode::kInsert;
  Durability durability = Durability::kSync;
  bool quiet = false;
};

constexpr const char* kImportFooter =
    "All files are imported in one step, or nothing is: after an error, Ctrl-C or a crash\n"
    "the table is as it was. Directory and table are made when missing. Into a table that\n"
    "exists, columns go by name; those that the files lack get their defaults.\n"
    "\n"
    "Types of a new table come from all values of a column: BOOLEAN (true, false), BIGINT,\n"
    "DOUBLE, DATE, TIME, TIMESTAMP, TIMESTAMP WITH TIME ZONE (those with Z or an offset), and\n"
    "VARCHAR for the rest. 007 is the number 7; keep codes as text with --type code=VARCHAR.\n"
    "Fields without quotes that are empty, NA or NULL are NULL; see --null.\n"
    "\n"
    "Examples:\n"
    "  yarrow import ./db planes planes.csv --primary-key tailnum\n"
    "  yarrow import ./db flights flights-*.csv.gz \\\n"
    "      --primary-key year,month,day,carrier,flight,origin --type flight=INTEGER\n"
    "  yarrow import ./db notes notes.parquet --primary-key id --kind user --user ada";

arrow::Status CheckFiles(const ImportArguments& arguments) {
  for (const fs::path& path : arguments.files) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) return arrow::Status::IOError("there is no file '", path.string(), "'");
    if (!fs::is_regular_file(status)) {
      return arrow::Status::IOError("'", path.string(), "' is no regular file; files are read twice");
    }
    ARROW_RETURN_NOT_OK(CheckFormat(path));
  }
  return arrow::Status::OK();
}

// a.tsv, a.tsv.gz
bool IsTabSeparated(const fs::path& path) {
  return path.extension() == ".tsv" || path.stem().extension() == ".tsv";
}

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

arrow::Result<ColumnSurvey> Survey(const ImportArguments& arguments, bool infer_types, ProgressBar* progress) {
  ColumnSurvey survey(arguments.dialect, arguments.types);
  const double total_bytes = TotalBytes(arguments.files);
  ByteCount bytes_read = 0;
  int64_t rows = 0;
  progress->Begin("reading types");
  for (const fs::path& path : arguments.files) {
    ARROW_RETURN_NOT_OK(survey.Add(path, infer_types, &bytes_read, [&](int64_t batch_rows) {
      rows += batch_rows;
      progress->Update(static_cast<double>(bytes_read) / total_bytes, rows);
      if (InterruptSignal() != 0) return arrow::Status::Cancelled("cancelled; nothing was imported");
      return arrow::Status::OK();
    }));
  }
  for (const auto& [name, type] : arguments.types) {
    if (Holds(survey.names(), name)) continue;
    return arrow::Status::Invalid("--type: the files have no column ", name, "; there are: ", Join(survey.names()));
  }
  return survey;
}

arrow::Result<TableSpec> NewTable(const ImportArguments& arguments, const ColumnSurvey& survey) {
  TableSpec spec;
  ARROW_ASSIGN_OR_RAISE(const QualifiedName name, QualifiedName::Parse(arguments.address.table));
  spec.schema_name = name.schema_name;
  spec.name = name.name;
  spec.kind = arguments.kind;
  spec.primary_key = arguments.primary_key;
  for (const std::string& column : survey.names()) {
    ARROW_ASSIGN_OR_RAISE(const ColumnType type, survey.TypeOf(column));
    spec.columns.push_back({.name = column, .type = type, .nullable = true, .default_value = {}});
  }
  for (const std::string& column : spec.primary_key) {
    if (Holds(survey.names(), column)) continue;
    return arrow::Status::Invalid("--primary-key: the files have no column ", column,
                                  "; there are: ", Join(survey.names()));
  }
  return spec;
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
arrow::Status CheckExisting(const ImportArguments& arguments, const ColumnSurvey& survey,
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
  std::vector<std::string> names;
  for (size_t i = 0; i < table.visible_columns(); ++i) names.push_back(table.columns[i].name);
  for (const std::string& name : survey.names()) {
    if (!Holds(names, name)) return conflict("and has no column ", name, "; it has: ", Join(names));
  }
  for (size_t i = 0; i < table.visible_columns(); ++i) {
    const ColumnDefinition& column = table.columns[i];
    const auto type = arguments.types.find(column.name);
    if (type != arguments.types.end() && type->second != column.type) {
      return conflict("and column ", column.name, " is ", column.type.ToString());
    }
    const bool in_key = Holds(KeyOf(table), column.name);
    const bool is_needed = in_key || (!column.nullable && column.default_value.is_null());
    if (is_needed && !Holds(survey.names(), column.name)) {
      return conflict("and needs a value for column ", column.name, ", which the files do not have");
    }
  }
  return arrow::Status::OK();
}

// The table's columns that the files have, in the table's order.
std::vector<ImportColumn> ImportColumns(const TableDefinition& table, const ColumnSurvey& survey) {
  std::vector<ImportColumn> columns;
  for (const ColumnDefinition& column : table.columns) {
    if (column.hidden || !Holds(survey.names(), column.name)) continue;
    const bool in_key = Holds(KeyOf(table), column.name);
    columns.push_back({column.name, column.type, in_key, column.nullable && !in_key});
  }
  return columns;
}

std::vector<ImportColumn> ImportColumns(const TableSpec& table) {
  std::vector<ImportColumn> columns;
  for (const ColumnSpec& column : table.columns) {
    const bool in_key = Holds(table.primary_key, column.name);
    columns.push_back({column.name, column.type, in_key, column.nullable && !in_key});
  }
  return columns;
}

arrow::Result<int64_t> Load(const ImportArguments& arguments, std::vector<ImportColumn> columns, ImportTarget* target,
                            const TableSpec& spec, ProgressBar* progress) {
  ImportReader reader(arguments.files, arguments.dialect, std::move(columns), progress);
  BulkLoadOptions options;
  options.mode = arguments.mode;
  bool writing = false;
  options.on_progress = [&](const BulkLoadProgress& done) {
    if (InterruptSignal() != 0) return arrow::Status::Cancelled("cancelled; nothing was imported");
    if (done.rows_written == 0) return arrow::Status::OK();
    if (!std::exchange(writing, true)) progress->Begin("writing");
    progress->Update(static_cast<double>(done.rows_written) / static_cast<double>(done.rows_read), done.rows_written);
    return arrow::Status::OK();
  };
  auto rows = target->Load(spec, &reader, options);
  if (rows.ok()) return rows;
  if (!reader.failure().ok()) return reader.failure();
  if (!rows.status().IsAlreadyExists()) return rows;
  std::vector<std::string> files;
  for (const fs::path& path : arguments.files) files.push_back(path.string());
  return rows.status().WithMessage(Join(files), ": ", rows.status().message(),
                                   "; nothing was imported (--mode upsert replaces rows)");
}

arrow::Status RunImport(const ImportArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  ARROW_RETURN_NOT_OK(CheckFiles(arguments));
  ARROW_ASSIGN_OR_RAISE(ImportTarget target, ImportTarget::Open(arguments.address, arguments.durability));
  const TableKind kind = target.existing() != nullptr ? target.existing()->kind : arguments.kind;
  if (kind == TableKind::kUser && arguments.address.user.empty()) {
    return arrow::Status::Invalid("the rows of a table of kind user belong to users: say whose with --user NAME");
  }
  ProgressBar progress(arguments.quiet);
  ARROW_ASSIGN_OR_RAISE(const ColumnSurvey survey, Survey(arguments, target.existing() == nullptr, &progress));
  TableSpec spec;
  if (target.existing() != nullptr) {
    ARROW_RETURN_NOT_OK(CheckExisting(arguments, survey, *target.existing()));
  } else {
    ARROW_ASSIGN_OR_RAISE(spec, NewTable(arguments, survey));
  }
  const auto rows =
      Load(arguments, target.existing() != nullptr ? ImportColumns(*target.existing(), survey) : ImportColumns(spec),
           &target, spec, &progress);
  progress.Clear();
  if (!rows.ok()) return target.Undo(rows.status());
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

void SetDelimiter(const std::string& text, CsvDialect* dialect) {
  const std::string delimiter = text == "\\t" || text == "tab" ? "\t" : text;
  const bool is_taken = delimiter == "\"" || delimiter == "\n" || delimiter == "\r";
  if (delimiter.size() != 1 || is_taken)
    throw CLI::ValidationError("--delimiter", "'" + text + "' is not one character");
  dialect->delimiter = delimiter.front();
}

void AddCsvOptions(CLI::App* command, const std::shared_ptr<ImportArguments>& arguments) {
  CsvDialect* dialect = &arguments->dialect;
  command
      ->add_option_function<std::vector<std::string>>(
          "--null", [dialect](const std::vector<std::string>& texts) { dialect->null_spellings = texts; },
          "CSV: fields that are NULL, instead of the empty one,\n"
          "NA and NULL; may be repeated. A quoted field is never\n"
          "NULL in a column of text")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command
      ->add_option_function<std::string>(
          "--delimiter", [dialect](const std::string& text) { SetDelimiter(text, dialect); },
          "CSV: what separates fields (default: a comma; tab for\n"
          "*.tsv); \\t or tab is a tab")
      ->type_name("CHAR");
  command->add_flag_callback(
      "--no-header", [dialect] { dialect->has_header = false; },
      "CSV: the first line is a row, too; the columns are\n"
      "column1, column2, ... or those of --names");
  AddNameListOption(command, "--names", &dialect->column_names, "CSV with --no-header: names of the columns");
}

void AddTableMakingOptions(CLI::App* command, const std::shared_ptr<ImportArguments>& arguments) {
  AddNameListOption(command, "--primary-key", &arguments->primary_key,
                    "Columns of the primary key, in key order, for a new\n"
                    "table. Without it rows are kept in order of arrival");
  command
      ->add_option_function<std::vector<std::string>>(
          "--type",
          [arguments](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) AddType(text, &arguments->types);
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
  CLI::App* command = app->add_subcommand("import", "Reads CSV and Parquet files into a table");
  AddDirectoryOption(command, &arguments->address.directory);
  command->add_option("TABLE", arguments->address.table, "Name of the table: name, or schema.name")->required();
  command
      ->add_option("FILE", arguments->files,
                   "CSV files, perhaps compressed (.gz .bz2 .zst .lz4), and\n"
                   "Parquet files (*.parquet, *.pq)")
      ->required();
  AddTableMakingOptions(command, arguments);
  command->add_option("--user", arguments->address.user, "Acting user; needed for tables of kind user")
      ->type_name("NAME");
  AddCsvOptions(command, arguments);
  AddWriteOptions(command, arguments);
  command->add_flag("-q,--quiet", arguments->quiet, "No progress, no summary");
  command->footer(kImportFooter);
  command->callback([command, arguments, action] {
    arguments->kind_is_given = command->count("--kind") > 0;
    const bool is_tsv = std::all_of(arguments->files.begin(), arguments->files.end(), IsTabSeparated);
    if (is_tsv && command->count("--delimiter") == 0) arguments->dialect.delimiter = '\t';
    *action = [arguments] { return RunImport(*arguments); };
  });
}

}  // namespace yarrow::cli
