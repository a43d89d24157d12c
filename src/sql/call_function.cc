#include "sql/call_function.h"

#include <duckdb/main/attached_database.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/parser/qualified_name.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/transaction/meta_transaction.hpp>

#include "sql/scan_serialization.h"
#include "sql/table_options.h"

namespace yarrow::sql {
namespace {

struct CallInfo : public duckdb::TableFunctionInfo {
  explicit CallInfo(CallFunction called) : function(std::move(called)) {}
  const CallFunction function;
};

struct BoundCall : public duckdb::TableFunctionData {
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override { return duckdb::make_uniq<BoundCall>(*this); }
  bool Equals(const duckdb::FunctionData& other) const override { return this == &other; }
  CallAction act;
};

struct CallState : public duckdb::GlobalTableFunctionState {
  bool is_done = false;
};

duckdb::unique_ptr<duckdb::FunctionData> Bind(duckdb::ClientContext& context, duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<duckdb::string>& names) {
  const CallFunction& function = input.info->Cast<CallInfo>().function;
  auto bound = duckdb::make_uniq<BoundCall>();
  bound->act = function.bind(TableFunctionArguments(function.name, context, input), input);
  for (const auto& [name, type] : function.result) {
    names.push_back(name);
    types.push_back(type);
  }
  return bound;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> Init(duckdb::ClientContext&, duckdb::TableFunctionInitInput&) {
  return duckdb::make_uniq<CallState>();
}

void Execute(duckdb::ClientContext& context, duckdb::TableFunctionInput& data, duckdb::DataChunk& output) {
  if (std::exchange(data.global_state->Cast<CallState>().is_done, true)) return;
  data.bind_data->Cast<BoundCall>().act(context, output);
  output.SetCardinality(1);
}

}  // namespace

void TableFunctionArguments::TellOf(duckdb::Catalog& catalog) const {
  if (binder_ != nullptr) binder_->GetStatementProperties().RegisterDBRead(catalog, context_);
}

void TableFunctionArguments::CheckWritable(duckdb::Catalog& catalog) const {
  if (catalog.GetAttached().IsReadOnly()) {
    throw duckdb::InvalidInputException("Cannot call %s on database \"%s\" which is attached in read-only mode!",
                                        function_, catalog.GetName());
  }
  if (duckdb::MetaTransaction::Get(context_).IsReadOnly()) {
    throw duckdb::TransactionException("Cannot call %s on database \"%s\" in a transaction that is read-only",
                                       function_, catalog.GetName());
  }
}

std::shared_ptr<SqlTable> TableFunctionArguments::Table(const duckdb::Value& value) const {
  if (value.IsNull()) throw duckdb::BinderException(function_ + ": the name of the table is NULL");
  const std::string text = value.ToString();
  auto name = duckdb::QualifiedName::Parse(text);
  duckdb::Binder::BindSchemaOrCatalog(context_, name.catalog, name.schema);
  auto& entry = duckdb::Catalog::GetEntry<duckdb::TableCatalogEntry>(context_, name.catalog, name.schema, name.name);
  if (auto* table = dynamic_cast<SqlTable*>(&entry)) {
    CheckWritable(table->catalog);
    TellOf(table->catalog);
    return table->shared_from_this();
  }
  throw duckdb::BinderException(function_ + ": " + text + " is no table of a Yarrow database");
}

SqlCatalog& TableFunctionArguments::Database(const duckdb::Value& value) const {
  const std::string name = value.IsNull() ? duckdb::DatabaseManager::GetDefaultDatabase(context_) : value.ToString();
  auto& catalog = duckdb::Catalog::GetCatalog(context_, name);
  if (auto* found = dynamic_cast<SqlCatalog*>(&catalog)) {
    CheckWritable(*found);
    TellOf(*found);
    return *found;
  }
  throw duckdb::BinderException(function_ + ": " + name +
                                " is no Yarrow database; USE one, or name it: database := 'name'");
}

int64_t TableFunctionArguments::RowCount(const std::string& option, const duckdb::Value& value) const {
  if (value.IsNull()) throw duckdb::BinderException(function_ + ": " + option + " is NULL; give a number of rows");
  return value.GetValue<int64_t>();
}

bool TableFunctionArguments::Flag(const std::string& option, const duckdb::Value& value) const {
  if (value.IsNull()) throw duckdb::BinderException(function_ + ": " + option + " is NULL; give true or false");
  return value.GetValue<bool>();
}

FlushOptions::OptimizeFor TableFunctionArguments::Layout(const duckdb::Value& value) const {
  if (const auto layout = ParseLayout(value.ToString())) return *layout;
  throw duckdb::BinderException(function_ + ": optimize_for is 'scan' or 'lookup', not '" + value.ToString() + "'");
}

void RegisterCall(duckdb::DatabaseInstance& instance, CallFunction function) {
  duckdb::TableFunction table_function(function.name, function.arguments, Execute, Bind, Init);
  table_function.named_parameters = function.options;
  table_function.function_info = duckdb::make_shared_ptr<CallInfo>(std::move(function));
  RefuseToSerialize(&table_function);
  duckdb::ExtensionLoader(instance, "yarrow").RegisterFunction(std::move(table_function));
}

OnProgress UntilInterrupted(duckdb::ClientContext& context) {
  return
      [&context](int64_t) { return context.interrupted ? arrow::Status::Cancelled("cancelled") : arrow::Status::OK(); };
}

}  // namespace yarrow::sql
