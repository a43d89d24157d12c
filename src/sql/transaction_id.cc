#include "sql/transaction_id.h"

#include <duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp>
#include <duckdb/execution/expression_executor_state.hpp>
#include <duckdb/main/database_manager.hpp>
#include <duckdb/parser/parsed_data/create_scalar_function_info.hpp>
#include <duckdb/transaction/meta_transaction.hpp>

#include <utility>

namespace yarrow::sql {

void RegisterTransactionId(duckdb::DatabaseInstance& instance) {
  constexpr const char* kName = "txid_current";
  const auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(instance);
  auto& schema = duckdb::Catalog::GetSystemCatalog(instance).GetSchema(transaction, DEFAULT_SCHEMA);
  auto known = schema.GetEntry(transaction, duckdb::CatalogType::SCALAR_FUNCTION_ENTRY, kName);
  if (!known) return;  // a DuckDB without it
  duckdb::ScalarFunction function = known->Cast<duckdb::ScalarFunctionCatalogEntry>().functions.GetFunctionByOffset(0);
  function.SetFunctionCallback([of_duckdb = function.GetFunctionCallback()](
                                   duckdb::DataChunk& input, duckdb::ExpressionState& state, duckdb::Vector& result) {
    duckdb::ClientContext& context = state.GetContext();
    auto& catalog = duckdb::Catalog::GetCatalog(context, duckdb::DatabaseManager::GetDefaultDatabase(context));
    if (catalog.GetCatalogType() != "yarrow") return of_duckdb(input, state, result);
    result.Reference(duckdb::Value::UBIGINT(duckdb::MetaTransaction::Get(context).global_transaction_id));
  });
  duckdb::CreateScalarFunctionInfo info(std::move(function));
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  schema.CreateFunction(transaction, info);
}

}  // namespace yarrow::sql
