#include "sql/job_functions.h"

#include <memory>
#include <string>
#include <utility>

#include "flush/row_expiry.h"
#include "flush/table_compaction.h"
#include "flush/table_flush.h"
#include "sql/call_function.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"

namespace yarrow::sql {
namespace {

using BindInput = duckdb::TableFunctionBindInput;
using duckdb::ClientContext;
using duckdb::DataChunk;
using duckdb::LogicalType;

void SetNumbers(DataChunk& row, std::initializer_list<int64_t> numbers) {
  duckdb::idx_t column = 0;
  for (const int64_t number : numbers) row.SetValue(column++, 0, duckdb::Value::BIGINT(number));
}

CallAction BindFlush(const TableFunctionArguments& arguments, const BindInput& input) {
  FlushOptions options;
  for (const auto& [option, value] : input.named_parameters) {
    if (option == "max_segment_rows") {
      options.max_segment_rows = arguments.RowCount(option, value);
    } else if (option == "min_user_rows") {
      options.min_user_rows = arguments.RowCount(option, value);
    } else if (option == "compact") {
      options.compact = arguments.Flag(option, value);
    } else {
      options.optimize_for = arguments.Layout(value);
    }
  }
  return [table = arguments.Table(input.inputs[0]), options](ClientContext& context, DataChunk& row) {
    FlushOptions watched = options;
    watched.on_progress = UntilInterrupted(context);
    SqlTransaction::Of(context, table->catalog).DropMovedRowsAfterwards();
    const FlushResult result = Finished(context, FlushTable(table->table(), watched));
    SetNumbers(row, {result.rows, result.bytes, result.files});
  };
}

CallAction BindCompact(const TableFunctionArguments& arguments, const BindInput& input) {
  CompactOptions options;
  for (const auto& [option, value] : input.named_parameters) {
    if (option == "max_segment_rows") {
      options.max_segment_rows = arguments.RowCount(option, value);
    } else if (option == "full") {
      options.full = arguments.Flag(option, value);
    } else {
      options.optimize_for = arguments.Layout(value);
    }
  }
  return [table = arguments.Table(input.inputs[0]), options](ClientContext& context, DataChunk& row) {
    CompactOptions watched = options;
    watched.on_progress = UntilInterrupted(context);
    const CompactResult result = Finished(context, CompactTable(table->table(), watched));
    SetNumbers(row, {result.rows, result.bytes, result.files_before, result.files_after});
  };
}

CallAction BindExpire(const TableFunctionArguments& arguments, const BindInput& input) {
  return [table = arguments.Table(input.inputs[0])](ClientContext& context, DataChunk& row) {
    SetNumbers(row, {Finished(context, ExpireRows(table->table(), UntilInterrupted(context)))});
  };
}

SqlCatalog& DatabaseOf(const TableFunctionArguments& arguments, const BindInput& input) {
  const auto named = input.named_parameters.find("database");
  return arguments.Database(named == input.named_parameters.end() ? duckdb::Value() : named->second);
}

CallAction BindCancel(const TableFunctionArguments& arguments, const BindInput& input) {
  if (input.inputs[0].IsNull()) throw duckdb::BinderException("yarrow_cancel_job: the number of the job is NULL");
  return [database = DatabaseOf(arguments, input).database(), id = input.inputs[0].GetValue<int64_t>()](
             ClientContext&, DataChunk& row) {
    Check(database->jobs().Cancel(static_cast<uint64_t>(id), "cancelled on request"));
    SetNumbers(row, {id});
  };
}

CallAction BindSet(const TableFunctionArguments& arguments, const BindInput& input) {
  if (input.inputs[0].IsNull() || input.inputs[1].IsNull()) {
    throw duckdb::BinderException("yarrow_set: name or value is NULL; give both as texts");
  }
  return [database = DatabaseOf(arguments, input).database(), name = input.inputs[0].ToString(),
          value = input.inputs[1].ToString()](ClientContext&, DataChunk& row) {
    Check(database->SetSetting(name, value));
    row.SetValue(0, 0, duckdb::Value(name));
    row.SetValue(1, 0, duckdb::Value(value));
  };
}

}  // namespace

void RegisterJobFunctions(duckdb::DatabaseInstance& instance) {
  const LogicalType text = LogicalType::VARCHAR, number = LogicalType::BIGINT, flag = LogicalType::BOOLEAN;
  RegisterCall(
      instance,
      {.name = "yarrow_flush",
       .arguments = {text},
       .options = {{"optimize_for", text}, {"max_segment_rows", number}, {"min_user_rows", number}, {"compact", flag}},
       .result = {{"rows", number}, {"bytes", number}, {"files", number}},
       .bind = BindFlush});
  RegisterCall(instance,
               {.name = "yarrow_compact",
                .arguments = {text},
                .options = {{"full", flag}, {"optimize_for", text}, {"max_segment_rows", number}},
                .result = {{"rows", number}, {"bytes", number}, {"files_before", number}, {"files_after", number}},
                .bind = BindCompact});
  RegisterCall(instance,
               {.name = "yarrow_expire", .arguments = {text}, .result = {{"rows", number}}, .bind = BindExpire});
  RegisterCall(instance, {.name = "yarrow_cancel_job",
                          .arguments = {number},
                          .options = {{"database", text}},
                          .result = {{"job_id", number}},
                          .bind = BindCancel});
  RegisterCall(instance, {.name = "yarrow_set",
                          .arguments = {text, LogicalType::ANY},
                          .options = {{"database", text}},
                          .result = {{"name", text}, {"value", text}},
                          .bind = BindSet});
}

}  // namespace yarrow::sql
