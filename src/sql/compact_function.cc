#include "sql/compact_function.h"

#include <memory>
#include <utility>

#include "flush/table_compaction.h"
#include "sql/sql_error.h"
#include "sql/table_function_arguments.h"

namespace yarrow::sql {
namespace {

struct CompactBindData : public CallBindData<CompactBindData> {
  std::shared_ptr<SqlTable> table;
  CompactOptions options;
};

duckdb::unique_ptr<duckdb::FunctionData> BindCompact(duckdb::ClientContext& context,
                                                     duckdb::TableFunctionBindInput& input,
                                                     duckdb::vector<duckdb::LogicalType>& types,
                                                     duckdb::vector<duckdb::string>& names) {
  const TableFunctionArguments arguments("yarrow_compact", context, input);
  auto bound = duckdb::make_uniq<CompactBindData>();
  bound->table = arguments.Table(input.inputs[0]);
  for (const auto& [option, value] : input.named_parameters) {
    if (option == "max_segment_rows") {
      bound->options.max_segment_rows = arguments.RowCount(option, value);
    } else if (option == "full") {
      bound->options.full = arguments.Flag(option, value);
    } else {
      bound->options.optimize_for = arguments.Layout(value);
    }
  }
  types.assign(4, duckdb::LogicalType::BIGINT);
  names = {"rows", "bytes", "files_before", "files_after"};
  return bound;
}

void Compact(duckdb::ClientContext& context, duckdb::TableFunctionInput& data, duckdb::DataChunk& output) {
  if (!CalledOnce::Begin(data)) return;
  const auto& bound = data.bind_data->Cast<CompactBindData>();
  CompactOptions options = bound.options;
  options.on_progress = [&](int64_t) {
    return context.interrupted ? arrow::Status::Cancelled("cancelled") : arrow::Status::OK();
  };
  const auto result = CompactTable(bound.table->table(), options);
  if (context.interrupted) throw duckdb::InterruptException();
  Check(result.status());
  output.SetCardinality(1);
  output.SetValue(0, 0, duckdb::Value::BIGINT(result->rows));
  output.SetValue(1, 0, duckdb::Value::BIGINT(result->bytes));
  output.SetValue(2, 0, duckdb::Value::BIGINT(result->files_before));
  output.SetValue(3, 0, duckdb::Value::BIGINT(result->files_after));
}

}  // namespace

void RegisterCompactFunction(duckdb::DatabaseInstance& instance) {
  duckdb::TableFunction function("yarrow_compact", {duckdb::LogicalType::VARCHAR}, Compact, BindCompact,
                                 CalledOnce::Init);
  function.named_parameters["full"] = duckdb::LogicalType::BOOLEAN;
  function.named_parameters["optimize_for"] = duckdb::LogicalType::VARCHAR;
  function.named_parameters["max_segment_rows"] = duckdb::LogicalType::BIGINT;
  RegisterCall(instance, std::move(function));
}

}  // namespace yarrow::sql
