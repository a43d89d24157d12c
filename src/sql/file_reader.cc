#include "sql/file_reader.h"

#include <duckdb/common/string_util.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

#include "sql/arrow_types.h"
#include "sql/duckdb_instance.h"
#include "sql/nested_texts.h"
#include "sql/query_reader.h"
#include "sql/sql_type.h"
#include "sql/statement_retry.h"
#include "type/type_traits.h"

namespace yarrow::sql {
namespace {

using arrow::Status;

constexpr const char* kQuotes = "quote = '\"', escape = '\"'";
constexpr const char* kDelimiters = ",;\t|";

std::string Quoted(const std::string& text) {
  return duckdb::Value(text).ToSQLString();
}

std::string ListOf(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + Quoted(text);
  return "[" + list + "]";
}

// Of DuckDB's message what says what is wrong, without its advice, the options it was called with, and the statement.
Status Shortened(const Status& status) {
  std::string message = status.message();
  for (const char* const end : {"\nPossible ", "\n\nPossible ", "\nThe search space", "\n\nColumn ", "\nTry ",
                                "\n\nLINE ", "\n\n  file ", "\n  file "}) {
    message.resize(std::min(message.find(end), message.size()));
  }
  const size_t at = message.rfind("CSV Error on Line");
  if (at != std::string::npos) message.erase(0, at);
  constexpr std::string_view kLine = "Original Line: ";
  constexpr size_t kMostShown = 200;
  const size_t line = message.find(kLine);
  if (line != std::string::npos) {
    const size_t end = std::min(message.rfind('\n'), message.size());
    const size_t begin = line + kLine.size() + kMostShown;
    if (begin < end) message.replace(begin, end - begin, "...");
  }
  for (size_t i = message.find('\n'); i != std::string::npos; i = message.find('\n', i)) {
    message.replace(i, 1, i + 1 == message.size() ? "" : ": ");
  }
  return status.WithMessage(message);
}

// The rows of a query, with errors cut short.
class ShortErrors : public arrow::RecordBatchReader {
 public:
  explicit ShortErrors(std::shared_ptr<arrow::RecordBatchReader> rows) : rows_(std::move(rows)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    const Status read = rows_->ReadNext(batch);
    return read.ok() ? read : Shortened(read);
  }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> rows_;
};

// What both the look at a CSV file and its reading are told, so that both see the same rows.
std::string CsvArguments(const std::string& path, const FileOptions& options, const std::string& delimiter) {
  std::string arguments = Quoted(path) + ", header = " + (options.has_header ? "true" : "false");
  arguments += std::string(", ") + kQuotes + ", comment = '', skip = 0, nullstr = " + ListOf(options.null_texts);
  if (!delimiter.empty()) arguments += ", delim = " + Quoted(delimiter);
  if (options.most_row_bytes > 0) arguments += ", max_line_size = " + std::to_string(options.most_row_bytes);
  return arguments;
}

std::string JsonArguments(const std::string& path, const FileOptions& options) {
  std::string arguments = Quoted(path) + ", records = 'true', hive_partitioning = false, format = ";
  arguments += options.format == FileFormat::kJsonLines ? "'newline_delimited'" : "'auto'";
  if (options.most_row_bytes > 0) arguments += ", maximum_object_size = " + std::to_string(options.most_row_bytes);
  return arguments;
}

std::string AllText(const FileSurvey& survey) {
  std::string columns;
  for (const FileColumn& column : survey.columns) {
    columns += (columns.empty() ? "" : ", ") + Quoted(column.name) + (column.is_json ? ": 'JSON'" : ": 'VARCHAR'");
  }
  return ", columns = {" + columns + "}";
}

// All columns as text. What has quotes is text, whatever it says.
std::string CsvCall(const std::string& path, const FileOptions& options, const FileSurvey& survey) {
  return "read_csv(" + CsvArguments(path, options, survey.delimiter) +
         ", auto_detect = false, allow_quoted_nulls = false, hive_partitioning = false" + AllText(survey) + ")";
}

FileColumn MakeColumn(const std::string& name, const duckdb::LogicalType& type) {
  FileColumn column{.name = name, .type = {}, .type_name = type.ToString()};
  const auto own = FromLogicalType(type);
  if (type.IsJSONType()) {
    column.type = ColumnType(TypeId::kUtf8);  // values of several types
  } else if (type.id() == duckdb::LogicalTypeId::HUGEINT) {
    column.type = ColumnType::Decimal(38, 0);
  } else if (own.ok() && (IsBatchTypeArrow(*own) || IsNestedOfArrow(*own))) {
    column.type = *own;
  }
  return column;
}

}  // namespace

struct FileReader::Impl {
  std::unique_ptr<duckdb::DuckDB> duckdb;
  std::unique_ptr<duckdb::Connection> connection;
  std::unique_ptr<duckdb::Connection> casts;  // for what is done while rows of the other one are on their way

  arrow::Result<duckdb::unique_ptr<duckdb::MaterializedQueryResult>> Query(const std::string& sql) {
    auto result = connection->Query(sql);
    if (result->HasError()) return Shortened(ToStatus(result->GetErrorObject()));
    return result;
  }

  arrow::Result<FileSurvey> SniffCsv(const std::string& arguments, const FileOptions& options) {
    ARROW_ASSIGN_OR_RAISE(
        const auto result,
        Query("SELECT delimiter, timestampformat, c.name, c.type FROM (SELECT delimiter, timestampformat, "
              "unnest(columns) AS c FROM sniff_csv(" +
              arguments + ", dateformat = '%Y-%m-%d'))"));
    FileSurvey survey;
    for (duckdb::idx_t row = 0; row < result->RowCount(); ++row) {
      survey.delimiter = result->GetValue(0, row).ToString();
      FileColumn column{.name = result->GetValue(2, row).ToString(), .type = {}, .type_name = {}};
      if (!options.has_header) column.name = "column" + std::to_string(row + 1);
      column.type_name = result->GetValue(3, row).ToString();
      ARROW_ASSIGN_OR_RAISE(column.type, ColumnType::Parse(column.type_name));
      // A guess of which number is the day: the text stays as it is.
      const bool is_guessed = column.type->id == TypeId::kTimestamp && !result->GetValue(1, row).IsNull();
      if (is_guessed) column.type = ColumnType(TypeId::kUtf8);
      survey.columns.push_back(std::move(column));
    }
    return survey;
  }

  // The line at fault in a file that DuckDB makes nothing of, such as one with a quote that never ends: with the names
  // as they are without quotes, reading comes to it. `otherwise`: what is said if that finds nothing.
  Status FindFault(const std::string& path, const FileOptions& options, const std::string& delimiter,
                   const Status& otherwise) {
    std::string arguments = CsvArguments(path, options, delimiter);
    const size_t quotes = arguments.find(kQuotes);
    arguments.replace(quotes, std::string(kQuotes).size(), "quote = '', escape = ''");
    const auto names = SniffCsv(arguments + ", ignore_errors = true", options);
    if (!names.ok()) return otherwise;
    const Status read = Query("SELECT count(*) FROM " + CsvCall(path, options, *names)).status();
    return read.ok() ? otherwise : read;
  }

  // DuckDB takes a file whose rows differ in length with one delimiter for one without any; then the header says which
  // it is, and reading names the row.
  arrow::Result<FileSurvey> SurveyCsv(const std::string& path, const FileOptions& options) {
    auto survey = SniffCsv(CsvArguments(path, options, options.delimiter), options);
    if (survey.ok() && (survey->columns.size() > 1 || !options.delimiter.empty())) return survey;
    if (!survey.ok() && survey.status().IsCancelled()) return survey;
    std::string delimiter = options.delimiter.empty() ? "," : options.delimiter;
    if (options.delimiter.empty() && survey.ok() && options.has_header) {
      const size_t at = survey->columns[0].name.find_first_of(kDelimiters);
      if (at != std::string::npos) delimiter = survey->columns[0].name[at];
    }
    auto names = SniffCsv(CsvArguments(path, options, delimiter) + ", ignore_errors = true", options);
    return names.ok() ? names : FindFault(path, options, delimiter, names.status());
  }

  // What DuckDB reads as something else than the file has: decimals of more digits than it knows become DOUBLE.
  Status CompareWithSchema(const std::string& path, FileSurvey* survey) {
    ARROW_ASSIGN_OR_RAISE(const auto schema,
                          Query("SELECT name, precision, scale, type = 'INT96' OR (logical_type LIKE 'TimestampType%' "
                                "AND logical_type LIKE "
                                "'%isAdjustedToUTC=1%' AND logical_type LIKE '%NanoSeconds%') FROM parquet_schema(" +
                                Quoted(path) + ")"));
    for (duckdb::idx_t row = 0; row < schema->RowCount(); ++row) {
      const auto column = std::ranges::find(survey->columns, schema->GetValue(0, row).ToString(), &FileColumn::name);
      if (column == survey->columns.end()) continue;
      const duckdb::Value finer = schema->GetValue(3, row), precision = schema->GetValue(1, row);
      column->may_be_finer =
          column->type && column->type->id == TypeId::kTimestamp && !finer.IsNull() && duckdb::BooleanValue::Get(finer);
      if (column->type != ColumnType(TypeId::kDouble) || precision.IsNull()) continue;
      column->type = std::nullopt;
      column->type_name = "DECIMAL(" + precision.ToString() + "," + schema->GetValue(2, row).ToString() + ")";
    }
    return Status::OK();
  }

  // DuckDB gives keys that are empty, or differ in case only, names of its own, under which nothing is read then.
  Status CheckKeys(const std::string& path, const FileOptions& options, const FileSurvey& survey) {
    for (const FileColumn& column : survey.columns) {
      const std::string& name = column.name;
      const size_t letters = name.find_last_not_of("0123456789") + 1;
      if (letters == 0 || letters == name.size()) continue;
      const auto is_base = [&](const FileColumn& other) {
        return duckdb::StringUtil::CIEquals(other.name, name.substr(0, letters - 1));
      };
      const bool may_be_made =
          name.substr(0, letters) == "C" || (name[letters - 1] == '_' && std::ranges::any_of(survey.columns, is_base));
      if (!may_be_made) continue;
      ARROW_ASSIGN_OR_RAISE(const auto found, Query("SELECT 1 FROM read_json(" + JsonArguments(path, options) +
                                                    AllText({.columns = {column}, .delimiter = {}}) +
                                                    ") AS t(v) WHERE v IS NOT NULL LIMIT 1"));
      if (found->RowCount() > 0) continue;
      return Status::Invalid("column ", name, ": a key is empty, has no values, or differs from another in case only; ",
                             "rename it");
    }
    return Status::OK();
  }

  arrow::Result<FileSurvey> Describe(const std::string& call) {
    FileSurvey survey;
    const auto prepared = connection->Prepare("SELECT * FROM " + call);
    if (prepared->HasError()) return Shortened(ToStatus(prepared->error));
    for (duckdb::idx_t i = 0; i < prepared->ColumnCount(); ++i) {
      survey.columns.push_back(MakeColumn(prepared->GetNames()[i], prepared->GetTypes()[i]));
    }
    return survey;
  }
};

FileReader::FileReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileReader::~FileReader() = default;

arrow::Result<std::unique_ptr<FileReader>> FileReader::Open() {
  auto impl = std::make_unique<Impl>();
  ARROW_RETURN_NOT_OK(Try([&] { impl->duckdb = OpenDuckDb(); }));
  impl->connection = std::make_unique<duckdb::Connection>(*impl->duckdb);
  impl->casts = std::make_unique<duckdb::Connection>(*impl->duckdb);
  for (const char* const setting : {"TimeZone = 'UTC'", "enable_progress_bar = true",
                                    "enable_progress_bar_print = false", "progress_bar_time = 0"}) {
    ARROW_RETURN_NOT_OK(impl->Query(std::string("SET ") + setting).status());
  }
  return std::unique_ptr<FileReader>(new FileReader(std::move(impl)));
}

arrow::Result<std::vector<std::string>> FileReader::Find(const std::string& pattern) {
  ARROW_ASSIGN_OR_RAISE(const auto result,
                        impl_->Query("SELECT file FROM glob(" + Quoted(pattern) + ") ORDER BY file"));
  std::vector<std::string> paths;
  for (duckdb::idx_t row = 0; row < result->RowCount(); ++row) paths.push_back(result->GetValue(0, row).ToString());
  return paths;
}

arrow::Result<FileSurvey> FileReader::Survey(const std::string& path, const FileOptions& options) {
  switch (options.format) {
    case FileFormat::kCsv:
      return impl_->SurveyCsv(path, options);
    case FileFormat::kJson:
    case FileFormat::kJsonLines: {
      ARROW_ASSIGN_OR_RAISE(FileSurvey survey,
                            impl_->Describe("read_json(" + JsonArguments(path, options) + ", sample_size = -1)"));
      ARROW_RETURN_NOT_OK(impl_->CheckKeys(path, options, survey));
      return survey;
    }
    case FileFormat::kParquet:
      break;
  }
  ARROW_ASSIGN_OR_RAISE(FileSurvey survey,
                        impl_->Describe("read_parquet(" + Quoted(path) + ", hive_partitioning = false)"));
  ARROW_RETURN_NOT_OK(impl_->CompareWithSchema(path, &survey));
  return survey;
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> FileReader::Read(const std::string& path,
                                                                          const FileOptions& options,
                                                                          const FileSurvey& survey) {
  std::string call;
  switch (options.format) {
    case FileFormat::kCsv:
      call = CsvCall(path, options, survey);
      break;
    case FileFormat::kJson:
    case FileFormat::kJsonLines:
      call = "read_json(" + JsonArguments(path, options) + AllText(survey) + ")";
      break;
    case FileFormat::kParquet:
      call = "read_parquet(" + Quoted(path) + ", hive_partitioning = false)";
      break;
  }
  auto result = impl_->connection->SendQuery("SELECT * FROM " + call);
  if (result->HasError()) return Shortened(ToStatus(result->GetErrorObject()));
  ARROW_ASSIGN_OR_RAISE(auto rows, QueryReader::Make(std::move(result), NestedValues::kAsArrow));
  return std::make_shared<ShortErrors>(std::move(rows));
}

arrow::Result<std::shared_ptr<arrow::Array>> FileReader::ParseNested(const arrow::StringArray& texts,
                                                                     const ColumnType& type, FileFormat format,
                                                                     int64_t* bad_row) {
  const bool is_json = format == FileFormat::kJson || format == FileFormat::kJsonLines;
  return ParseNestedTexts(*impl_->casts->context, texts, type, is_json, bad_row);
}

std::optional<double> FileReader::Progress() const {
  const double percent = impl_->connection->context->GetQueryProgress().GetPercentage();
  return percent < 0 ? std::nullopt : std::optional(percent / 100);
}

void FileReader::Cancel() {
  CancelFromNowOn(*impl_->connection);
}

}  // namespace yarrow::sql
