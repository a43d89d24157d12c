#include "adbc/ingest.h"

#include <arrow/c/bridge.h>

#include <duckdb/common/adbc/options.h>

#include <duckdb/common/arrow/arrow_wrapper.hpp>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/materialized_query_result.hpp>
#include <duckdb/parser/keyword_helper.hpp>

#include <map>

#include "adbc/error_status.h"
#include "adbc/exact_stream.h"
#include "sql/ingest_function.h"
#include "sql/sql_type.h"
#include "type/type_traits.h"

namespace yarrow::adbc {
namespace {

std::string Quoted(const std::string& name) {
  return duckdb::KeywordHelper::WriteQuoted(name, '"');
}

IngestResult Failed(const duckdb::ErrorData& error) {
  return {.code = StatusOf(error.Message(), ADBC_STATUS_INVALID_ARGUMENT), .message = error.Message(), .rows = 0};
}

// The columns of a table, or nothing when there is none.
std::optional<std::map<std::string, duckdb::LogicalType>> ColumnsOf(duckdb::Connection& connection,
                                                                    const std::string& name) {
  const auto result = connection.Query("FROM " + name + " LIMIT 0");
  if (result->HasError()) return std::nullopt;
  std::map<std::string, duckdb::LogicalType> columns;
  for (duckdb::idx_t i = 0; i < result->ColumnCount(); ++i) {
    columns.emplace(duckdb::StringUtil::Lower(result->names[i]), result->types[i]);
  }
  return columns;
}

std::string Ask(duckdb::Connection& connection, const std::string& function) {
  const auto result = connection.Query("SELECT " + function);
  if (result->HasError()) result->ThrowError();
  return result->GetValue(0, 0).ToString();
}

// All three parts, so that a temporary table of the same name is not meant.
std::string NameOf(duckdb::Connection& connection, const IngestTarget& target) {
  if (target.temporary) return "temp.main." + Quoted(target.table);
  const std::string current = Ask(connection, "current_catalog()");
  const std::string catalog = target.catalog.empty() ? current : target.catalog;
  std::string schema = target.schema;
  if (schema.empty()) schema = catalog == current ? Ask(connection, "current_schema()") : "main";
  return Quoted(catalog) + "." + Quoted(schema) + "." + Quoted(target.table);
}

// The rows in the types of the columns they are appended to, so that DuckDB has nothing to cast.
std::shared_ptr<arrow::RecordBatchReader> RowsFor(const IngestTarget& target,
                                                  const std::map<std::string, duckdb::LogicalType>& columns,
                                                  const std::shared_ptr<arrow::RecordBatchReader>& rows) {
  return ExactStream(rows, "table " + target.table, [&](const arrow::Field& field) -> std::optional<ColumnType> {
    const auto column = columns.find(duckdb::StringUtil::Lower(field.name()));
    if (column == columns.end()) return std::nullopt;
    const auto type = sql::FromLogicalType(column->second);
    if (!type.ok() || !IsBatchTypeArrow(*type)) return ReadableType(field);
    // Text of any form is read as it is.
    const auto own = ColumnType::FromArrow(*field.type());
    return type->is_variable() && own.ok() && *own == *type ? std::nullopt : std::optional(*type);
  });
}

std::string Statement(const IngestTarget& target, const std::string& name, bool appends, const std::string& rows) {
  if (appends) return "INSERT INTO " + name + " BY NAME " + rows;
  return std::string(target.mode == IngestMode::kReplace ? "CREATE OR REPLACE " : "CREATE ") +
         (target.temporary ? "TEMPORARY TABLE " : "TABLE ") + name + " AS " + rows;
}

std::optional<IngestMode> ModeOf(std::string_view text) {
  if (text == ADBC_INGEST_OPTION_MODE_CREATE) return IngestMode::kCreate;
  if (text == ADBC_INGEST_OPTION_MODE_APPEND) return IngestMode::kAppend;
  if (text == ADBC_INGEST_OPTION_MODE_REPLACE) return IngestMode::kReplace;
  if (text == ADBC_INGEST_OPTION_MODE_CREATE_APPEND) return IngestMode::kCreateAppend;
  return std::nullopt;
}

}  // namespace

void IngestOptions::Describe(std::string_view name) {
  if (is_used_ || given_.contains(name)) {
    target_.catalog.clear();
    target_.schema.clear();
    target_.temporary = false;
    given_.clear();
    is_used_ = false;
  }
  given_.emplace(name);
}

IngestOptions::Outcome IngestOptions::Set(std::string_view name, const std::string& value) {
  if (name == ADBC_INGEST_OPTION_MODE) {
    const auto mode = ModeOf(value);
    if (!mode) return Outcome::kBadValue;
    target_.mode = *mode;
  } else if (name == ADBC_INGEST_OPTION_TARGET_TABLE) {
    Describe(name);
    target_.table = value;
  } else if (name == ADBC_INGEST_OPTION_TARGET_CATALOG) {
    Describe(name);
    target_.catalog = value;
  } else if (name == ADBC_INGEST_OPTION_TARGET_DB_SCHEMA) {
    Describe(name);
    target_.schema = value;
  } else if (name == ADBC_INGEST_OPTION_TEMPORARY) {
    if (value != ADBC_OPTION_VALUE_ENABLED && value != ADBC_OPTION_VALUE_DISABLED) return Outcome::kBadValue;
    Describe(name);
    target_.temporary = value == ADBC_OPTION_VALUE_ENABLED;
  } else {
    return Outcome::kUnknown;
  }
  return Outcome::kTaken;
}

std::optional<IngestTarget> IngestOptions::TakeTarget() {
  if (target_.table.empty()) return std::nullopt;
  is_used_ = true;
  return target_;
}

IngestResult Ingest(duckdb::Connection& connection, const IngestTarget& target,
                    const std::shared_ptr<arrow::RecordBatchReader>& rows) {
  if (target.temporary && !(target.catalog.empty() && target.schema.empty())) {
    return {.code = ADBC_STATUS_INVALID_ARGUMENT,
            .message = "Ingest into " + target.table +
                       ": a temporary table is in no catalog or schema of the caller's choice; "
                       "leave these two out",
            .rows = 0};
  }
  try {
    const std::string name = NameOf(connection, target);
    const bool may_append = target.mode == IngestMode::kAppend || target.mode == IngestMode::kCreateAppend;
    const auto columns = may_append ? ColumnsOf(connection, name) : std::nullopt;
    const auto exact =
        columns ? RowsFor(target, *columns, rows) : ExactStream(rows, "table " + target.table, ReadableType);
    duckdb::ArrowArrayStreamWrapper stream;
    const arrow::Status exported = arrow::ExportRecordBatchReader(exact, &stream.arrow_array_stream);
    if (!exported.ok()) return {.code = ADBC_STATUS_INVALID_ARGUMENT, .message = exported.message(), .rows = 0};
    const sql::IngestStream given(*connection.context, &stream.arrow_array_stream);
    const bool appends = target.mode == IngestMode::kAppend || columns.has_value();
    const auto result = connection.Query(Statement(target, name, appends, sql::IngestStream::kSelect));
    if (result->HasError()) return Failed(result->GetErrorObject());
    return {.code = ADBC_STATUS_OK, .message = {}, .rows = result->GetValue(0, 0).GetValue<int64_t>()};
  } catch (const std::exception& exception) {
    return Failed(duckdb::ErrorData(exception));
  }
}

}  // namespace yarrow::adbc
