// yarrow tables, schema, stats and drop: what a database has.
#include <arrow/api.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "cli/cell_text.h"
#include "cli/command.h"
#include "cli/interrupt.h"

namespace yarrow::cli {
namespace {

struct CatalogArguments {
  TableAddress address;
  OutputFormat format = OutputFormat::kTable;
  bool system = false;
  bool count = false;
};

// Rows of a listing, written in one piece.
class Listing {
 public:
  explicit Listing(arrow::FieldVector fields) : schema_(arrow::schema(std::move(fields))) {}

  arrow::Status Add(const std::vector<Value>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (builders_.size() <= i) {
        ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(schema_->field(static_cast<int>(i))->type()));
        builders_.push_back(std::move(builder));
      }
      if (row[i].is_null()) {
        ARROW_RETURN_NOT_OK(builders_[i]->AppendNull());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const ColumnType type, ColumnType::FromArrow(*builders_[i]->type()));
      ARROW_ASSIGN_OR_RAISE(const Value value, row[i].CastTo(type));
      ARROW_ASSIGN_OR_RAISE(const auto scalar, value.ToScalar(type));
      ARROW_RETURN_NOT_OK(builders_[i]->AppendScalar(*scalar));
    }
    return arrow::Status::OK();
  }

  arrow::Status Print(OutputFormat format) {
    const auto out = StandardOutput();
    ARROW_ASSIGN_OR_RAISE(const auto writer, MakeRowWriter(format, *schema_, out.get()));
    if (!builders_.empty()) {
      arrow::ArrayVector columns;
      for (const auto& builder : builders_) {
        ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
        columns.push_back(std::move(column));
      }
      const int64_t rows = columns.front()->length();
      ARROW_RETURN_NOT_OK(writer->Write(*arrow::RecordBatch::Make(schema_, rows, std::move(columns))));
    }
    return writer->Finish();
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
};

// Position of a column in the primary key, from 1.
std::optional<int64_t> KeyPosition(const TableDefinition& table, const ColumnDefinition& column) {
  const auto found = std::find(table.primary_key.begin(), table.primary_key.end(), column.id);
  if (found == table.primary_key.end()) return std::nullopt;
  return found - table.primary_key.begin() + 1;
}

std::string KeyNames(const TableDefinition& table) {
  std::string names;
  for (const uint32_t id : table.primary_key) {
    for (const ColumnDefinition& column : table.columns) {
      if (column.id == id && !column.hidden) names += (names.empty() ? "" : ", ") + column.name;
    }
  }
  return names;
}

// By reading all of them; nothing for user tables without an acting user.
arrow::Result<Value> CountRows(Session* session, const TableDefinition& definition) {
  if (definition.kind == TableKind::kUser && session->user().empty()) return Value();
  ARROW_ASSIGN_OR_RAISE(const auto table, session->OpenTable(definition.QualifiedName()));
  ScanOptions options;
  options.columns.emplace();
  options.threads = 0;
  ARROW_ASSIGN_OR_RAISE(const auto scan, table->Scan(options));
  const CancelOnInterrupt cancel([&scan] { scan->Cancel(); });
  int64_t rows = 0;
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(scan->ReadNext(&batch));
    if (batch == nullptr) return Value(rows);
    rows += batch->num_rows();
  }
}

arrow::Status RunTables(const CatalogArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const auto database, OpenDatabase(arguments.address.directory));
  ARROW_ASSIGN_OR_RAISE(const auto session, database->OpenSession({.user = arguments.address.user}));
  arrow::FieldVector fields = {arrow::field("schema", arrow::utf8()), arrow::field("name", arrow::utf8()),
                               arrow::field("kind", arrow::utf8()), arrow::field("columns", arrow::int64()),
                               arrow::field("primary_key", arrow::utf8())};
  if (arguments.count) fields.push_back(arrow::field("rows", arrow::int64()));
  Listing listing(std::move(fields));
  for (const auto& table : database->Tables()) {
    if (table->kind == TableKind::kSystem && !arguments.system) continue;
    const std::string key = KeyNames(*table);
    std::vector<Value> row = {table->schema_name, table->name, TableKindName(table->kind),
                              static_cast<int64_t>(table->visible_columns()), key.empty() ? Value() : Value(key)};
    if (arguments.count) {
      ARROW_ASSIGN_OR_RAISE(Value rows, CountRows(session.get(), *table));
      row.push_back(std::move(rows));
    }
    ARROW_RETURN_NOT_OK(listing.Add(row));
  }
  return listing.Print(arguments.format);
}

// NULL: none.
Value DefaultText(const ColumnDefinition& column) {
  if (!column.default_expression.empty()) return column.default_expression;
  if (column.default_value.is_null()) return {};
  return column.default_value.ToString(column.type);
}

arrow::Status RunSchema(const CatalogArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const auto database, OpenDatabase(arguments.address.directory));
  ARROW_ASSIGN_OR_RAISE(const auto table, database->FindTable(arguments.address.table));
  Listing listing({arrow::field("column", arrow::utf8()), arrow::field("type", arrow::utf8()),
                   arrow::field("nullable", arrow::boolean()), arrow::field("key", arrow::int64()),
                   arrow::field("default", arrow::utf8())});
  auto generated = table->generated_columns.begin();
  uint32_t row = 0;
  const auto add_generated = [&]() -> arrow::Status {
    for (; generated != table->generated_columns.end() && generated->position == row; ++generated, ++row) {
      ARROW_RETURN_NOT_OK(listing.Add(
          {generated->name, generated->type.ToString(), true, Value(), "AS (" + generated->expression + ")"}));
    }
    return arrow::Status::OK();
  };
  for (size_t i = 0; i < table->visible_columns(); ++i, ++row) {
    ARROW_RETURN_NOT_OK(add_generated());
    const ColumnDefinition& column = table->columns[i];
    const auto position = KeyPosition(*table, column);
    ARROW_RETURN_NOT_OK(listing.Add({column.name, column.type.ToString(), column.nullable && !position,
                                     position ? Value(*position) : Value(), DefaultText(column)}));
  }
  ARROW_RETURN_NOT_OK(add_generated());
  return listing.Print(arguments.format);
}

arrow::Status RunStats(const CatalogArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const OpenedTable opened,
                        OpenTable({.directory = arguments.address.directory, .table = "system.stats", .user = ""}));
  ARROW_ASSIGN_OR_RAISE(const auto scan, opened.table->Scan());
  const auto out = StandardOutput();
  ARROW_ASSIGN_OR_RAISE(const auto writer, MakeRowWriter(arguments.format, *scan->schema(), out.get()));
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(scan->ReadNext(&batch));
    if (batch == nullptr) return writer->Finish();
    ARROW_RETURN_NOT_OK(writer->Write(*batch));
  }
}

arrow::Status RunDrop(const CatalogArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const auto database, OpenDatabase(arguments.address.directory));
  return database->DropTable(arguments.address.table);
}

// A subcommand over CatalogArguments, and what it parses into.
struct CatalogCommand {
  CLI::App* app;
  std::shared_ptr<CatalogArguments> arguments;
};

CatalogCommand AddCommand(CLI::App* app, Action* action, const std::string& name, const std::string& description,
                          arrow::Status (*run)(const CatalogArguments&)) {
  const CatalogCommand command{app->add_subcommand(name, description), std::make_shared<CatalogArguments>()};
  AddDirectoryOption(command.app, &command.arguments->address.directory);
  command.app->callback(
      [action, run, arguments = command.arguments] { *action = [arguments, run] { return run(*arguments); }; });
  return command;
}

void AddTableName(const CatalogCommand& command) {
  command.app->add_option("TABLE", command.arguments->address.table, "Name of the table: name, or schema.name")
      ->required();
}

}  // namespace

void AddCatalogCommands(CLI::App* app, Action* action) {
  const CatalogCommand tables =
      AddCommand(app, action, "tables", "Lists the tables: schema, name, kind, columns, primary key", RunTables);
  tables.app->add_flag("--system", tables.arguments->system, "System tables, too");
  tables.app->add_flag("--count", tables.arguments->count,
                       "Count the rows of each table, exactly, by reading them\n"
                       "(of user tables those of --user, without it NULL)");
  tables.app->add_option("--user", tables.arguments->address.user, "Acting user")->type_name("NAME");
  AddFormatOption(tables.app, &tables.arguments->format);
  tables.app->footer("Example:\n  yarrow tables ./db --count");

  const CatalogCommand schema =
      AddCommand(app, action, "schema", "Lists the columns of a table: type, nullability, place in the key", RunSchema);
  AddTableName(schema);
  AddFormatOption(schema.app, &schema.arguments->format);
  schema.app->footer("Example:\n  yarrow schema ./db flights");

  const CatalogCommand stats =
      AddCommand(app, action, "stats", "Prints figures of the storage: sizes in bytes, counts, estimates", RunStats);
  AddFormatOption(stats.app, &stats.arguments->format);
  stats.app->footer("The same as `yarrow scan DIR system.stats`.\n\nExample:\n  yarrow stats ./db");

  const CatalogCommand drop = AddCommand(app, action, "drop", "Removes a table with all its rows, for good", RunDrop);
  AddTableName(drop);
  drop.app->footer("Example:\n  yarrow drop ./db flights");
}

}  // namespace yarrow::cli
