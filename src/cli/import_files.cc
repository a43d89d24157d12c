#include "cli/import_files.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "batch/exact_cast.h"
#include "cli/csv_line.h"
#include "cli/interrupt.h"
#include "cli/parquet_instants.h"
#include "cli/text_column.h"
#include "sql/arrow_types.h"
#include "type/type_traits.h"

namespace yarrow::cli {
namespace {

namespace fs = std::filesystem;
using arrow::Status;
using sql::FileFormat;

constexpr const char* kStandardInput = "standard input";
constexpr int64_t kBlockBytes = 1 << 20;
constexpr int kPollMilliseconds = 100;

std::string Extension(const fs::path& path) {
  std::string name = path.extension().string();
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

arrow::Result<FileFormat> FormatOfName(const std::string& name) {
  constexpr std::pair<std::string_view, FileFormat> kFormats[] = {
      {"csv", FileFormat::kCsv},         {"tsv", FileFormat::kCsv},          {"json", FileFormat::kJson},
      {"jsonl", FileFormat::kJsonLines}, {"ndjson", FileFormat::kJsonLines}, {"jsonlines", FileFormat::kJsonLines},
      {"parquet", FileFormat::kParquet}, {"pq", FileFormat::kParquet}};
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return Status::KeyError("no format");
}

// By its name: whatever is no JSON or Parquet is CSV, but for names that say that it is something else. As CSV that
// would be some column with an odd name.
arrow::Result<FileFormat> FormatOfFile(const fs::path& path) {
  constexpr std::string_view kOthers[] = {".arrow", ".arrows", ".ipc", ".feather", ".avro", ".orc", ".xlsx",
                                          ".xls",   ".ods",    ".xml", ".zip",     ".bz2",  ".lz4", ".xz"};
  std::string extension = Extension(path);
  if (extension == ".gz" || extension == ".zst") extension = Extension(path.stem());
  if (std::ranges::find(kOthers, extension) != std::end(kOthers)) {
    return Status::Invalid("cannot import '", path.string(), "': files of ", extension,
                           " are not read, only CSV, JSON (these with .gz or .zst, too) and Parquet; convert or ",
                           "decompress it, perhaps into `yarrow import DIR TABLE -`, or name the format with --format");
  }
  const auto format = FormatOfName(extension.empty() ? extension : extension.substr(1));
  return format.ok() ? *format : FileFormat::kCsv;
}

bool IsTabSeparated(const fs::path& path) {
  return Extension(path) == ".tsv" || Extension(path.stem()) == ".tsv";
}

// Reads a compressed file to its end, for DuckDB takes the end of one that was cut for the end of the rows.
Status CheckCompression(const std::string& path) {
  if (!path.ends_with(".gz") && !path.ends_with(".zst")) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto stream, OpenDecompressed(path));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto block, stream->Read(kBlockBytes));
    ARROW_RETURN_NOT_OK(CheckInterrupt());
    if (block->size() == 0) return Status::OK();
  }
}

Status CheckFile(ImportFile* file) {
  std::error_code error;
  const fs::file_status status = fs::status(file->path, error);
  if (!fs::exists(status)) return Status::IOError("there is no file '", file->name, "'");
  if (!fs::is_regular_file(status)) {
    return Status::IOError("'", file->name, "' is no regular file; files are read twice (- is standard input)");
  }
  file->bytes = fs::file_size(file->path, error);
  if (!error) file->changed = fs::last_write_time(file->path, error);
  if (error) return Status::IOError(file->name, ": ", error.message());
  if (file->bytes == 0) return Status::Invalid(file->name, ": the file is empty");
  if (::access(file->path.c_str(), R_OK) != 0) return Status::IOError(file->name, ": ", std::strerror(errno));
  const Status whole = CheckCompression(file->path);
  return whole.ok() || whole.IsCancelled() ? whole : whole.WithMessage(file->name, ": ", whole.message());
}

Status WriteAll(int to, const char* data, ssize_t size) {
  while (size > 0) {
    const ssize_t written = ::write(to, data, static_cast<size_t>(size));
    if (written < 0 && errno != EINTR) return Status::IOError("cannot keep standard input: ", std::strerror(errno));
    if (written > 0) data += written, size -= written;
  }
  return Status::OK();
}

// Files are read twice, and standard input comes once. The file has no name, so that nothing is left of it.
arrow::Result<std::string> SpoolStandardInput(const fs::path& directory) {
  std::string name = (directory / ".yarrow-import-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file < 0) return Status::IOError("cannot write to '", directory.string(), "': ", std::strerror(errno));
  ::unlink(name.c_str());
  std::string block(kBlockBytes, '\0');
  while (true) {
    // A signal reaches another thread, so this one has to look.
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&input, 1, kPollMilliseconds);
    ARROW_RETURN_NOT_OK(CheckInterrupt());
    if (ready == 0) continue;
    const ssize_t got = ::read(STDIN_FILENO, block.data(), block.size());
    if (got < 0 && errno != EINTR) return Status::IOError("cannot read standard input: ", std::strerror(errno));
    if (got == 0) return "/proc/self/fd/" + std::to_string(file);  // open as long as the program runs
    if (got > 0) ARROW_RETURN_NOT_OK(WriteAll(file, block.data(), got));
  }
}

arrow::Result<ImportFile> MakeFile(const std::string& path, const std::string& name, const ImportOptions& options) {
  ImportFile file{.path = path, .name = name, .options = options.csv, .survey = {}, .bytes = 0, .changed = {}};
  if (options.format.empty()) {
    ARROW_ASSIGN_OR_RAISE(file.options.format, FormatOfFile(path));
    if (file.options.delimiter.empty() && IsTabSeparated(path)) file.options.delimiter = "\t";
  } else {
    ARROW_ASSIGN_OR_RAISE(file.options.format, FormatOfName(options.format));
  }
  ARROW_RETURN_NOT_OK(CheckFile(&file));
  return file;
}

// An error of reading the file.
Status InFile(const ImportFile& file, const Status& status) {
  if (status.IsCancelled()) return status;
  const std::string& message = status.message();
  const bool is_too_long = message.find("Maximum line size") != std::string::npos ||
                           message.find("maximum_object_size") != std::string::npos;
  return status.WithMessage(file.name, ": ", message, is_too_long ? "; allow it with --longest-row" : "");
}

// Types that hold the values of both; nothing when only text does.
std::optional<ColumnType> Wider(const ColumnType& a, const ColumnType& b) {
  if (a == b) return a;
  const auto is_number = [](const ColumnType& type) { return type.id == TypeId::kInt64 || type.id == TypeId::kDouble; };
  return is_number(a) && is_number(b) ? std::optional(ColumnType(TypeId::kDouble)) : std::nullopt;
}

// The next type to try for values that a column's first values suggested one for.
ColumnType NextWider(const ColumnType& type) {
  if (type.id == TypeId::kInt64) return TypeId::kDouble;
  if (type.id == TypeId::kTimestamp && type.unit == TimeUnit::kMicro) {
    return ColumnType::Timestamp(TimeUnit::kNano, type.timezone);
  }
  return TypeId::kUtf8;
}

Status CheckColumns(const ImportFile& first, const ImportFile& file) {
  const auto has = [](const ImportFile& in, const std::string& name) {
    return std::ranges::any_of(in.survey.columns, [&](const auto& column) { return column.name == name; });
  };
  for (const auto& column : file.survey.columns) {
    if (has(first, column.name)) continue;
    return Status::Invalid(file.name, ": column ", column.name, " is not in ", first.name,
                           "; files imported together must have the same columns");
  }
  for (const auto& column : first.survey.columns) {
    if (has(file, column.name)) continue;
    return Status::Invalid(file.name, ": there is no column ", column.name, ", which ", first.name,
                           " has; files imported together must have the same columns");
  }
  return Status::OK();
}

Status NameColumns(const ImportOptions& options, ImportFile* file) {
  if (options.column_names.empty() || file->options.format != FileFormat::kCsv) return Status::OK();
  if (options.column_names.size() != file->survey.columns.size()) {
    return Status::Invalid(file->name, ": ", file->survey.columns.size(), " columns, and --names has ",
                           options.column_names.size());
  }
  for (size_t i = 0; i < options.column_names.size(); ++i) file->survey.columns[i].name = options.column_names[i];
  return Status::OK();
}

// The type of a column in all files, unless --type says it.
arrow::Result<ImportColumn> TypeColumn(const sql::FileColumn& first, const std::vector<ImportFile>& files) {
  ImportColumn column{.name = first.name, .type = {}};
  std::optional<ColumnType> type;
  for (const ImportFile& file : files) {
    const auto in_file = std::ranges::find(file.survey.columns, first.name, &sql::FileColumn::name);
    if (!in_file->type && in_file->type_name.starts_with("DECIMAL")) {
      return Status::NotImplemented(file.name, ": column ", first.name, ": a column of type ", in_file->type_name,
                                    " cannot be stored: 38 digits are the most");
    }
    if (!in_file->type) {
      return Status::NotImplemented(file.name, ": column ", first.name, ": columns of type ", in_file->type_name,
                                    " cannot be stored; keep it as text with --type ", first.name, "=VARCHAR");
    }
    column.is_inferred = file.options.format != FileFormat::kParquet;
    const std::optional<ColumnType> both = type ? Wider(*type, *in_file->type) : *in_file->type;
    if (!both && !column.is_inferred) {
      return Status::Invalid("column ", first.name, " is ", type->ToString(), " in ", files[0].name,
                             " and of another type in ", file.name, "; choose one: --type ", first.name, "=",
                             type->ToString());
    }
    type = both ? *both : ColumnType(TypeId::kUtf8);
  }
  column.type = *type;
  return column;
}

bool IsJson(FileFormat format) {
  return format == FileFormat::kJson || format == FileFormat::kJsonLines;
}

// NULL for the texts that stand for it, in quotes too.
arrow::Result<std::shared_ptr<arrow::StringArray>> WithNulls(const std::shared_ptr<arrow::Array>& cells,
                                                             const std::vector<std::string>& null_texts) {
  const auto texts = std::static_pointer_cast<arrow::StringArray>(cells);
  const auto stands_for_it = [&](int64_t row) {
    return !texts->IsNull(row) && std::ranges::find(null_texts, texts->GetView(row)) != null_texts.end();
  };
  int64_t first = 0;
  while (first < texts->length() && !stands_for_it(first)) ++first;
  if (first == texts->length()) return texts;
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < texts->length(); ++row) {
    const bool is_null = texts->IsNull(row) || stands_for_it(row);
    ARROW_RETURN_NOT_OK(is_null ? builder.AppendNull() : builder.Append(texts->GetView(row)));
  }
  ARROW_ASSIGN_OR_RAISE(const auto made, builder.Finish());
  return std::static_pointer_cast<arrow::StringArray>(made);
}

// What ImportReader gives for a column.
std::shared_ptr<arrow::DataType> ArrowTypeOf(const ColumnType& type, FileFormat format, sql::FileReader* reader) {
  const bool is_file_of_text = format != FileFormat::kParquet;
  if (is_file_of_text && sql::HasSqlText(type)) return arrow::utf8();
  if (!type.is_nested()) return IsBatchTypeArrow(type) ? type.ToArrow() : arrow::utf8();
  int64_t bad_row = 0;
  const auto none = arrow::MakeArrayOfNull(arrow::utf8(), 0);
  if (!is_file_of_text || !none.ok()) return type.ToArrow();
  const auto parts = reader->ParseNested(static_cast<const arrow::StringArray&>(**none), type, format, &bad_row);
  return parts.ok() ? (*parts)->type() : type.ToArrow();
}

std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<ImportColumn>& columns, FileFormat format,
                                        sql::FileReader* reader) {
  arrow::FieldVector fields;
  for (const ImportColumn& column : columns) {
    fields.push_back(arrow::field(column.name, ArrowTypeOf(column.type, format, reader), column.nullable));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace

arrow::Result<std::vector<ImportFile>> FindFiles(const std::vector<std::string>& arguments,
                                                 const ImportOptions& options, const fs::path& spool_directory,
                                                 sql::FileReader* reader) {
  std::vector<ImportFile> files;
  for (const std::string& argument : arguments) {
    std::vector<std::string> paths{argument};
    std::error_code error;
    const bool is_pattern = argument.find_first_of("*?[") != std::string::npos && !fs::exists(argument, error);
    if (is_pattern) {
      ARROW_ASSIGN_OR_RAISE(paths, reader->Find(argument));
      if (paths.empty()) return Status::IOError("no file matches '", argument, "'");
    }
    for (const std::string& path : paths) {
      if (argument != "-") {
        ARROW_ASSIGN_OR_RAISE(auto file, MakeFile(path, path, options));
        files.push_back(std::move(file));
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const std::string spooled, SpoolStandardInput(spool_directory));
      ImportOptions as_told = options;
      if (as_told.format.empty()) as_told.format = "csv";
      ARROW_ASSIGN_OR_RAISE(auto file, MakeFile(spooled, kStandardInput, as_told));
      files.push_back(std::move(file));
    }
  }
  return files;
}

arrow::Result<std::vector<ImportColumn>> SurveyFiles(const ImportOptions& options, std::vector<ImportFile>* files,
                                                     sql::FileReader* reader) {
  for (ImportFile& file : *files) {
    auto survey = reader->Survey(file.path, file.options);
    ARROW_RETURN_NOT_OK(CheckInterrupt());
    if (!survey.ok()) return InFile(file, survey.status());
    file.survey = *std::move(survey);
    std::vector<std::string> instants;
    for (const auto& column : file.survey.columns) {
      if (column.may_be_finer) instants.push_back(column.name);
    }
    const Status checked = CheckInstants(file.path, instants);
    ARROW_RETURN_NOT_OK(CheckInterrupt());
    if (!checked.ok()) return checked.WithMessage(file.name, ": ", checked.message());
    ARROW_RETURN_NOT_OK(NameColumns(options, &file));
    ARROW_RETURN_NOT_OK(CheckColumns(files->front(), file));
  }
  std::vector<ImportColumn> columns;
  for (const sql::FileColumn& column : files->front().survey.columns) {
    if (const auto known = options.types.find(column.name); known != options.types.end()) {
      columns.push_back({.name = column.name, .type = known->second});
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(auto typed, TypeColumn(column, *files));
    columns.push_back(std::move(typed));
  }
  return columns;
}

ImportReader::ImportReader(const std::vector<ImportFile>& files, std::vector<ImportColumn> columns,
                           sql::FileReader* reader, ProgressBar* progress)
    : files_(files),
      columns_(std::move(columns)),
      schema_(SchemaOf(columns_, files[0].options.format, reader)),
      reader_(reader),
      progress_(progress) {
  for (const ImportFile& file : files_) total_bytes_ += file.bytes;
  progress_->Begin("loading");
}

arrow::Status ImportReader::BadCell(int64_t row, const ImportColumn& column, const std::string& what) {
  const ImportFile& file = files_[at_];
  const int64_t number = file_rows_ + row;
  std::string place = "row " + std::to_string(number + 1);
  if (file.options.format == FileFormat::kCsv) {
    ARROW_ASSIGN_OR_RAISE(const int64_t line,
                          LineOfRow(file.path, {file.options.has_header, file.survey.columns.size()}, number));
    place = "line " + std::to_string(line);
  }
  return Status::Invalid(file.name, ": ", place, ": column ", column.name, ": ", what);
}

arrow::Result<std::shared_ptr<arrow::Array>> ImportReader::ConvertColumn(const std::shared_ptr<arrow::Array>& cells,
                                                                         ImportColumn* column) {
  const bool is_text = cells->type_id() == arrow::Type::STRING;
  // Values of other types are converted, or refused, where the table takes them.
  if (!is_text || column->type.id == TypeId::kUtf8) return cells;
  if (column->type.is_nested() || column->type.id == TypeId::kJson || sql::HasSqlText(column->type))
    return ConvertNested(cells, *column);
  while (true) {
    int64_t bad_row = 0;
    auto parsed = ParseTexts(static_cast<const arrow::BinaryArray&>(*cells), column->type,
                             files_[at_].options.null_texts, &bad_row);
    if (parsed.ok()) return parsed;
    if (!column->is_inferred) return BadCell(bad_row, *column, parsed.status().message());
    column->type = NextWider(column->type);
    must_restart_ = true;
    if (column->type.id == TypeId::kUtf8) return cells;
  }
}

// Values that SQL alone has a text of stay text: an INSERT takes them (ImportTarget::Load).
arrow::Result<std::shared_ptr<arrow::Array>> ImportReader::ConvertNested(const std::shared_ptr<arrow::Array>& cells,
                                                                         const ImportColumn& column) {
  const FileFormat format = files_[at_].options.format;
  if (sql::HasSqlText(column.type)) {
    if (format == FileFormat::kCsv || !column.type.is_nested()) return cells;
    return Status::NotImplemented(files_[at_].name, ": column ", column.name, ": values of type ",
                                  column.type.ToString(),
                                  " are not read from JSON; use INSERT ... SELECT ... FROM read_json(...)");
  }
  if (column.type.id == TypeId::kJson && IsJson(format)) return cells;
  int64_t bad_row = 0;
  ARROW_ASSIGN_OR_RAISE(const auto texts, WithNulls(cells, files_[at_].options.null_texts));
  auto values = reader_->ParseNested(*texts, column.type, format, &bad_row);
  if (!values.ok() && bad_row < 0) return InFile(files_[at_], values.status());
  if (!values.ok()) return BadCell(bad_row, column, values.status().message());
  batch::Misfit misfit{-1, {}};
  if (batch::ExactCast(*values, column.type, &misfit).ok()) return values;
  for (int64_t row = 0; row < (*values)->length(); ++row) {
    const Status exact = batch::ExactCast((*values)->Slice(row, 1), column.type, &misfit).status();
    if (!exact.ok()) return BadCell(row, column, exact.message());
  }
  return values;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ImportReader::Convert(const arrow::RecordBatch& rows) {
  arrow::ArrayVector arrays;
  arrow::FieldVector fields;
  for (ImportColumn& column : columns_) {
    const std::shared_ptr<arrow::Array> cells = rows.GetColumnByName(column.name);
    if (cells == nullptr) return Status::Invalid(files_[at_].name, ": there is no column ", column.name);
    ARROW_ASSIGN_OR_RAISE(auto array, ConvertColumn(cells, &column));
    if (!column.nullable && array->null_count() > 0) {
      int64_t row = 0;
      while (array->IsValid(row)) ++row;
      return BadCell(row, column, column.in_key ? "NULL in the primary key" : "NULL in a NOT NULL column");
    }
    fields.push_back(arrow::field(column.name, array->type(), column.nullable));
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows.num_rows(), std::move(arrays));
}

// Whoever writes to a file while it is read may have changed what was read before.
arrow::Status ImportReader::FinishFile() {
  const ImportFile& file = files_[at_];
  std::error_code error;
  const bool is_same =
      fs::file_size(file.path, error) == file.bytes && fs::last_write_time(file.path, error) == file.changed;
  if (error || !is_same) return Status::IOError(file.name, ": the file changed while it was read");
  rows_ = nullptr;
  file_rows_ = 0;
  bytes_done_ += file.bytes;
  return Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ImportReader::Next() {
  while (true) {
    if (at_ == files_.size()) return nullptr;
    const ImportFile& file = files_[at_];
    if (rows_ == nullptr) {
      sql::FileSurvey survey = file.survey;
      for (sql::FileColumn& column : survey.columns) {
        const auto typed = std::ranges::find(columns_, column.name, &ImportColumn::name);
        column.is_json = IsJson(file.options.format) && typed != columns_.end() && typed->type.id == TypeId::kJson;
      }
      auto rows = reader_->Read(file.path, file.options, survey);
      if (!rows.ok()) return InFile(file, rows.status());
      rows_ = *std::move(rows);
    }
    std::shared_ptr<arrow::RecordBatch> batch;
    if (const Status read = rows_->ReadNext(&batch); !read.ok()) return InFile(file, read);
    ARROW_RETURN_NOT_OK(CheckInterrupt());
    if (batch == nullptr) {
      ARROW_RETURN_NOT_OK(FinishFile());
      ++at_;
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(auto converted, Convert(*batch));
    file_rows_ += batch->num_rows();
    all_rows_ += batch->num_rows();
    ShowProgress();
    if (!must_restart_) return converted;
  }
}

void ImportReader::ShowProgress() {
  const double share = reader_->Progress().value_or(0) * static_cast<double>(files_[at_].bytes);
  progress_->Update((static_cast<double>(bytes_done_) + share) / static_cast<double>(total_bytes_), all_rows_);
}

arrow::Status ImportReader::ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
  auto next = Next();
  if (!next.ok()) return failure_ = next.status();
  if (must_restart_) return failure_ = Status::Invalid("columns are of other types than their first values");
  *batch = *std::move(next);
  if (*batch == nullptr) progress_->Begin("sorting");
  return Status::OK();
}

}  // namespace yarrow::cli
