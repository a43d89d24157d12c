#include "sql/job_functions.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "flush/row_expiry.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"
#include "sql/table_function_arguments.h"

namespace yarrow::sql {
namespace {

// Done once when the call is executed, not when it is bound.
struct JobCall : public CallBindData<JobCall> {
  std::function<void(duckdb::ClientContext& context, duckdb::DataChunk& output)> run;
};

void Run(duckdb::ClientContext& context, duckdb::TableFunctionInput& data, duckdb::DataChunk& output) {
  if (!CalledOnce::Begin(data)) return;
  data.bind_data->Cast<JobCall>().run(context, output);
  output.SetCardinality(1);
}

using BindInput = duckdb::TableFunctionBindInput;
using Types = duckdb::vector<duckdb::LogicalType>;
using Names = duckdb::vector<duckdb::string>;

duckdb::unique_ptr<duckdb::FunctionData> BindExpire(duckdb::ClientContext& context, BindInput& input, Types& types,
                                                    Names& names) {
  const TableFunctionArguments arguments("yarrow_expire", context, input);
  auto bound = duckdb::make_uniq<JobCall>();
  bound->run = [table = arguments.Table(input.inputs[0])](duckdb::ClientContext& client, duckdb::DataChunk& output) {
    const auto rows = ExpireRows(table->table(), [&](int64_t) {
      return client.interrupted ? arrow::Status::Cancelled("cancelled") : arrow::Status::OK();
    });
    if (client.interrupted) throw duckdb::InterruptException();
    output.SetValue(0, 0, duckdb::Value::BIGINT(Check(rows)));
  };
  types = {duckdb::LogicalType::BIGINT};
  names = {"rows"};
  return bound;
}

SqlCatalog& DatabaseOf(const TableFunctionArguments& arguments, const BindInput& input) {
  const auto named = input.named_parameters.find("database");
  return arguments.Database(named == input.named_parameters.end() ? duckdb::Value() : named->second);
}

duckdb::unique_ptr<duckdb::FunctionData> BindCancel(duckdb::ClientContext& context, BindInput& input, Types& types,
                                                    Names& names) {
  const TableFunctionArguments arguments("yarrow_cancel_job", context, input);
  if (input.inputs[0].IsNull()) throw duckdb::BinderException("yarrow_cancel_job: the number of the job is NULL");
  auto bound = duckdb::make_uniq<JobCall>();
  bound->run = [database = DatabaseOf(arguments, input).database(), id = input.inputs[0].GetValue<int64_t>()](
                   duckdb::ClientContext&, duckdb::DataChunk& output) {
    Check(database->jobs().Cancel(static_cast<uint64_t>(id), "cancelled on request"));
    output.SetValue(0, 0, duckdb::Value::BIGINT(id));
  };
  types = {duckdb::LogicalType::BIGINT};
  names = {"job_id"};
  return bound;
}

duckdb::unique_ptr<duckdb::FunctionData> BindSet(duckdb::ClientContext& context, BindInput& input, Types& types,
                                                 Names& names) {
  const TableFunctionArguments arguments("yarrow_set", context, input);
  if (input.inputs[0].IsNull() || input.inputs[1].IsNull()) {
    throw duckdb::BinderException("yarrow_set: name or value is NULL; give both as texts");
  }
  auto bound = duckdb::make_uniq<JobCall>();
  bound->run = [database = DatabaseOf(arguments, input).database(), name = input.inputs[0].ToString(),
                value = input.inputs[1].ToString()](duckdb::ClientContext&, duckdb::DataChunk& output) {
    Check(database->SetSetting(name, value));
    output.SetValue(0, 0, duckdb::Value(name));
    output.SetValue(1, 0, duckdb::Value(value));
  };
  types = {duckdb::LogicalType::VARCHAR, duckdb::LogicalType::VARCHAR};
  names = {"name", "value"};
  return bound;
}

}  // namespace

void RegisterJobFunctions(duckdb::DatabaseInstance& instance) {
  const auto text = duckdb::LogicalType::VARCHAR;
  RegisterCall(instance, duckdb::TableFunction("yarrow_expire", {text}, Run, BindExpire, CalledOnce::Init));
  duckdb::TableFunction cancel("yarrow_cancel_job", {duckdb::LogicalType::BIGINT}, Run, BindCancel, CalledOnce::Init);
  duckdb::TableFunction set("yarrow_set", {text, duckdb::LogicalType::ANY}, Run, BindSet, CalledOnce::Init);
  for (auto* function : {&cancel, &set}) {
    function->named_parameters["database"] = text;
    RegisterCall(instance, *function);
  }
}

}  // namespace yarrow::sql
