#include "sql/flush_function.h"

#include <memory>
#include <utility>

#include "flush/table_flush.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/table_function_arguments.h"

namespace yarrow::sql {
namespace {

struct FlushBindData : public CallBindData<FlushBindData> {
  std::shared_ptr<SqlTable> table;
  FlushOptions options;
};

duckdb::unique_ptr<duckdb::FunctionData> BindFlush(duckdb::ClientContext& context,
                                                   duckdb::TableFunctionBindInput& input,
                                                   duckdb::vector<duckdb::LogicalType>& types,
                                                   duckdb::vector<duckdb::string>& names) {
  const TableFunctionArguments arguments("yarrow_flush", context, input);
  auto bound = duckdb::make_uniq<FlushBindData>();
  bound->table = arguments.Table(input.inputs[0]);
  for (const auto& [option, value] : input.named_parameters) {
    if (option == "max_segment_rows") {
      bound->options.max_segment_rows = arguments.RowCount(option, value);
    } else if (option == "min_user_rows") {
      bound->options.min_user_rows = arguments.RowCount(option, value);
    } else if (option == "compact") {
      bound->options.compact = arguments.Flag(option, value);
    } else {
      bound->options.optimize_for = arguments.Layout(value);
    }
  }
  types.assign(3, duckdb::LogicalType::BIGINT);
  names = {"rows", "bytes", "files"};
  return bound;
}

void Flush(duckdb::ClientContext& context, duckdb::TableFunctionInput& data, duckdb::DataChunk& output) {
  if (!CalledOnce::Begin(data)) return;
  const auto& bound = data.bind_data->Cast<FlushBindData>();
  FlushOptions options = bound.options;
  options.on_progress = [&](int64_t) {
    return context.interrupted ? arrow::Status::Cancelled("cancelled") : arrow::Status::OK();
  };
  SqlTransaction::Of(context, bound.table->catalog).DropMovedRowsAfterwards();
  const auto result = FlushTable(bound.table->table(), options);
  if (context.interrupted) throw duckdb::InterruptException();
  Check(result.status());
  output.SetCardinality(1);
  output.SetValue(0, 0, duckdb::Value::BIGINT(result->rows));
  output.SetValue(1, 0, duckdb::Value::BIGINT(result->bytes));
  output.SetValue(2, 0, duckdb::Value::BIGINT(result->files));
}

}  // namespace

void RegisterFlushFunction(duckdb::DatabaseInstance& instance) {
  duckdb::TableFunction function("yarrow_flush", {duckdb::LogicalType::VARCHAR}, Flush, BindFlush, CalledOnce::Init);
  function.named_parameters["optimize_for"] = duckdb::LogicalType::VARCHAR;
  function.named_parameters["max_segment_rows"] = duckdb::LogicalType::BIGINT;
  function.named_parameters["min_user_rows"] = duckdb::LogicalType::BIGINT;
  function.named_parameters["compact"] = duckdb::LogicalType::BOOLEAN;
  RegisterCall(instance, std::move(function));
}

}  // namespace yarrow::sql
