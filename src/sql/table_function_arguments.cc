#include "sql/table_function_arguments.h"

#include <duckdb/main/attached_database.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/parser/qualified_name.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/transaction/meta_transaction.hpp>

#include "sql/scan_serialization.h"
#include "sql/table_options.h"

namespace yarrow::sql {

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

void RegisterCall(duckdb::DatabaseInstance& instance, duckdb::TableFunction function) {
  RefuseToSerialize(&function);
  duckdb::ExtensionLoader(instance, "yarrow").RegisterFunction(std::move(function));
}

}  // namespace yarrow::sql
