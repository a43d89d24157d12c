#include "sql/flush_function.h"

#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/parser/qualified_name.hpp>

#include <memory>
#include <utility>

#include "flush/table_flush.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"

namespace yarrow::sql {
namespace {

struct FlushBindData : public duckdb::TableFunctionData {
  std::shared_ptr<SqlTable> table;
  FlushOptions options;
};

struct FlushState : public duckdb::GlobalTableFunctionState {
  bool is_done = false;
};

std::shared_ptr<SqlTable> FindTable(duckdb::ClientContext& context, const std::string& text) {
  auto name = duckdb::QualifiedName::Parse(text);
  duckdb::Binder::BindSchemaOrCatalog(context, name.catalog, name.schema);
  auto& entry = duckdb::Catalog::GetEntry<duckdb::TableCatalogEntry>(context, name.catalog, name.schema, name.name);
  if (auto* table = dynamic_cast<SqlTable*>(&entry)) return table->shared_from_this();
  throw duckdb::BinderException("yarrow_flush: " + text + " is no table of a Yarrow database");
}

int64_t RowCount(const std::string& option, const duckdb::Value& value) {
  if (value.IsNull()) throw duckdb::BinderException("yarrow_flush: " + option + " is NULL; give a number of rows");
  return value.GetValue<int64_t>();
}

duckdb::unique_ptr<duckdb::FunctionData> Bind(duckdb::ClientContext& context, duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<duckdb::string>& names) {
  if (input.inputs[0].IsNull()) throw duckdb::BinderException("yarrow_flush: the name of the table is NULL");
  auto bound = duckdb::make_uniq<FlushBindData>();
  bound->table = FindTable(context, input.inputs[0].ToString());
  for (const auto& [option, value] : input.named_parameters) {
    if (option == "max_segment_rows") {
      bound->options.max_segment_rows = RowCount(option, value);
    } else if (option == "min_user_rows") {
      bound->options.min_user_rows = RowCount(option, value);
    } else {
      const std::string layout = value.ToString();
      if (layout != "scan" && layout != "lookup") {
        throw duckdb::BinderException("yarrow_flush: optimize_for is 'scan' or 'lookup', not '" + layout + "'");
      }
      using OptimizeFor = FlushOptions::OptimizeFor;
      bound->options.optimize_for = layout == "scan" ? OptimizeFor::kScan : OptimizeFor::kLookup;
    }
  }
  types.assign(3, duckdb::LogicalType::BIGINT);
  names = {"rows", "bytes", "files"};
  return bound;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> Init(duckdb::ClientContext&, duckdb::TableFunctionInitInput&) {
  return duckdb::make_uniq<FlushState>();
}

void Flush(duckdb::ClientContext& context, duckdb::TableFunctionInput& data, duckdb::DataChunk& output) {
  auto& state = data.global_state->Cast<FlushState>();
  if (std::exchange(state.is_done, true)) return;
  const auto& bound = data.bind_data->Cast<FlushBindData>();
  FlushOptions options = bound.options;
  options.on_progress = [&](int64_t) {
    return context.interrupted ? arrow::Status::Cancelled("cancelled") : arrow::Status::OK();
  };
  const auto result = FlushTable(bound.table->table(), options);
  if (result.status().IsCancelled()) throw duckdb::InterruptException();
  Check(result.status());
  output.SetCardinality(1);
  output.SetValue(0, 0, duckdb::Value::BIGINT(result->rows));
  output.SetValue(1, 0, duckdb::Value::BIGINT(result->bytes));
  output.SetValue(2, 0, duckdb::Value::BIGINT(result->files));
}

}  // namespace

void RegisterFlushFunction(duckdb::DatabaseInstance& instance) {
  duckdb::TableFunction function("yarrow_flush", {duckdb::LogicalType::VARCHAR}, Flush, Bind, Init);
  function.named_parameters["optimize_for"] = duckdb::LogicalType::VARCHAR;
  function.named_parameters["max_segment_rows"] = duckdb::LogicalType::BIGINT;
  function.named_parameters["min_user_rows"] = duckdb::LogicalType::BIGINT;
  duckdb::ExtensionLoader loader(instance, "yarrow");
  loader.RegisterFunction(std::move(function));
}

}  // namespace yarrow::sql
