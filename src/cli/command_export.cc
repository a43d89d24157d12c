// yarrow export: the rows of a table into a file.
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "batch/array_form.h"
#include "batch/exact_cast.h"
#include "cli/cell_text.h"
#include "cli/command.h"
#include "cli/condition_scan.h"
#include "cli/interrupt.h"
#include "cli/progress_bar.h"
#include "cli/shown_type.h"
#include "type/type_traits.h"

namespace yarrow::cli {
namespace {

namespace fs = std::filesystem;
using arrow::Status;

enum class ExportFormat { kCsv, kParquet, kJson, kJsonLines };

struct ExportArguments {
  TableAddress address;
  std::string file;
  std::string format;  // empty: by the file's name
  RowSelection rows;
  bool quiet = false;
};

constexpr const char* kExportFooter =
    "Rows come in the order of the primary key, from one snapshot of the table: writers are\n"
    "not held up. A file of that name is replaced when the new one is complete; after an\n"
    "error or Ctrl-C it is as it was. `yarrow import` reads CSV and Parquet files back.\n"
    "\n"
    "Examples:\n"
    "  yarrow export ./db flights flights.parquet\n"
    "  yarrow export ./db flights late.csv --where \"dep_delay > 300\" --columns carrier,flight,dep_delay";

arrow::Result<ExportFormat> FormatOf(const ExportArguments& arguments) {
  constexpr std::pair<std::string_view, ExportFormat> kNames[] = {
      {"csv", ExportFormat::kCsv},         {"parquet", ExportFormat::kParquet},
      {"json", ExportFormat::kJson},       {"jsonlines", ExportFormat::kJsonLines},
      {"jsonl", ExportFormat::kJsonLines}, {"ndjson", ExportFormat::kJsonLines}};
  std::string name = arguments.format;
  if (name.empty()) {
    name = fs::path(arguments.file).extension().string();
    if (!name.empty()) name.erase(0, 1);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  }
  for (const auto& [known, format] : kNames) {
    if (known == name) return format;
  }
  return Status::Invalid("'", arguments.format.empty() ? arguments.file : arguments.format,
                         "' does not say which format: name it with --format csv|parquet|json|jsonlines");
}

CellForm FormOf(ExportFormat format) {
  if (format == ExportFormat::kParquet) return CellForm::kArrow;
  return format == ExportFormat::kCsv ? CellForm::kText : CellForm::kJson;
}

// Row groups of `kGroupRows` rows, compressed.
class ParquetWriter : public RowWriter {
 public:
  static arrow::Result<std::unique_ptr<RowWriter>> Make(const arrow::Schema& schema, const TableDefinition& table,
                                                        arrow::io::OutputStream* out) {
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::ZSTD)->max_row_group_length(kGroupRows);
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    // The stream outlives the writer.
    const std::shared_ptr<arrow::io::OutputStream> borrowed(out, [](auto*) {});
    std::unique_ptr<ParquetWriter> made(new ParquetWriter(schema, table));
    ARROW_ASSIGN_OR_RAISE(made->writer_,
                          parquet::arrow::FileWriter::Open(*made->schema_, arrow::default_memory_pool(), borrowed,
                                                           properties.build(), arrow_properties));
    return std::unique_ptr<RowWriter>(std::move(made));
  }
  Status Write(const arrow::RecordBatch& batch) override {
    arrow::ArrayVector columns = batch.columns();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!types_[i]) continue;
      auto stored = ToStored(columns[i], *types_[i]);
      if (!stored.ok()) {
        return stored.status().WithMessage("column ", schema_->field(static_cast<int>(i))->name(), ": ",
                                           stored.status().message());
      }
      columns[i] = *std::move(stored);
    }
    return writer_->WriteRecordBatch(*arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns)));
  }
  Status Finish() override { return writer_->Close(); }

 private:
  static constexpr int64_t kGroupRows = 122'880;
  // What Parquet lacks, such as intervals, is written as in the files of segments.
  ParquetWriter(const arrow::Schema& schema, const TableDefinition& table) {
    arrow::FieldVector fields = schema.fields();
    for (auto& field : fields) {
      const auto type = ShownType(*field, &table);
      const bool is_other = type.ok() && !IsBatchTypeArrow(*type) && !IsText(*type);
      types_.push_back(is_other ? std::optional(*type) : std::nullopt);
      if (is_other) field = field->WithType(batch::TypeOfForm(*type, batch::ArrayForm::kParquet));
    }
    schema_ = arrow::schema(std::move(fields));
  }
  static arrow::Result<std::shared_ptr<arrow::Array>> ToStored(const std::shared_ptr<arrow::Array>& values,
                                                               const ColumnType& type) {
    batch::Misfit misfit{-1, {}};
    ARROW_ASSIGN_OR_RAISE(const auto exact, batch::ExactCast(values, type, &misfit));
    return batch::ToForm(exact, type, batch::ArrayForm::kParquet);
  }
  std::vector<std::optional<ColumnType>> types_;  // of the columns that are written in another form
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

arrow::Result<std::unique_ptr<RowWriter>> MakeWriter(ExportFormat format, const arrow::Schema& schema,
                                                     const TableDefinition& table, arrow::io::OutputStream* out) {
  switch (format) {
    case ExportFormat::kCsv:
      return MakeRowWriter(OutputFormat::kCsv, schema, out, &table);
    case ExportFormat::kJson:
      return MakeRowWriter(OutputFormat::kJson, schema, out, &table);
    case ExportFormat::kJsonLines:
      return MakeRowWriter(OutputFormat::kJsonLines, schema, out, &table);
    case ExportFormat::kParquet:
      break;
  }
  return ParquetWriter::Make(schema, table, out);
}

// A file beside the wanted one, which it replaces when it is complete; removed if that never comes.
class ReplacingFile {
 public:
  explicit ReplacingFile(const std::string& path)
      : path_(path), partial_(path + ".partial-" + std::to_string(::getpid())) {}
  ~ReplacingFile() {
    std::error_code ignored;
    if (!is_done_) fs::remove(partial_, ignored);
  }
  ReplacingFile(const ReplacingFile&) = delete;
  ReplacingFile& operator=(const ReplacingFile&) = delete;

  const std::string& partial() const { return partial_; }
  Status Replace() {
    std::error_code error;
    fs::rename(partial_, path_, error);
    if (error) return Status::IOError("cannot write '", path_, "': ", error.message());
    is_done_ = true;
    return Status::OK();
  }

 private:
  const std::string path_;
  const std::string partial_;
  bool is_done_ = false;
};

arrow::Result<int64_t> WriteRows(TableScan* scan, RowWriter* writer, ProgressBar* progress) {
  const CancelOnInterrupt cancel([scan] { scan->Cancel(); });
  int64_t rows = 0;
  progress->Begin("exporting");
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    const Status read = scan->ReadNext(&batch);
    if (InterruptSignal() != 0) return Status::Cancelled("cancelled; nothing was exported");
    ARROW_RETURN_NOT_OK(read);
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(writer->Write(*batch));
    rows += batch->num_rows();
    progress->Update(-1, rows);
  }
  ARROW_RETURN_NOT_OK(writer->Finish());
  return rows;
}

Status RunExport(const ExportArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const ExportFormat format, FormatOf(arguments));
  ARROW_ASSIGN_OR_RAISE(const OpenedTable opened, OpenTable(arguments.address));
  const auto start = std::chrono::steady_clock::now();
  ARROW_ASSIGN_OR_RAISE(const auto scan, OpenScan(opened, arguments.rows, {.form = FormOf(format)}));
  ReplacingFile file(arguments.file);
  ARROW_ASSIGN_OR_RAISE(const auto out, arrow::io::FileOutputStream::Open(file.partial()));
  ARROW_ASSIGN_OR_RAISE(const auto writer, MakeWriter(format, *scan->schema(), opened.table->definition(), out.get()));
  ProgressBar progress(arguments.quiet);
  ARROW_ASSIGN_OR_RAISE(const int64_t rows, WriteRows(scan.get(), writer.get(), &progress));
  ARROW_RETURN_NOT_OK(out->Close());
  ARROW_RETURN_NOT_OK(file.Replace());
  progress.Clear();
  if (arguments.quiet) return Status::OK();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return StandardOutput()->Write(fmt::format("exported {} rows of {} to {} in {:.2f} s\n",
                                             GroupDigits(static_cast<uint64_t>(rows)), arguments.address.table,
                                             arguments.file, elapsed.count()));
}

}  // namespace

void AddExportCommand(CLI::App* app, Action* action) {
  const auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = app->add_subcommand("export", "Writes the rows of a table to a CSV, Parquet or JSON file");
  AddTableOptions(command, &arguments->address);
  command->add_option("FILE", arguments->file, "File to write; its extension says the format")->required();
  command->add_option("--format", arguments->format, "csv, parquet, json (an array) or jsonlines (an object a line)")
      ->type_name("FORMAT");
  AddSelectionOptions(command, &arguments->rows);
  command->add_flag("--quiet", arguments->quiet, "Print nothing but errors");
  command->footer(kExportFooter);
  command->callback([arguments, action] { *action = [arguments] { return RunExport(*arguments); }; });
}

}  // namespace yarrow::cli
